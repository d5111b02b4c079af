#!/usr/bin/env python3
"""Checks the weights of the ranking, and looks for better ones, by cross-validation.

    choose_weights.py [--url http://127.0.0.1:8080] [--key KEY] [--save FILE] FILE...
    choose_weights.py --load FILE

FILE is a conversation file of conversation_sets.py. Every question is asked of a running server
with `explain: true`, which says for every item, and for what came behind the items, which parts and
factors its score is made of (src/umbranet/memory/ranking.h). So the order can be worked out anew
for any other weights: what is printed for a part is a multiple of the weight that ships; 1 is the
weight that ships, 0 leaves the part out.

Three tables come out. How the figures change when one weight alone is halved, doubled, left out:
a plateau is what one hopes to see. Then the weights fitted, one after the other, to one half of the
conversations and measured on the other, beside those that ship: fitted ones that gain on their own
half and not on the other say that there is nothing to be had. Last, a paired bootstrap over
questions of the difference between fitted and shipped weights on the halves that they were not
fitted to. Sets (the part of a conversation's name before its first digit) weigh alike, whatever
their number of questions.

What was moved for other reasons than its score (a superseded statement, a repeated session) keeps
the ratio by which it was moved. Python's standard library alone."""
import argparse
import collections
import json
import random
import re
import sys
import uuid

import recall_quality

PARTS = ("words", "other_half", "neighbours", "meaning", "time", "session", "edge", "turn")
FACTORS = ("named", "dated")
STEPS = (0, 0.5, 0.75, 1, 1.33, 2)
DEPTH = 100
GAIN_MIN = 0.0005
PASSES_MAX = 3
BOOTSTRAPS = 2000


def candidate(item, names):
    explanation = item["explanation"]
    parts = [explanation["parts"].get(p, 0.0) for p in PARTS]
    factors = [explanation["factors"].get(f, 1.0) for f in FACTORS]
    made_of = sum(parts)
    for factor in factors:
        made_of *= factor
    return {"parts": parts, "factors": factors, "sources": recall_quality.sources([item], names),
            "moved": item["score"] / made_of if made_of > 0 else 0.0, "score": item["score"]}


def ask(server, path):
    with open(path, encoding="utf-8") as file:
        conversation = json.load(file)
    user = "weights-" + uuid.uuid4().hex
    names = recall_quality.store(server, user, conversation["turns"])
    recall_quality.await_reflection(server, user)
    questions = []
    for question in conversation["questions"]:
        # Rules are chosen apart, and adversarial questions are not there to be answered.
        if question["category"] in recall_quality.FOLLOWED + ("adversarial",):
            continue
        found = server.call("POST", "/v1/recall", {
            "user_id": user, "query": question["query"], "limit": DEPTH, "explain": True})
        items = found["items"] + [behind["item"] for behind in found["left_out"]
                                  if behind["reason"] in ("below_limit", "superseded")]
        questions.append({"id": question["id"], "evidence": question["evidence"],
                          "candidates": [candidate(item, names) for item in items]})
    server.call("DELETE", "/v1/users/" + user)
    print("%s: %d questions" % (path, len(questions)), file=sys.stderr)
    name = conversation["name"]
    return {"name": name, "set": re.match(r"\D*", name).group(), "questions": questions}


def worth(candidate_, weights):
    if not candidate_["moved"]:
        return candidate_["score"]
    total = sum(w * p for w, p in zip(weights, candidate_["parts"]))
    # A factor of 1.8 at half its weight is 1.4.
    for weight, factor in zip(weights[len(PARTS):], candidate_["factors"]):
        total *= 1 + weight * (factor - 1)
    return total * candidate_["moved"]


def measure(question, weights):
    order = sorted(question["candidates"], key=lambda c: -worth(c, weights))
    ranked = list(dict.fromkeys(name for c in order[:20] for name in c["sources"]))
    row = recall_quality.score(ranked, question["evidence"])
    return (row["R@10"] + row["nDCG@10"]) / 2, row["R@10"], row["nDCG@10"]


