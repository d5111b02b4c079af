#!/usr/bin/env python3
"""Turns public sets about extraction into the files that extraction_quality measures with.

    extraction_sets.py persona OUT.json FILE.jsonl...
    extraction_sets.py preferences OUT.json FILE.json...
    extraction_sets.py datetime OUT.json DateTimeModel.json

PersonaExt (Zhu et al., ACL 2023; released without a licence: for measuring only) comes in
github.com/Cyn7hia/PAED as JSON lines under outputs/data/splits/zero_rte/u2t_map_all; the files
test.jsonl, dev.jsonl and train_small.jsonl of a split hold the relations that it tests.
PrefEval (Zhao et al., ICLR 2025; CC BY-NC 4.0) comes in github.com/amazon-science/PrefEval:
benchmark_dataset/explicit_preference/*.json hold the preferences; filtered_inter_turns.json, given
among the files, holds ordinary conversations, whose user messages become the ordinary messages.
Recognizers-Text (Microsoft; MIT) has Specs/DateTime/English/DateTimeModel.json.

  persona:     {source, cases: [{utterance, subject, relation, object, subject_tokens,
                object_tokens}]}
  preferences: {source, preferences: [{preference, question}], ordinary_messages: [text...]}
  datetime:    {source, cases: [{text, reference, results: [{text, type, values}]}]}

`--take N` keeps N cases, drawn with a fixed seed. Python's standard library alone."""
import argparse
import json
import random
import sys

SEED = 17
MESSAGE_LENGTH_MAX = 4000


def read_lines(paths):
    for path in paths:
        with open(path, encoding="utf-8") as source:
            for line in source:
                if line.strip():
                    yield json.loads(line)


def persona(paths):
    """Utterances with a single triplet, once each: where there are several, none is the label."""
    cases = {}
    for row in read_lines(paths):
        triplets = row["triplets"]
        if len(triplets) != 1:
            continue
        triplet = triplets[0]
        tokens = triplet["tokens"]
        utterance = " ".join(tokens)
        cases.setdefault(utterance, {
            "utterance": utterance,
            "subject": " ".join(tokens[i] for i in triplet["head"]),
            "relation": triplet["label"],
            "object": " ".join(tokens[i] for i in triplet["tail"]),
            "subject_tokens": triplet["head"],
            "object_tokens": triplet["tail"]})
    return {"source": "PersonaExt", "cases": list(cases.values())}


def user_messages(value):
    """Texts of the user's turns, however the conversations are nested."""
    if isinstance(value, dict):
        if value.get("role") == "user" and isinstance(value.get("content"), str):
            yield value["content"]
            return
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from user_messages(part)


def preferences(paths):
    stated, ordinary = [], {}
    for path in paths:
        with open(path, encoding="utf-8") as source:
            rows = json.load(source)
        if isinstance(rows, list) and rows and "preference" in rows[0]:
            stated += [{"preference": row["preference"], "question": row["question"]}
                       for row in rows]
        else:
            ordinary.update((text, None) for text in user_messages(rows)
                            if len(text) <= MESSAGE_LENGTH_MAX)
    return {"source": "PrefEval", "preferences": stated, "ordinary_messages": list(ordinary)}


def datetimes(paths):
    cases = []
    for path in paths:
        with open(path, encoding="utf-8-sig") as source:
            specs = json.load(source)
        for spec in specs:
            results = [{"text": result["Text"], "type": result["TypeName"],
                        "values": (result.get("Resolution") or {}).get("values", [])}
                       for result in spec.get("Results", [])]
            cases.append({"text": spec["Input"],
                          "reference": spec.get("Context", {}).get("ReferenceDateTime"),
                          "results": results})
    return {"source": "Recognizers-Text", "cases": cases}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=["persona", "preferences", "datetime"])
    parser.add_argument("out", help="file to write")
    parser.add_argument("files", nargs="+", help="the set as it was released")
    parser.add_argument("--take", type=int, help="keep this many of every kind of case")
    options = parser.parse_args()
    made = {"persona": persona, "preferences": preferences,
            "datetime": datetimes}[options.set](options.files)
    for key, cases in made.items():
        if isinstance(cases, list):
            if options.take and len(cases) > options.take:
                made[key] = random.Random(SEED).sample(cases, options.take)
            print("%s: %d %s" % (options.out, len(made[key]), key))
    with open(options.out, "w", encoding="utf-8") as out:
        json.dump(made, out, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    sys.exit(main())
