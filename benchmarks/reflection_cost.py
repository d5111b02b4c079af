#!/usr/bin/env python3
"""Shows what reflection with a language model costs, and that bad answers lose, repeat and waste nothing.

    reflection_cost.py [BINARY] [--turns N] [--users U] [--seconds S] [--latency S] [--at-once N] [--batch N] [--port P]
    reflection_cost.py [BINARY] --faults [...]

Starts a model of its own that answers in the form it is asked for, and the program on a fresh folder. N turns of U users are
handed in over HTTP, evenly over S seconds (0: as fast as it goes). The model takes --latency seconds, --at-once calls run
at a time.

Without --faults the same turns are then handed in once more with batching off (each turn at once and alone, a model that
answers at once), and the two runs are compared: calls and prompt bytes a turn. The time of a turn is from accepted_at to
reflected_at, as the program says them.

--faults: 10 % of the calls are answered 429 (half of them with Retry-After), 5 % with a torn answer, 5 % with a 5xx and 1 %
hang. Then every turn must be reflected by the model, and answered well once. The least number of calls is one for each good
answer and one for each fault that was met: no program could do with less.

The last line is a JSON object; the exit status is 1 when a bound is not kept. EMBEDDER is off.
"""

import argparse
import http.client
import http.server
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from reflecting_model import PLACES, reflection, turns_shown

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CALLS_A_TURN_MAX = 0.2
BYTES_SHARE_MAX = 0.5
P99_SECONDS_MAX = 30
SILENCE_SECONDS = 300  # Without any progress it is stuck.


def say(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)


