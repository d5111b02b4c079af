#!/usr/bin/env python3
"""Shows that a chat takes as long beside a backlog of reflection as without one.

    chat_beside_backlog.py [BINARY] [--jobs N] [--chats N] [--clients C] [--delay-ms MS] [--rounds R] [--port P]

Starts a model of its own that takes --delay-ms for every answer, and the program on a fresh folder. C clients chat, each
for users of its own, a hundred milliseconds apart; then N turns of two hundred other users are handed in at once, and the
same clients chat again while these are reflected by the same model. This is done --rounds times, each on a fresh folder,
and the medians of the p95 of the two are compared. How long the backlog was at the end of each round is printed: a round
whose backlog was gone before its chats were counts for nothing. The last line is a JSON object; the exit status is 1 when
p95 beside the backlog is more than a twentieth above the other.
"""

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAUSE_SECONDS = 0.1
ALLOWED = 1.05
PLACES = ("Porto", "Lyon", "Trieste", "Oslo", "Ghent", "Turin", "Graz", "Bergen")


def call(connection, method, path, body=None):
    connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
    return json.loads(text)


def chat(options, prefix, totals, overheads):
    """One thread a client; milliseconds that a client sees and that the program says are its own."""
    lock = threading.Lock()

    def client(number):
        connection = http.client.HTTPConnection("127.0.0.1", options.port, timeout=60)
        for i in range(options.chats // options.clients):
            said = f"On day {i} I repaired a lamp in {PLACES[(i + number) % len(PLACES)]}."
            start = time.perf_counter()
            answer = call(connection, "POST", "/v1/chat", {"user_id": f"{prefix}{number}-{i % 10}", "message": said})
            took = (time.perf_counter() - start) * 1e3
            with lock:
                totals.append(took)
                overheads.append(answer["timings_ms"]["total"] - answer["timings_ms"]["model"])
            time.sleep(PAUSE_SECONDS)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def p95(values):
    return sorted(values)[int(len(values) * 0.95)]


def backlog(connection):
    queue = call(connection, "GET", "/v1/admin/queue")
    return sum(queue["depth"].values()) + queue["leased"] + queue["retrying"]


def one_round(options, model_url):
    folder = tempfile.mkdtemp(prefix="umbranet-backlog-")
    server = subprocess.Popen([options.binary, "serve", "--listen", f"127.0.0.1:{options.port}", "--data", folder],
                              env={**os.environ, "OPENAI_BASE_URL": model_url}, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    try:
        server.stdout.readline()
        connection = http.client.HTTPConnection("127.0.0.1", options.port, timeout=120)
        chat(options, "warm", [], [])
        while backlog(connection) > 0:
            time.sleep(0.2)
        idle, beside = ([], []), ([], [])
        chat(options, "before", *idle)
        for first in range(0, options.jobs, 500):
            items = [{"user_id": f"backlog{i % 200}", "user_message": f"On day {i} I repaired a lamp in Porto."}
                     for i in range(first, min(first + 500, options.jobs))]
            call(connection, "POST", "/v1/interactions", {"items": items})
        waiting = backlog(connection)
        chat(options, "after", *beside)
        left = backlog(connection)
        print(f"idle p95 {p95(idle[0]):.1f} ms (own {p95(idle[1]):.2f}); beside {waiting} to {left} waiting jobs "
              f"p95 {p95(beside[0]):.1f} ms (own {p95(beside[1]):.2f})", flush=True)
        return (p95(idle[0]), p95(beside[0]), p95(idle[1]), p95(beside[1])) if left > 0 else None
    finally:
        server.terminate()
        server.wait(timeout=30)
        server.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", nargs="?", default=os.path.join(SOURCE, "build/release/bin/umbranet"))
    arguments.add_argument("--jobs", type=int, default=10_000)
    arguments.add_argument("--chats", type=int, default=800)
    arguments.add_argument("--clients", type=int, default=8)
    arguments.add_argument("--delay-ms", type=int, default=300)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--port", type=int, default=18_310)
    options = arguments.parse_args()
    model = subprocess.Popen([sys.executable, os.path.join(SOURCE, "benchmarks/model_stand_in.py"), "--delay-ms",
                              str(options.delay_ms)], stdout=subprocess.PIPE, text=True)
    try:
        model_url = model.stdout.readline().split()[-1]
        rounds = [figures for _ in range(options.rounds) if (figures := one_round(options, model_url))]
    finally:
        model.terminate()
        model.wait(timeout=10)
        model.stdout.close()
    if not rounds:
        raise SystemExit("no round had a backlog to the end: hand in more --jobs")
    idle, beside, idle_own, beside_own = (statistics.median(column) for column in zip(*rounds))
    print(json.dumps({"rounds": len(rounds), "idle_p95_ms": round(idle, 1), "beside_p95_ms": round(beside, 1),
                      "ratio": round(beside / idle, 3), "idle_own_p95_ms": round(idle_own, 2),
                      "beside_own_p95_ms": round(beside_own, 2)}))
    sys.exit(0 if beside <= ALLOWED * idle else 1)


if __name__ == "__main__":
    main()
