#!/usr/bin/env python3
"""Measures an installation on PostgreSQL, Redis, RabbitMQ and Neo4j beside what these servers do by themselves.

    distributed_bench.py [BINARY] [--load HTTP_LOAD] [--seconds S]

On the servers of scripts/services, which are started when they are not up, in an installation of its own that is removed at the
end (UMBRANET_KEYSPACE). One API process; the model is model_stand_in.py; EMBEDDER is off but where said.

  bare     a lone INSERT that waits for the disk, a lone confirm of a quorum queue, a lone round trip to Redis, a lone
           request to Neo4j: one after the other on one connection (bare_servers.py)
  chat     POST /v1/chat by 8 clients without a pause against a model that answers at once: the server's own overhead; and
           what one chat costs the servers, in transactions and calls, by their own counters
  turns    POST /v1/interactions by 64 clients, each turn durable before it is answered
  reflect  two reflector processes on what has gathered, in turns a second: rules, no model; 10,000 turns of 500 users, and
           2,000 of as many users, whose batches have one turn
  scale    the same with one reflector and then two, when a model extracts that takes 300 ms a batch (EXTRACTOR=model,
           OPENAI_BASE_URL); how many turns the rules had to stand in for is counted

No reflector runs during chat and turns: what these cost is theirs. A markdown table, and as the last line the same as JSON.
Everything is on one machine: it says what the program adds there, not what a cluster does.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(SOURCE, "scripts"))

import bare_servers
from distributed_processes import Process, environment, start_servers, stop_all, url_of, wait_until
from fleet_stores import Neo4j, Postgres
from interruption import interrupt_once

FOLDER = os.path.join(SOURCE, "build", "distributed_bench")
MODEL_MS = 300
SCALE_TURNS, SCALE_USERS = 3_000, 300
REFLECTED = {"of_500_users": (10_000, 500), "of_a_user_each": (2_000, 2_000)}  # Turns and their users.
WINDOW_SECONDS = 45  # Of one measurement of reflection, at most.
SCALE_SECONDS = 15


def percentile(times, share):
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else 0


def spread(times):
    return {"p50_ms": percentile(times, 0.5), "p95_ms": percentile(times, 0.95), "calls": len(times)}


class Bench:
    def __init__(self, options, urls):
        self.options, self.urls = options, urls
        self.keyspace = f"bench_{os.getpid()}_{int(time.time())}"
        self.postgres = Postgres(urls["POSTGRES_URL"], self.keyspace)
        self.graph = Neo4j(urls["NEO4J_URL"], self.keyspace)
        self.processes = []

    def start(self, name, command, **settings):
        variables = environment(self.urls, UMBRANET_KEYSPACE=self.keyspace, UMBRANET_LOG_LEVEL="warning",
                                **{"EMBEDDER": "off", **settings})
        process = Process(FOLDER, name, command[0], command[1:], variables)
        self.processes.append(process)
        return process, process.wait_ready()

    def model(self, delay_ms):
        """The address of a stand-in that takes so long."""
        command = [sys.executable, os.path.join(SOURCE, "benchmarks", "model_stand_in.py"), "--delay-ms", str(delay_ms)]
        return url_of(self.start(f"model-{delay_ms}", command)[1])

    def migrate(self):
        variables = environment(self.urls, UMBRANET_KEYSPACE=self.keyspace)
        subprocess.run([self.options.binary, "migrate"], env=variables, check=True, stdout=subprocess.DEVNULL)

    def api(self, **settings):
        process, line = self.start("api", [self.options.binary, "serve", "--role", "api", "--listen", "127.0.0.1:0"], **settings)
        return process, int(url_of(line).rsplit(":", 1)[1])

    def load(self, port, mode, **options):
        words = [self.options.load, "--port", str(port), "--mode", mode]
        for name, value in options.items():
            words += ["--" + name, str(value)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=170)
        if done.returncode != 0:
            raise RuntimeError(f"{mode}: {done.stdout}{done.stderr}")
        return done.stdout

    def done_jobs(self):
        return self.postgres.progress()[1]

    def unfinished(self):
        accepted, done, dead = self.postgres.progress()
        return accepted - done - dead

    def stop(self, *processes):
        stop_all(processes)
        self.processes = [process for process in self.processes if process not in processes]

    def close(self):
        stop_all(self.processes)
        self.postgres.drop()
        self.graph.drop()


def measure_bare(bench):
    bench.postgres.rows(f"CREATE SCHEMA IF NOT EXISTS {bench.keyspace}")
    return {"postgres_insert": spread(bare_servers.postgres_insert(bench.postgres, 300)),
            "rabbitmq_confirm": spread(bare_servers.rabbitmq_confirm(bench.urls["RABBITMQ_URL"], 300, bench.keyspace)),
            "redis_round_trip": spread(bare_servers.redis_round_trip(bench.urls["REDIS_URL"], 1_000)),
            "neo4j_request": spread(bare_servers.neo4j_request(bench.urls["NEO4J_URL"], 200))}


def cost_counters(bench):
    """What the servers have done so far: commits of PostgreSQL, script calls of Redis."""
    # Sessions report what they did within a second or two.
    bench.postgres.rows("SELECT pg_sleep(2)")
    commits = bench.postgres.number("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
    return commits, bare_servers.redis_script_calls(bench.urls["REDIS_URL"])


def measure_chat(bench, port):
    bench.load(port, "chat", clients=8, requests=300, users=4000, prefix="warm-")
    before = cost_counters(bench)
    output = bench.load(port, "chat", clients=8, seconds=bench.options.seconds, users=4000, prefix="chat-")
    after = cost_counters(bench)
    overhead = re.search(r"own overhead.* ms: p50 ([\d.]+)  p95 ([\d.]+)  p99 ([\d.]+)", output)
    chats = int(re.search(r"clients: (\d+) requests", output).group(1))
    rate = float(re.search(r"= ([\d.]+)/s", output).group(1))
    return {"p50_ms": float(overhead.group(1)), "p95_ms": float(overhead.group(2)), "p99_ms": float(overhead.group(3)),
            "chats": chats, "chats_per_s": rate, "postgres_transactions_per_chat": round((after[0] - before[0]) / chats, 2),
            "redis_calls_per_chat": round((after[1] - before[1]) / chats, 2)}


def measure_turns(bench, port):
    output = bench.load(port, "interactions", clients=64, seconds=bench.options.seconds, users=500, warmup=200, prefix="turn-")
    latency = re.search(r"latency ms: p50 ([\d.]+)  p95 ([\d.]+)", output)
    return {"turns_per_s": float(re.search(r"= ([\d.]+)/s", output).group(1)), "p50_ms": float(latency.group(1)),
            "p95_ms": float(latency.group(2))}


def reflected_per_second(bench, seconds):
    """From the first job that is done on, for so long or until nothing is left."""
    at_start = bench.done_jobs()
    if not wait_until(lambda: bench.done_jobs() > at_start, 30, 0.05):
        raise RuntimeError("nothing is reflected")
    begun, first = time.monotonic(), bench.done_jobs()
    wait_until(lambda: bench.unfinished() == 0, seconds, 0.2)
    done, elapsed = bench.done_jobs() - first, time.monotonic() - begun
    return {"turns_per_s": round(done / elapsed, 1), "turns": done, "seconds": round(elapsed, 1)}


def start_reflectors(bench, names, **settings):
    return [bench.start(name, [bench.options.binary, "reflect"], **settings)[0] for name in names]


def begin_anew(bench, turns, users, prefix):
    """An installation in which so many turns wait and nothing else."""
    bench.postgres.drop()
    bench.graph.drop()
    bench.migrate()
    api, port = bench.api()
    bench.load(port, "interactions", clients=8, requests=turns, users=users, prefix=prefix)
    bench.stop(api)


def measure_reflection(bench):
    report = {}
    for name, (turns, users) in REFLECTED.items():
        begin_anew(bench, turns, users, "reflect-")
        reflectors = start_reflectors(bench, ("reflector-1", "reflector-2"))
        report[name] = reflected_per_second(bench, WINDOW_SECONDS)
        bench.stop(*reflectors)
    return report


def measure_scale(bench):
    """In an installation of its own, so that nothing else waits for the model."""
    slow = {"EXTRACTOR": "model", "OPENAI_BASE_URL": bench.model(MODEL_MS), "OPENAI_MODEL": "stand-in",
            "REFLECTOR_BATCH_SIZE": "10"}
    rates, by_rules = [], 0
    for count in (1, 2):
        begin_anew(bench, SCALE_TURNS, SCALE_USERS, f"scale{count}-")
        reflectors = start_reflectors(bench, [f"slow-{count}-{number}" for number in range(count)], **slow)
        rates.append(reflected_per_second(bench, SCALE_SECONDS)["turns_per_s"])
        bench.stop(*reflectors)
        by_rules += bench.postgres.number("SELECT count(*) FROM job WHERE fallback <> ''")
    return {"model_ms": MODEL_MS, "turns_by_rules": by_rules, "one_reflector_per_s": rates[0], "two_reflectors_per_s": rates[1],
            "ratio": round(rates[1] / rates[0], 2) if rates[0] else 0}


def table(report):
    bare, chat, turns = report["bare"], report["chat"], report["turns"]
    reflect, scale = report["reflect"], report["scale"]
    insert, confirm = bare["postgres_insert"], bare["rabbitmq_confirm"]
    redis, neo4j = bare["redis_round_trip"], bare["neo4j_request"]

    def times(row):
        return f"p50 {row['p50_ms']} ms, p95 {row['p95_ms']} ms"

    return "\n".join((
        "| what | figure | the bare servers beside it |", "|---|---|---|",
        f"| chat, own overhead, 8 clients, a model of 0 ms | {times(chat)} | INSERT {times(insert)}; Redis {times(redis)};"
        f" Neo4j {times(neo4j)} |",
        f"| one chat | {chat['postgres_transactions_per_chat']} transactions of PostgreSQL, {chat['redis_calls_per_chat']} calls of"
        " Redis"
        " | |",
        f"| durable turns, 64 clients | {turns['turns_per_s']:.0f}/s, {times(turns)} | lone INSERT {1000 / insert['p50_ms']:.0f}/s,"
        f" lone confirm {1000 / confirm['p50_ms']:.0f}/s ({times(confirm)}) |",
        f"| reflection without a model, 2 reflectors | {reflect['of_500_users']['turns_per_s']} turns/s;"
        f" {reflect['of_a_user_each']['turns_per_s']} where each turn is another user's | |",
        f"| reflection by a model that takes {scale['model_ms']} ms a batch, 1 and 2 reflectors |"
        f" {scale['one_reflector_per_s']} and {scale['two_reflectors_per_s']} turns/s, ratio {scale['ratio']};"
        f" {scale['turns_by_rules']} turns left to the rules | |"))


def say(text):
    print(time.strftime("%H:%M:%S ") + text, file=sys.stderr, flush=True)


def measure(bench):
    report = {"bare": measure_bare(bench)}
    say("chat")
    bench.migrate()
    model = {"OPENAI_BASE_URL": bench.model(0), "OPENAI_MODEL": "stand-in"}
    api, port = bench.api(**model)
    report["chat"] = measure_chat(bench, port)
    say("turns")
    report["turns"] = measure_turns(bench, port)
    bench.stop(api)
    say("reflection")
    report["reflect"] = measure_reflection(bench)
    say("scale")
    report["scale"] = measure_scale(bench)
    report["load_average"] = [round(one, 2) for one in os.getloadavg()]
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", default=os.path.join(SOURCE, "build", "release", "bin", "umbranet"))
    parser.add_argument("--load", default=os.path.join(SOURCE, "build", "bench", "bin", "http_load"))
    parser.add_argument("--seconds", type=float, default=10, help="of chat, and of turns")
    options = parser.parse_args()
    for program, how in ((options.binary, "make build"), (options.load, "make bench")):
        if not os.path.exists(program):
            parser.error(f"{program} is not there; {how} makes it")
    options.binary, options.load = os.path.abspath(options.binary), os.path.abspath(options.load)
    interrupt_once()
    bench = Bench(options, start_servers())
    try:
        report = measure(bench)
    finally:
        bench.close()
    print(table(report))
    print(json.dumps(report), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
