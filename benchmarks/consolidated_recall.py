#!/usr/bin/env python3
"""Measures what consolidated episodes do to recall: the same questions without them and with them.

    consolidated_recall.py [--program build/release/bin/umbranet] [--port 18095] FILE...

FILE is a conversation file of conversation_sets.py; all of its turns have to be older than 90 days.
The program is started on a fresh folder without a model, every turn is stored and reflected, and
every question is asked. Then it is started again with CONSOLIDATION=true and a model of this
script's own; when it sums nothing up any more, the questions are asked again.

The model understands nothing. Of each episode it keeps the words that are in the fewest others of
the group, in their order, those of the richest episodes first, until the answer is as long as it may
be. So this shows whether summaries displace what answers, which is what they could do harm with, and
not what good ones are worth. Scores are those of recall_quality.py, in which an item takes as many
ranks as it has sources. Python's standard library alone."""
import argparse
import collections
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from recall_quality import Measured, Server, await_reflection, store

EPISODE = re.compile(r'^(e\d+) \S+ (?:user|assistant|".*?"): "(.*)"$', re.MULTILINE)
WORD = re.compile(r"[^\W_][\w'-]*")
WORDS_OF_AN_EPISODE = 12
QUIET_S = 8
WAIT_S = 900


def summary(system, episodes):
    sentences_max, words_max = (int(n) for n in re.search(
        r"At most (\d+) sentences and (\d+) words", system).groups())
    spread = collections.Counter(
        word for _, text in episodes for word in {w.lower() for w in WORD.findall(text)})
    kept = []
    for handle, text in episodes:
        words = WORD.findall(text)
        rare = sorted(range(len(words)), key=lambda i: (spread[words[i].lower()], i))
        chosen = [words[i] for i in sorted(rare[:WORDS_OF_AN_EPISODE])]
        if chosen:
            kept.append((sum(1 / spread[w.lower()] for w in chosen), handle, chosen))
    sentences = []
    words_max = min(words_max, sum(len(WORD.findall(text)) for _, text in episodes) // 2)
    for _, handle, chosen in sorted(kept, reverse=True)[:sentences_max]:
        words_max -= len(chosen)
        if words_max < 0:
            break
        sentences.append({"text": " ".join(chosen) + ".", "from": [handle]})
    return json.dumps({"sentences": sentences})


class Model(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Model.Handler)
        self.calls, self.last_call = 0, time.monotonic()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            self.answer({"data": []})

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            system, asked = (message["content"] for message in request["messages"][:2])
            self.server.calls += 1
            self.server.last_call = time.monotonic()
            self.answer({"id": "c", "object": "chat.completion", "model": "extract", "choices": [
                {"index": 0, "finish_reason": "stop", "message": {
                    "role": "assistant", "content": summary(system, EPISODE.findall(asked))}}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})

        def answer(self, value):
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


class Program:
    def __init__(self, options, folder, **variables):
        self.process = subprocess.Popen(
            [options.program, "serve", "--listen", f"127.0.0.1:{options.port}", "--data", folder],
            env=dict(os.environ, UMBRANET_LOG_LEVEL="warning", **variables))
        self.server = Server(f"http://127.0.0.1:{options.port}", None)
        for _ in range(200):
            try:
                self.server.call("GET", "/readyz")
                return
            except OSError:
                self.server.connection.close()
                time.sleep(0.05)
        sys.exit("the program does not answer")

    def stop(self):
        self.server.connection.close()
        self.process.terminate()
        self.process.wait()


def consolidated(server, users):
    """Their ids."""
    ids = set()
    for user in users:
        cursor = ""
        while cursor is not None:
            page = server.call("GET", "/v1/admin/users/%s/consolidations?limit=100&cursor=%s" % (
                urllib.parse.quote(user), urllib.parse.quote(cursor)))
            ids |= {each["memory_id"] for each in page["consolidations"]}
            cursor = page.get("next_cursor")
    return ids


def await_quiet(program, model, users):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if model.calls > 0 and time.monotonic() - model.last_call > QUIET_S:
            program.server.connection.close()  # The server may have closed it meanwhile.
            return consolidated(program.server, users)
        time.sleep(0.2)
    sys.exit(f"it is not through after {WAIT_S} s; the model was called {model.calls} times")


def ask_all(server, conversations, made):
    measured, places = Measured(), []
    for user, names, conversation in conversations:
        for question in conversation["questions"]:
            items = measured.ask(server, user, names, question)["items"]
            places += [place for place, item in enumerate(items) if item["memory_id"] in made][:1]
    measured.print()
    if made:
        print(f"questions whose items have one: {len(places)} of {len(measured.took_ms)}; among the first five:"
              f" {sum(place < 5 for place in places)}, the first ten: {sum(place < 10 for place in places)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/umbranet")
    parser.add_argument("--port", type=int, default=18095)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="umbranet-consolidated-")
    model, program = Model(), None
    try:
        program = Program(options, folder)
        conversations = []
        for path in options.files:
            with open(path, encoding="utf-8") as file:
                conversation = json.load(file)
            user = "old-" + conversation["name"]
            conversations.append((user, store(program.server, user, conversation["turns"]), conversation))
            await_reflection(program.server, user)
        print("without consolidated episodes")
        ask_all(program.server, conversations, set())
        program.stop()
        program = Program(options, folder, CONSOLIDATION="true", CONSOLIDATION_EPISODES_MIN="10",
                          OPENAI_BASE_URL=f"http://127.0.0.1:{model.server_port}/v1", OPENAI_MODEL="extract")
        made = await_quiet(program, model, [user for user, _, _ in conversations])
        print(f"\nwith {len(made)} consolidated episodes, of {model.calls} calls")
        ask_all(program.server, conversations, made)
    finally:
        if program is not None:
            program.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
