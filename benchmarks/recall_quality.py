#!/usr/bin/env python3
"""Measures how much of what answers a question a running server recalls.

    recall_quality.py [--url http://127.0.0.1:8080] [--key KEY] [--json OUT] FILE...

FILE is a conversation file of conversation_sets.py. Every turn is stored through
POST /v1/interactions under a fresh user, reflection is awaited, every question is asked through
POST /v1/recall, and the user is forgotten again. What counts is which turns the items name as
their sources, in the order of the items; a source counts once, at its first place. For questions
about instructions and preferences to be followed, the returned rules stand before the items.

R@k is the part of a question's evidence among the first k sources, nDCG@10 the usual discounted
gain (every evidence turn gains 1). Adversarial questions ask about the wrong speaker, so recalling
more for them is not better: they are reported, but not in the total. Python's standard library
alone."""
import argparse
import collections
import http.client
import json
import math
import sys
import time
import urllib.parse
import uuid

DEPTHS = (5, 10, 20)
BATCH = 50
REFLECTION_WAIT_S = 900
FOLLOWED = ("preference_following", "instruction_following")


class Server:
    def __init__(self, url, key):
        parts = urllib.parse.urlparse(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=60)
        self.headers = {"Content-Type": "application/json"}
        if key:
            self.headers["Authorization"] = "Bearer " + key

    def call(self, method, path, body=None):
        self.connection.request(method, path, None if body is None else json.dumps(body),
                                self.headers)
        response = self.connection.getresponse()
        raw = response.read()
        if response.status >= 400:
            sys.exit("%s %s: %d %s" % (method, path, response.status, raw[:300].decode()))
        return json.loads(raw) if raw else {}


def store(server, user, turns):
    """Stores the turns; returns {interaction_id: (user half's id, assistant half's id)}."""
    fields = ("session_id", "speaker", "timestamp", "user_message", "assistant_response")
    names = {}
    for at in range(0, len(turns), BATCH):
        part = turns[at:at + BATCH]
        answer = server.call("POST", "/v1/interactions", {
            "items": [dict({f: t[f] for f in fields}, user_id=user) for t in part]})
        for turn, result in zip(part, answer["results"]):
            names[result["interaction_id"]] = (turn["id"], turn.get("assistant_id"))
    return names


def await_reflection(server, user):
    path = "/v1/users/%s/freshness" % urllib.parse.quote(user, safe="")
    end = time.monotonic() + REFLECTION_WAIT_S
    while server.call("GET", path)["pending"] > 0:
        if time.monotonic() > end:
            sys.exit("%s is not reflected after %d s" % (user, REFLECTION_WAIT_S))
        time.sleep(0.1)


def sources(items, names):
    ranked = []
    for item in items:
        for source in item["sources"]:
            halves = names.get(source["interaction_id"], (None, None))
            name = halves[0] if source["role"] == "user" else halves[1]
            if name and name not in ranked:
                ranked.append(name)
    return ranked


def score(ranked, evidence):
    wanted = set(evidence)
    row = {"R@%d" % k: len(wanted & set(ranked[:k])) / len(wanted) for k in DEPTHS}
    gain = sum(1 / math.log2(place + 2) for place, name in enumerate(ranked[:10])
               if name in wanted)
    best = sum(1 / math.log2(place + 2) for place in range(min(10, len(wanted))))
    row["nDCG@10"] = gain / best
    return row


def first_place(ranked, names):
    return min((ranked.index(name) for name in names if name in ranked), default=len(ranked))


class Measured:
    """What the questions so far have come to."""

    def __init__(self):
        self.rows, self.took_ms, self.changed = collections.defaultdict(list), [], []

    def ask(self, server, user, names, question):
        """Returns what was found."""
        start = time.perf_counter()
        found = server.call("POST", "/v1/recall", {
            "user_id": user, "query": question["query"], "limit": max(DEPTHS)})
        self.took_ms.append((time.perf_counter() - start) * 1000)
        ranked = sources(found["items"], names)
        if question["category"] in FOLLOWED:
            ranked = list(dict.fromkeys(sources(found["rules"], names) + ranked))
        row = score(ranked, question["evidence"])
        self.rows[question["category"]].append(row)
        if question["category"] != "adversarial":
            self.rows["all but adversarial"].append(row)
        if question.get("old") and question.get("new"):
            new, old = (first_place(ranked, question[k]) for k in ("new", "old"))
            self.changed.append(new < old)
        return found

    def print(self):
        """Returns the table that it prints."""
        columns = ["R@%d" % k for k in DEPTHS] + ["nDCG@10"]
        table = {category: dict({c: 100 * sum(r[c] for r in found) / len(found) for c in columns},
                                n=len(found)) for category, found in sorted(self.rows.items())}
        print("| category | n | " + " | ".join(columns) + " |")
        print("|---|---|" + "---|" * len(columns))
        for category, row in table.items():
            print("| %s | %d | %s |" % (category, row["n"],
                                        " | ".join("%.1f" % row[c] for c in columns)))
        took_ms = sorted(self.took_ms)
        print("\nrecall over HTTP: p50 %.2f ms, p95 %.2f ms (%d questions)" % (
            took_ms[len(took_ms) // 2], took_ms[len(took_ms) * 95 // 100], len(took_ms)))
        if self.changed:
            print("new value of a changed fact above the old one: %.0f %% of %d" % (
                100 * sum(self.changed) / len(self.changed), len(self.changed)))
        return table


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key", help="API key, where the server asks for one")
    parser.add_argument("--json", help="write the table to this file, too")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    server = Server(options.url, options.key)
    measured = Measured()

    for path in options.files:
        with open(path, encoding="utf-8") as file:
            conversation = json.load(file)
        user = "quality-" + uuid.uuid4().hex
        names = store(server, user, conversation["turns"])
        await_reflection(server, user)
        for question in conversation["questions"]:
            measured.ask(server, user, names, question)
        server.call("DELETE", "/v1/users/" + urllib.parse.quote(user, safe=""))
        print("%s: %d questions" % (path, len(conversation["questions"])), file=sys.stderr)

    table = measured.print()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(table, out, indent=1)


if __name__ == "__main__":
    main()