class Model:
    """Answers as a model would that understands where its user's lamps are; counts what it is asked."""

    def __init__(self, port, latency, faults, seed):
        self.latency, self.faults = latency, faults
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.calls = self.bytes = self.running = self.running_max = 0
        self.met = {"429": 0, "torn": 0, "5xx": 0, "hang": 0}
        self.good = 0
        self.answered = {}  # Text of a turn -> good answers.
        self.stopping = threading.Event()
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.reply(200, {"data": []})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                model.answer(self, body)

            def reply(self, status, value, headers=()):
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, text in headers:
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(data)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def fault(self):
        if not self.faults:
            return None
        draw = self.random.random()
        for kind, share in (("429", 0.10), ("torn", 0.05), ("5xx", 0.05), ("hang", 0.01)):
            if draw < share:
                self.met[kind] += 1
                return kind
            draw -= share
        return None

    def answer(self, handler, body):
        with self.lock:
            self.calls += 1
            self.bytes += len(body)
            self.running += 1
            self.running_max = max(self.running_max, self.running)
            fault = self.fault()
            patience = self.met["429"] % 2 == 1
        try:
            if fault == "hang":
                with self.lock:
                    self.running -= 1  # The caller leaves; what hangs here is only this script.
                self.stopping.wait(600)
                handler.close_connection = True
                return
            self.stopping.wait(self.latency)
            with self.lock:
                self.running -= 1  # Before the answer leaves: who reads it may ask the next at once.
            if fault == "429":
                handler.reply(429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}},
                              [("Retry-After", "1")] if patience else [])
            elif fault == "5xx":
                handler.reply(503, {"error": {"message": "overloaded", "type": "server_error"}})
            else:
                self.complete(handler, json.loads(body), fault == "torn")
        except (BrokenPipeError, ConnectionResetError):
            pass

    def complete(self, handler, request, torn):
        turns = turns_shown(request)
        text = reflection(turns)
        text = text[: len(text) // 2] if torn else text
        handler.reply(200, {"id": "c", "object": "chat.completion", "model": request["model"],
                            "choices": [{"index": 0, "finish_reason": "stop",
                                         "message": {"role": "assistant", "content": text}}],
                            "usage": {"prompt_tokens": len(json.dumps(request)) // 4, "completion_tokens": len(text) // 4}})
        if not torn:
            with self.lock:
                self.good += 1
                for _, said in turns:
                    self.answered[said] = self.answered.get(said, 0) + 1

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()


class Program:
    def __init__(self, options, port, model_port, settings):
        self.port = port
        self.folder = tempfile.mkdtemp(prefix="reflection_cost_")
        self.log = open(os.path.join(self.folder, "log"), "w", encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(
            ("UMBRANET_", "OPENAI_", "REFLECT", "EMBED", "EXTRACTOR"))}
        environment.update(OPENAI_BASE_URL=f"http://127.0.0.1:{model_port}/v1", OPENAI_MODEL="stand-in", EMBEDDER="off",
                           REFLECTOR_WORKERS=str(options.at_once + 1), REFLECTION_CONCURRENCY=str(options.at_once))
        environment.update(settings)
        self.process = subprocess.Popen(
            [options.binary, "serve", "--listen", f"127.0.0.1:{port}", "--data", os.path.join(self.folder, "data")],
            env=environment, stdout=self.log, stderr=self.log)
        self.connection = None
        for _ in range(600):
            try:
                if self.ask("GET", "/readyz")["status"]:
                    return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"the program did not start; see {self.folder}/log")

    def ask(self, method, path, body=None):
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                        {"Content-Type": "application/json"})
                answer = self.connection.getresponse()
                data = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self.connection = None
                if attempt == 2:
                    raise
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {data[:300]}")
        return json.loads(data)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
        shutil.rmtree(self.folder)


def hand_in(program, options):
    """The turns in the order of their numbers, evenly over the time; their job ids."""
    jobs = []
    begun = time.monotonic()
    for number in range(options.turns):
        wait = begun + options.seconds * number / options.turns - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        place = PLACES[number * 7 % len(PLACES)]
        turn = {"user_id": f"user-{number % options.users}", "interaction_id": f"turn-{number}",
                "user_message": f"I repaired lamp number {number} in {place} this morning, it took a while.",
                "assistant_response": "Good that it works again. Tell me if you need another bulb for it."}
        jobs.append(program.ask("POST", "/v1/interactions", turn)["results"][0]["job_id"])
    return jobs


def wait_reflected(program, options):
    last, moved = -1, time.monotonic()
    while True:
        done = sum(program.ask("GET", f"/v1/users/user-{user}/freshness")["reflected"] for user in range(options.users))
        if done >= options.turns:
            return
        if done != last:
            last, moved = done, time.monotonic()
            say(f"{done} of {options.turns} reflected")
        if time.monotonic() - moved > SILENCE_SECONDS:
            sys.exit(f"stuck at {done}; see {program.folder}/log")
        time.sleep(1)


def seconds_between(earlier, later):
    def moment(text):
        whole, _, fraction = text.rstrip("Z").partition(".")
        return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (fraction or "0"))
    return moment(later) - moment(earlier)


def read_jobs(program, jobs):
    times, fallbacks = [], {}
    for job in jobs:
        status = program.ask("GET", f"/v1/reflections/{urllib.parse.quote(job)}")
        if status["status"] != "reflected":
            sys.exit(f"job {job} is {status['status']}")
        times.append(seconds_between(status["accepted_at"], status["reflected_at"]))
        if "fallback" in status:
            fallbacks[status["fallback"]] = fallbacks.get(status["fallback"], 0) + 1
    times.sort()
    return times, fallbacks


def count_episodes(program, options):
    """Turn -> how many episodes of the user's half there are."""
    found = {}
    for user in range(options.users):
        cursor = ""
        while True:
            page = program.ask("GET", f"/v1/users/user-{user}/memories?tier=episodic&limit=500"
                               + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""))
            for item in page["items"]:
                for source in item["sources"]:
                    if source["role"] == "user":
                        found[source["interaction_id"]] = found.get(source["interaction_id"], 0) + 1
            cursor = page.get("next_cursor", "")
            if not cursor:
                break
    return found


