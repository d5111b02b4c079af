#!/usr/bin/env python3
"""Fills the disk of each server in turn while clients chat, and shows that it is told, survived and made up for.

    full_disks.py [BINARY] [--server NAME ...] [--seconds S]        as root, who may mount; otherwise it says that it is skipped

PostgreSQL, Redis, RabbitMQ and Neo4j are started by scripts/services in a tree of their own, build/full_disks/tree, the home of each
on a small file system in memory. One API process, one reflector. A file takes all room on one server's disk for S seconds, then
it is removed, and a server that has ended by itself is started again, as its operator would.

Neo4j does not reserve room for its log here, as it otherwise does, or it would write into that for quite some time. Told: a log
or an answer of ours names the server and what to do, when there was anything to tell. Gone on: every chat has been answered with 200, though maybe
degraded. Made up for: two minutes later every answered chat is in the journal once and reflected. The last line is a JSON
object; the exit status is 1 when one of the three does not hold for a server.
"""

import argparse
import errno
import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(SOURCE, "scripts"))

from distributed_processes import (SERVERS, Process, environment, restart_server, start_servers, stop_all, url_of,
                                   wait_until)
from fleet_stores import Postgres
from interruption import interrupt_once

FOLDER = os.path.join(SOURCE, "build", "full_disks")
TREE = os.path.join(FOLDER, "tree")
SERVICES = os.path.join(TREE, "scripts", "services")
MEBIBYTES = {"postgres": 320, "redis": 24, "rabbitmq": 256, "neo4j": 1200}
# Words of what is told, beside the server's name: that room is to be made, or that it takes nothing.
TOLD = ("disk", "room", "takes nothing")
CHAT_SECONDS = 15
MADE_UP_SECONDS = 120
USERS = 8


def say(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)


def home(server):
    return os.path.join(TREE, "build", "services", server)


class Disks:
    def __init__(self):
        self.mounted = []

    def mount(self):
        os.makedirs(TREE)
        for name in ("scripts", ".deps"):
            os.symlink(os.path.join(SOURCE, name), os.path.join(TREE, name))
        for server in SERVERS:
            os.makedirs(home(server))
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEBIBYTES[server]}m,mode=755", "tmpfs", home(server)],
                           check=True)
            self.mounted.append(server)

    def unmount(self):
        for server in self.mounted:
            subprocess.run(["umount", "-l", home(server)], check=False)