def figures(conversations, weights):
    """By set: mean of the two measures, R@10, nDCG@10."""
    rows = collections.defaultdict(list)
    for conversation in conversations:
        rows[conversation["set"]] += [measure(q, weights) for q in conversation["questions"]]
    return {name: [sum(column) / len(column) for column in zip(*found)]
            for name, found in sorted(rows.items())}


def objective(conversations, weights):
    found = figures(conversations, weights)
    return sum(row[0] for row in found.values()) / len(found)


def fit(conversations):
    weights = [1.0] * (len(PARTS) + len(FACTORS))
    best = objective(conversations, weights)
    for _ in range(PASSES_MAX):
        before = best
        for place in range(1, len(weights)):  # Words are the measure of the others.
            for step in STEPS:
                tried = weights[:place] + [step] + weights[place + 1:]
                found = objective(conversations, tried)
                if found > best + GAIN_MIN:
                    best, weights = found, tried
        if best < before + GAIN_MIN:
            break
    return weights


def halves(conversations):
    """Every other conversation of each set, so that both halves hold all sets."""
    split = ([], [])
    seen = collections.Counter()
    for conversation in conversations:
        split[seen[conversation["set"]] % 2].append(conversation)
        seen[conversation["set"]] += 1
    return split


def show(label, found):
    print("%-28s %s" % (label, "  ".join("%s %5.1f / %5.1f" % (name, 100 * row[1], 100 * row[2])
                                         for name, row in found.items())))


def bootstrap(differences):
    chance = random.Random(20240503)
    means = sorted(sum(chance.choices(differences, k=len(differences))) / len(differences)
                   for _ in range(BOOTSTRAPS))
    return means[int(0.025 * BOOTSTRAPS)], means[int(0.975 * BOOTSTRAPS)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key", help="API key, where the server asks for one")
    parser.add_argument("--save", help="keep what the server said in this file")
    parser.add_argument("--load", help="work with what such a file holds; no server is asked")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    if options.load:
        with open(options.load, encoding="utf-8") as file:
            conversations = json.load(file)
    else:
        server = recall_quality.Server(options.url, options.key)
        conversations = [ask(server, path) for path in options.files]
    if options.save:
        with open(options.save, "w", encoding="utf-8") as out:
            json.dump(conversations, out)
    if not conversations:
        parser.error("no conversation to measure on")

    names = PARTS + FACTORS
    shipped = [1.0] * len(names)
    print("One weight changed, R@10 / nDCG@10 in percent (rules and adversarial left out):")
    show("as it ships", figures(conversations, shipped))
    for place, name in enumerate(names):
        for step in (0, 0.5, 2):
            tried = shipped[:place] + [step] + shipped[place + 1:]
            show("%s x %g" % (name, step), figures(conversations, tried))

    print("\nFitted to one half, measured on both:")
    differences = []
    parts = halves(conversations)
    for fitted_to, other in (parts, parts[::-1]):
        if not fitted_to or not other:
            sys.exit("cross-validation needs two conversations of a set")
        weights = fit(fitted_to)
        print("  " + ", ".join("%s x %g" % (n, w) for n, w in zip(names, weights) if w != 1) or
              "  nothing to change")
        for label, part in (("own half", fitted_to), ("other half", other)):
            show("  %s, as it ships" % label, figures(part, shipped))
            show("  %s, fitted" % label, figures(part, weights))
        differences += [measure(q, weights)[0] - measure(q, shipped)[0]
                        for conversation in other for q in conversation["questions"]]
    low, high = bootstrap(differences)
    print("\nFitted minus shipped on the other halves, mean of R@10 and nDCG@10, in points: "
          "%+.2f (95 %% between %+.2f and %+.2f, %d questions)" % (
              100 * sum(differences) / len(differences), 100 * low, 100 * high, len(differences)))


if __name__ == "__main__":
    main()