def await_last_call(model):
    """Conversations are summed up one after the other behind reflection, and a call that is under way is in no books yet:
    until none has come for a second."""
    until, calls, quiet_since = time.monotonic() + 120, -1, time.monotonic()
    while time.monotonic() < min(until, quiet_since + 1):
        if model.running or model.calls != calls:
            calls, quiet_since = model.calls, time.monotonic()
        time.sleep(0.1)


def run(options, port, latency, faults, settings):
    model = Model(port, latency, faults, seed=6)
    program = Program(options, port + 1, port, settings)
    try:
        jobs = hand_in(program, options)
        wait_reflected(program, options)
        times, fallbacks = read_jobs(program, jobs)
        episodes = count_episodes(program, options)
        await_last_call(model)
        usage = program.ask("GET", "/v1/admin/usage")
    finally:
        program.stop()
        model.stop()
    booked = sum(row["calls"] for row in usage["total"])
    return {"turns": options.turns, "calls": model.calls, "calls_booked": booked,
            "calls_a_turn": round(model.calls / options.turns, 4), "prompt_bytes_a_turn": round(model.bytes / options.turns),
            "at_once_max": model.running_max, "p50_s": round(times[len(times) // 2], 2),
            "p99_s": round(times[int(len(times) * 0.99) - 1], 2), "max_s": round(times[-1], 2), "fallbacks": fallbacks,
            "turns_with_episode": len(episodes), "turns_doubled": sum(1 for count in episodes.values() if count > 1),
            "answered_twice": sum(1 for count in model.answered.values() if count > 1),
            "good_answers": model.good, "faults_met": model.met, "calls_least": model.good + sum(model.met.values())}


def judge(options, result, alone):
    checks = {"every turn is reflected": result["turns_with_episode"] == options.turns,
              "none twice": result["turns_doubled"] == 0 and result["answered_twice"] == 0,
              "all calls are in the books": result["calls"] == result["calls_booked"],
              "no more calls at once than may be": result["at_once_max"] <= options.at_once}
    if alone is not None:
        share = result["prompt_bytes_a_turn"] / alone["prompt_bytes_a_turn"]
        result["bytes_share_of_turn_by_turn"] = round(share, 3)
        checks[f"at most {CALLS_A_TURN_MAX} calls a turn"] = result["calls_a_turn"] <= CALLS_A_TURN_MAX
        checks[f"at most {BYTES_SHARE_MAX:.0%} of the bytes turn by turn"] = share <= BYTES_SHARE_MAX
        checks[f"p99 within {P99_SECONDS_MAX} s"] = result["p99_s"] <= P99_SECONDS_MAX
    else:
        checks["no call more than the least possible"] = result["calls"] == result["calls_least"]
    for name, kept in checks.items():
        say(("kept      " if kept else "NOT KEPT  ") + name)
    return all(checks.values())


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", nargs="?", default=os.path.join(SOURCE, "build/release/bin/umbranet"))
    arguments.add_argument("--turns", type=int, default=1000)
    arguments.add_argument("--users", type=int, default=20)
    arguments.add_argument("--seconds", type=float, default=100)
    arguments.add_argument("--latency", type=float, default=2.0)
    arguments.add_argument("--at-once", type=int, default=4)
    arguments.add_argument("--batch", type=int, default=0, help="0: the program's own default")
    arguments.add_argument("--port", type=int, default=19200)
    arguments.add_argument("--faults", action="store_true")
    options = arguments.parse_args()
    together = {"REFLECTION_TIMEOUT": "8"}
    if options.batch:
        together["REFLECTOR_BATCH_SIZE"] = str(options.batch)
    result = run(options, options.port, options.latency, options.faults, together)
    alone = None
    if not options.faults:
        say("once more, turn by turn")
        options.seconds = 0
        alone = run(options, options.port, 0.0, False, {"REFLECTOR_BATCH_SIZE": "1", "REFLECTION_QUIET_MS": "0"})
    kept = judge(options, result, alone)
    print(json.dumps({"result": result, "turn_by_turn": alone, "kept": kept}))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