class Ballast(threading.Thread):
    """Takes what room there is, and again what a server gives up."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.path = os.path.join(home(server), "ballast")
        self.stopped = threading.Event()

    def run(self):
        with open(self.path, "wb", buffering=0) as file:
            while not self.stopped.is_set():
                try:
                    if file.write(b"x" * 65536) == 65536:
                        continue
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                self.stopped.wait(0.1)

    def remove(self):
        self.stopped.set()
        self.join()
        os.remove(self.path)


class Chatter(threading.Thread):
    def __init__(self, number, port):
        super().__init__(daemon=True)
        self.number, self.port = number, port
        self.answered, self.failures, self.degraded = {}, [], set()
        self.stopped = threading.Event()

    def run(self):
        said = 0
        while not self.stopped.wait(0.02):
            said += 1
            body = json.dumps({"user_id": f"disk/{(self.number * 3 + said) % USERS}",
                               "message": f"My friend Ana {self.number}-{said} lives in Porto. " + "x " * 500})
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CHAT_SECONDS)
            try:
                connection.request("POST", "/v1/chat", body, {"Content-Type": "application/json",
                                                              "Idempotency-Key": str(uuid.uuid4())})
                response = connection.getresponse()
                text = response.read().decode(errors="replace")
                if response.status == 200:
                    answer = json.loads(text)
                    self.answered[answer["interaction_id"]] = said
                    self.degraded.update(answer.get("degraded", []))
                else:
                    self.failures.append(f"{response.status} {text[:300]}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            finally:
                connection.close()


def texts_since(processes, offsets):
    """What the processes have logged since."""
    lines = []
    for process in processes:
        with open(process.log, encoding="utf-8", errors="replace") as file:
            file.seek(offsets[process.log])
            lines += file.read().splitlines()
    return lines


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()


def told(server, lines):
    """The first line that names the server and says something of its disk; empty when there is none."""
    return next((line for line in lines
                 if server in line.lower() and any(word in line.lower() for word in TOLD)), "")


def reflected(postgres):
    try:
        accepted, done, dead = postgres.progress()
    except RuntimeError:
        return False
    return done + dead == accepted


def try_server(server, processes, port, postgres, seconds):
    offsets = {process.log: os.path.getsize(process.log) for process in processes}
    chatters = [Chatter(number, port) for number in range(2)]
    for chatter in chatters:
        chatter.start()
    time.sleep(1)
    ballast = Ballast(server)
    ballast.start()
    lines = []
    for _ in range(int(seconds)):
        time.sleep(1)
        lines.append(ask(port, "/readyz").replace("\n", " "))
    ballast.remove()
    running = subprocess.run([SERVICES, "status", server], capture_output=True, check=False).returncode == 0
    if not running:
        restart_server(server, TREE)
    time.sleep(2)
    for chatter in chatters:
        chatter.stopped.set()
    for chatter in chatters:
        chatter.join()
    begun = time.monotonic()
    answered = set().union(*(chatter.answered for chatter in chatters))
    made_up = wait_until(lambda: reflected(postgres) and answered <= stored(postgres), MADE_UP_SECONDS, 0.5)
    lines = texts_since(processes, offsets) + lines
    failures = [failure for chatter in chatters for failure in chatter.failures]
    return {"chats": len(answered) + len(failures), "failed": len(failures), "failures": failures[:3],
            "degraded": sorted(set().union(*(chatter.degraded for chatter in chatters))),
            "told": told(server, lines + failures)[:400], "survived_by_itself": running, "made_up": made_up,
            "made_up_s": round(time.monotonic() - begun, 1),
            "lost": len(answered - stored(postgres)) if made_up else None,
            "doubled": postgres.number("SELECT count(*) - count(DISTINCT interaction_id) FROM turn") if made_up else None}


def stored(postgres):
    return {row[0] for row in postgres.rows("SELECT interaction_id FROM turn")}


def prove(options):
    urls = start_servers(TREE)
    variables = environment(urls, EMBEDDER="off", UMBRANET_LOG_LEVEL="info", REFLECTOR_RETRY_DELAY="1")
    subprocess.run([options.binary, "migrate"], env=variables, check=True, stdout=subprocess.DEVNULL)
    postgres = Postgres(urls["POSTGRES_URL"], "umbranet")
    processes, report = [], {}
    try:
        processes.append(Process(FOLDER, "api", options.binary,
                                 ["serve", "--role", "api", "--listen", "127.0.0.1:0", "--data",
                                  os.path.join(FOLDER, "data")], variables))
        port = int(url_of(processes[0].wait_ready()).rsplit(":", 1)[1])
        processes.append(Process(FOLDER, "reflector", options.binary, ["reflect"], variables))
        processes[1].wait_ready()
        for server in options.server or SERVERS:
            report[server] = try_server(server, processes, port, postgres, options.seconds)
            say(f"{server}: {report[server]}")
    finally:
        stop_all(processes)
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", default=os.path.join(SOURCE, "build", "release", "bin", "umbranet"))
    parser.add_argument("--server", action="append", choices=SERVERS, help="this one alone; may come again")
    parser.add_argument("--seconds", type=float, default=10, help="that a disk is full")
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    if os.geteuid() != 0:
        say("skipped: full_disks needs root, to mount small file systems")
        return 0
    interrupt_once()
    os.environ["UMBRANET_NEO4J_SETTINGS"] = "db.tx_log.preallocate=false"
    disks = Disks()
    if os.path.exists(SERVICES):
        subprocess.run([SERVICES, "down"], check=False)
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        disks.mount()
        report = prove(options)
    finally:
        subprocess.run([SERVICES, "down"], stdout=subprocess.DEVNULL, check=False)
        disks.unmount()
    print(json.dumps(report), flush=True)
    held = all(one["made_up"] and not one["lost"] and not one["doubled"] and one["failed"] == 0
               and (one["told"] or not one["degraded"]) for one in report.values())
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
