#!/usr/bin/env python3
"""Sends a running server requests of every kind, good and bad, and holds each answer against what it should be.

    mixed_requests.py [--url http://127.0.0.1:8080] [--requests 10000] [--clients 4] [--seed 1]

A good request must be served, a bad one refused with a problem document that names a code; a user must never see
what another one said; nothing may end in a 5xx. To look for leaks, let it talk to a server that was built with the
address sanitizer (build/asan/bin/umbranet, ASAN_OPTIONS=detect_leaks=1) and end that with SIGTERM: it exits with an
error and says what was leaked. Prints a table of answers by kind; exits with 1 when any was not as it should be.
"""
import argparse
import collections
import http.client
import json
import random
import sys
import threading
import urllib.parse

USERS = ["mira", "a.b/c d", "../../etc", "' OR 1=1 --", "\N{GRINNING FACE}", "%2e%2e%2f", "x" * 256, "tab-less",
         "\N{LATIN SMALL LETTER E WITH ACUTE}", "-rf *"]
OTHERS = {user: f"marker{number:02d}zebra" for number, user in enumerate(USERS)}
TOPICS = "garden kettle Porto train violin market soup winter bicycle letter harbour lamp".split()


def quoted(user):
    return urllib.parse.quote(user, safe="")


class Mix:
    """One client's requests. `expect` is the set of statuses that are right."""

    def __init__(self, host, port, seed):
        self.connection = http.client.HTTPConnection(host, port, timeout=60)
        self.random = random.Random(seed)
        self.answers = collections.Counter()
        self.wrong = []

    def send(self, kind, expect, method, path, body=None, headers=None):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        try:
            self.connection.request(method, path, data, sent)
            answer = self.connection.getresponse()
            text = answer.read()
            status = answer.status
            if answer.getheader("Connection", "").lower() == "close":
                self.connection.close()
        except (OSError, http.client.HTTPException) as error:
            # A server may hang up on a body that it refuses before all of it is sent.
            self.connection.close()
            status, text = ("hung up", b"") if 413 in expect else (repr(error), b"")
        self.answers[kind, status] += 1
        if status != "hung up" and status not in expect:
            self.wrong.append((kind, method, path, status, text[:300]))
        elif isinstance(status, int) and status >= 400 and not json.loads(text or b"{}").get("code"):
            self.wrong.append((kind, method, path, status, b"no problem document: " + text[:200]))
        return text

    def good(self):
        user = self.random.choice(USERS)
        topic = self.random.choice(TOPICS)
        said = f"I took the {topic} to the {self.random.choice(TOPICS)} and wrote {OTHERS[user]} on it."
        kinds = [
            lambda: self.send("chat", {200}, "POST", "/v1/chat", {"user_id": user, "message": said}),
            lambda: self.send("chat, streamed", {200}, "POST", "/v1/chat",
                              {"user_id": user, "message": f"What about the {topic}?", "stream": True}),
            lambda: self.send("interaction", {202}, "POST", "/v1/interactions", {"user_id": user, "user_message": said}),
            lambda: self.send("interactions", {202}, "POST", "/v1/interactions",
                              {"items": [{"user_id": user, "user_message": f"{said} {i}"} for i in range(5)]}),
            lambda: self.recall(user, topic),
            lambda: self.send("freshness", {200}, "GET", f"/v1/users/{quoted(user)}/freshness"),
            lambda: self.send("journal", {200}, "GET", f"/v1/users/{quoted(user)}/interactions?limit=5"),
            lambda: self.send("memories", {200}, "GET", f"/v1/users/{quoted(user)}/memories?limit=5"),
            lambda: self.send("graph", {200}, "GET", f"/v1/users/{quoted(user)}/graph"),
            lambda: self.send("probe", {200}, "GET", self.random.choice(["/healthz", "/readyz", "/metrics"])),
            lambda: self.send("contract", {200}, "GET", "/openapi.json"),
            lambda: self.send("queue", {200}, "GET", "/v1/admin/queue"),
        ]
        self.random.choice(kinds)()

    def recall(self, user, topic):
        text = self.send("recall", {200}, "POST", "/v1/recall", {"user_id": user, "query": f"Where is the {topic}?"})
        for other, marker in OTHERS.items():
            if other != user and marker.encode() in text:
                self.wrong.append(("recall", "POST", f"of {user!r}", "shows", other.encode()))

    def bad(self):
        deep = b"[" * 5000 + b"]" * 5000
        user = {"user_id": "mira"}
        kinds = [
            ("empty message", {400, 422}, "/v1/chat", {**user, "message": ""}),
            ("no user", {400, 422}, "/v1/chat", {"message": "hello"}),
            ("empty user", {400, 422}, "/v1/chat", {"user_id": "", "message": "hello"}),
            ("long user", {400, 422}, "/v1/chat", {"user_id": "u" * 257, "message": "hello"}),
            ("control character in the user", {400, 422}, "/v1/chat", {"user_id": "a\x00b", "message": "hello"}),
            ("unknown field", {400, 422}, "/v1/chat", {**user, "message": "hello", "colour": 1}),
            ("wrong type", {400, 422}, "/v1/recall", {**user, "query": 7}),
            ("negative limit", {400, 422}, "/v1/recall", {**user, "query": "q", "limit": -1}),
            ("huge limit", {400, 422}, "/v1/recall", {**user, "query": "q", "limit": 10**12}),
            ("invalid UTF-8", {400, 422}, "/v1/chat", b'{"user_id":"mira","message":"\xff\xfe"}'),
            ("half of a JSON", {400, 422}, "/v1/chat", b'{"user_id":"mira","mess'),
            ("deep JSON", {400, 413, 422}, "/v1/interactions", b'{"items":' + deep + b"}"),
            ("an array", {400, 422}, "/v1/chat", b"[]"),
            ("no body", {400, 422}, "/v1/chat", b""),
            ("ten megabytes", {413}, "/v1/chat", b'{"user_id":"mira","message":"' + b"x" * 10_000_000 + b'"}'),
            ("bad item", {400, 422}, "/v1/interactions", {"items": [{**user, "user_message": "a"}, {**user}]}),
            ("bad time", {400, 422}, "/v1/interactions", {**user, "user_message": "a", "timestamp": "soon"}),
        ]
        # The great ones are rare, so that the run is not about them alone.
        weights = [1 if kind == "ten megabytes" else 20 for kind, *_ in kinds]
        kind, expect, path, body = self.random.choices(kinds, weights)[0]
        self.send("bad: " + kind, expect, "POST", path, body)

    def lost(self):
        path = self.random.choice(["/v1/nothing", "/v1/memories/unknown", "/v1/reflections/unknown", "/../etc/passwd"])
        self.send("not there", {400, 404}, "GET", path)
        self.send("wrong method", {404, 405}, "PUT", "/v1/chat", {})
        self.send("bad cursor", {400, 422}, "GET", "/v1/users/mira/memories?cursor=%00nonsense")
        self.send("negative page", {400, 422}, "GET", "/v1/users/mira/interactions?limit=-5")

    def run(self, requests):
        while sum(self.answers.values()) < requests:
            roll = self.random.random()
            if roll < 0.7:
                self.good()
            elif roll < 0.97:
                self.bad()
            else:
                self.lost()
            if self.random.random() < 0.002:
                user = self.random.choice(USERS)
                self.send("forget", {200}, "DELETE", f"/v1/users/{quoted(user)}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--url", default="http://127.0.0.1:8080")
    arguments.add_argument("--requests", type=int, default=10_000)
    arguments.add_argument("--clients", type=int, default=4)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    url = urllib.parse.urlsplit(options.url)
    mixes = [Mix(url.hostname, url.port, options.seed * 1000 + number) for number in range(options.clients)]
    threads = [threading.Thread(target=mix.run, args=(options.requests // options.clients,)) for mix in mixes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = sum((mix.answers for mix in mixes), collections.Counter())
    for (kind, status), count in sorted(answers.items(), key=str):
        print(f"{kind:34} {status!s:10} {count:6}")
    wrong = [each for mix in mixes for each in mix.wrong]
    for each in wrong[:20]:
        print("WRONG", *each)
    print(f"{sum(answers.values())} requests, {len(wrong)} answered otherwise than they should be")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
