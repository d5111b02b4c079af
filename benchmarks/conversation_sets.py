#!/usr/bin/env python3
"""Turns public conversation sets into the files that recall_quality.py measures with.

    conversation_sets.py locomo locomo10.json OUT
    conversation_sets.py beam beam-100K.jsonl OUT

LoCoMo (Maharana et al., 2024; CC BY-NC 4.0) is released as data/locomo10.json in
github.com/snap-research/locomo. BEAM (Tavakoli et al., 2025; CC BY-SA 4.0) is released as the
parquet data set Mohammadta/BEAM; its rows as JSON lines are what is read here, as
`datasets.load_dataset("Mohammadta/BEAM")["100K"].to_json("beam-100K.jsonl")` writes them.

One file a conversation:
  {name, user_id, turns: [{id, assistant_id?, session_id, speaker, timestamp, user_message,
   assistant_response}], questions: [{id, category, query, evidence: [id...], old?, new?}]}
`assistant_id` names the assistant's half of a turn, where evidence may point at it; `old` and
`new` are the evidence for a fact's former and present value. Python's standard library alone."""
import argparse
import ast
import datetime
import json
import os
import re
import sys

LOCOMO_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop",
                     5: "adversarial"}
# Turns carry no times of their own: they follow one another in their session.
LOCOMO_STEP = datetime.timedelta(seconds=30)
BEAM_STEP = datetime.timedelta(minutes=2)
BEAM_START = datetime.datetime(2024, 1, 1)


def rfc3339(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def write(folder, conversation):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, conversation["name"] + ".json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(conversation, out, ensure_ascii=False, indent=1)
    print("%s: %d turns, %d questions" % (path, len(conversation["turns"]),
                                          len(conversation["questions"])))


def locomo_turns(conversation):
    turns = []
    sessions = sorted((key for key in conversation if re.fullmatch(r"session_\d+", key)),
                      key=lambda key: int(key.split("_")[1]))
    for session in sessions:
        time = datetime.datetime.strptime(conversation[session + "_date_time"].strip(),
                                          "%I:%M %p on %d %B, %Y")
        for turn in conversation[session]:
            text = turn["text"]
            if turn.get("blip_caption"):
                text += " [image: %s]" % turn["blip_caption"]
            turns.append({"id": turn["dia_id"], "session_id": "s" + session.split("_")[1],
                          "speaker": turn["speaker"], "timestamp": rfc3339(time),
                          "user_message": text, "assistant_response": ""})
            time += LOCOMO_STEP
    return turns


def locomo(path, folder):
    with open(path, encoding="utf-8") as source:
        samples = json.load(source)
    for sample in samples:
        turns = locomo_turns(sample["conversation"])
        known = {turn["id"] for turn in turns}
        questions = []
        for number, question in enumerate(sample["qa"]):
            # Some entries name several turns in one string, or a turn that is not there.
            evidence = [turn for entry in question.get("evidence", [])
                        for turn in re.findall(r"D\d+:\d+", entry) if turn in known]
            if evidence:
                questions.append({"id": "%s/q%d" % (sample["sample_id"], number),
                                  "category": LOCOMO_CATEGORIES[question["category"]],
                                  "query": question["question"],
                                  "evidence": list(dict.fromkeys(evidence))})
        write(folder, {"name": sample["sample_id"], "user_id": sample["sample_id"],
                       "turns": turns, "questions": questions})


def beam_time(anchor, before):
    """The day that a session's time anchor names, or a day after the session before."""
    for form in ("%B %d, %Y", "%B-%d-%Y", "%b %d, %Y", "%Y-%m-%d"):
        found = re.search(r"[A-Z][a-z]+[ -]\d{1,2}[,-] ?\d{4}|\d{4}-\d\d-\d\d", anchor or "")
        if found:
            try:
                return datetime.datetime.strptime(found.group().replace("  ", " "), form)
            except ValueError:
                continue
    return before + datetime.timedelta(days=1)


def beam_turns(chat):
    turns, time = [], BEAM_START
    for number, batch in enumerate(chat):
        messages = [m for part in batch for m in (part if isinstance(part, list) else [part])]
        anchors = [m.get("time_anchor") for m in messages if m.get("time_anchor")]
        time = beam_time(anchors[0] if anchors else None, time)
        moment = time
        for message in messages:
            # The index and the arrow in "... ->-> 1,3" belong to the set's making, not to the talk.
            text = re.sub(r"\s*->->\s*[\d,]+\s*$", "", message["content"])
            if message["role"] == "user" or not turns or turns[-1]["assistant_response"]:
                turns.append({"id": str(message["id"]), "session_id": "b%d" % (number + 1),
                              "speaker": "User", "timestamp": rfc3339(moment),
                              "user_message": text if message["role"] == "user" else "",
                              "assistant_response": ""})
                moment += BEAM_STEP
            if message["role"] != "user":
                turns[-1]["assistant_response"] = text
                turns[-1]["assistant_id"] = str(message["id"])
    return turns


def flat_ids(value):
    if isinstance(value, dict):
        return [entry for part in value.values() for entry in flat_ids(part)]
    if isinstance(value, (list, tuple)):
        return [entry for part in value for entry in flat_ids(part)]
    return [] if value is None else [str(value)]


def beam_questions(name, probing, known):
    questions = []
    for category, entries in probing.items():
        for number, entry in enumerate(entries):
            sources = entry.get("source_chat_ids")
            evidence = [i for i in dict.fromkeys(flat_ids(sources)) if i in known]
            if category == "abstention" or not evidence:
                continue
            question = {"id": "%s/%s%d" % (name, category, number), "category": category,
                        "query": entry["question"], "evidence": evidence}
            if isinstance(sources, dict):
                for key, value in sources.items():
                    late = re.search(r"updat|new|second|contradict|latest", key)
                    question.setdefault("new" if late else "old", []).extend(flat_ids(value))
            questions.append(question)
    return questions


def beam(path, folder):
    with open(path, encoding="utf-8") as source:
        for line in source:
            row = json.loads(line)
            name = "beam-" + row["conversation_id"]
            probing = row["probing_questions"]
            if isinstance(probing, str):
                probing = ast.literal_eval(probing)  # A Python literal, as the set has it.
            turns = beam_turns(row["chat"])
            known = {t["id"] for t in turns} | {t.get("assistant_id") for t in turns}
            write(folder, {"name": name, "user_id": name, "turns": turns,
                           "questions": beam_questions(name, probing, known)})


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=["locomo", "beam"])
    parser.add_argument("file", help="the set as it was released")
    parser.add_argument("out", help="folder for the conversation files")
    options = parser.parse_args()
    {"locomo": locomo, "beam": beam}[options.set](options.file, options.out)


if __name__ == "__main__":
    sys.exit(main())
