#!/usr/bin/env python3
"""Shows that chats go on behind nginx while processes are restarted and killed, and each server is restarted.

    proxy_proof.py [BINARY] [--clients N] [--rounds N] [--pause S]

Starts scripts/services (it must be this tree's own: the servers are restarted), an installation of its own on it, two API
processes, two reflectors, and nginx with deploy/nginx.conf as it is but for its addresses. Clients chat through nginx without
an end, each chat once and with an Idempotency-Key; nothing is repeated but by nginx. Meanwhile, one after the other: both API
processes are stopped in order and started again (a rolling restart), each is killed with SIGKILL and started again, three times
over, and each of PostgreSQL, Redis, RabbitMQ and Neo4j is stopped and started again.

A chat is a success when its one request was answered with 200 within 10 s. In the end every answered chat must be in the
journal once, and every turn of the journal reflected. The last line is a JSON object; the exit status is 1 when fewer than
99.9 % of the chats succeeded, or a turn was lost, doubled or stuck. EMBEDDER is off; replies are quotations.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(SOURCE, "scripts"))

from distributed_processes import (SERVERS, Process, environment, restart_server, start_servers, stop_all,
                                   wait_until)
from fleet_stores import Neo4j, Postgres
from interruption import interrupt_once

FOLDER = os.path.join(SOURCE, "build", "proxy_proof")
CHAT_SECONDS = 10
SUCCESS_MIN = 0.999
USERS = 40
CALM_SECONDS = 4  # After each fault was healed.
REFLECTED_SECONDS = 120


def say(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Nginx:
    """deploy/nginx.conf on these ports, with its files in a folder of its own."""

    def __init__(self, port, api_ports):
        with open(os.path.join(SOURCE, "deploy", "nginx.conf"), encoding="utf-8") as file:
            text = file.read()
        for shipped, ours in (("listen 127.0.0.1:8090;", port), ("server 127.0.0.1:8080 ", api_ports[0]),
                              ("server 127.0.0.1:8081 ", api_ports[1])):
            if text.count(shipped) != 1:
                raise RuntimeError(f"deploy/nginx.conf has no '{shipped}'")
            text = text.replace(shipped, re.sub(r":\d+", f":{ours}", shipped))
        folder = os.path.join(FOLDER, "nginx")
        os.makedirs(folder, exist_ok=True)
        # Whoever is not root may not write where the package does.
        places = "".join(f"  {kind}_temp_path {folder}/{kind};\n"
                         for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("http {\n", "http {\n" + places, 1))
        self._log = open(os.path.join(FOLDER, "nginx.log"), "wb")
        self._child = subprocess.Popen(
            [shutil.which("nginx") or "/usr/sbin/nginx", "-e", "stderr", "-p", folder, "-c", path,
             "-g", f"daemon off; pid {folder}/pid;"], stderr=self._log, start_new_session=True)
        if not wait_until(lambda: self.answers(port), 10):
            self.stop()
            raise RuntimeError(f"nginx does not answer; see {FOLDER}/nginx.log")

    @staticmethod
    def answers(port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self):
        self._child.terminate()
        self._child.wait()
        self._log.close()


class Installation:
    def __init__(self, binary, urls, keyspace):
        self.binary = binary
        self.variables = environment(urls, UMBRANET_KEYSPACE=keyspace, EMBEDDER="off", UMBRANET_LOG_LEVEL="warning")
        self.proxy_port, *self.ports = free_ports(3)
        self.apis, self.reflectors, self.nginx = [None, None], [], None
        self._started = 0

    def start_api(self, place):
        self._started += 1
        self.apis[place] = Process(FOLDER, f"api{place}-{self._started}", self.binary,
                                   ["serve", "--role", "api", "--listen", f"127.0.0.1:{self.ports[place]}",
                                    "--data", os.path.join(FOLDER, f"data-{place}")], self.variables)
        self.apis[place].wait_ready()

    def start(self):
        subprocess.run([self.binary, "migrate"], env=self.variables, check=True, stdout=subprocess.DEVNULL)
        for place in range(2):
            self.start_api(place)
        for number in range(2):
            self.reflectors.append(Process(FOLDER, f"reflector-{number}", self.binary, ["reflect"], self.variables))
            self.reflectors[-1].wait_ready()
        self.nginx = Nginx(self.proxy_port, self.ports)

    def stop(self):
        if self.nginx is not None:
            self.nginx.stop()
        stop_all([process for process in self.apis + self.reflectors if process is not None])


class Chatter(threading.Thread):
    def __init__(self, number, port, pause):
        super().__init__(daemon=True)
        self.number, self.port, self.pause = number, port, pause
        self.chats = []  # (when it began, seconds, what went wrong or None, interaction id)
        self.degraded = 0
        self.stopped = threading.Event()

    def run(self):
        connection, said = None, 0
        while not self.stopped.wait(self.pause):
            said += 1
            body = json.dumps({"user_id": f"proxy/{(self.number * 7 + said) % USERS}",
                               "message": f"I repaired lamp {self.number}-{said} this morning. Which lamp was it?"})
            begun = time.monotonic()
            wrong, identity = None, None
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=CHAT_SECONDS)
                connection.request("POST", "/v1/chat", body, {"Content-Type": "application/json",
                                                              "Idempotency-Key": str(uuid.uuid4())})
                response = connection.getresponse()
                answer = response.read()
                if response.status == 200:
                    parsed = json.loads(answer)
                    identity = parsed["interaction_id"]
                    self.degraded += bool(parsed.get("degraded"))
                else:
                    wrong = f"{response.status} {answer[:160].decode(errors='replace')}"
            except (OSError, http.client.HTTPException) as error:
                wrong = repr(error)
                connection.close()
                connection = None
            self.chats.append((begun, time.monotonic() - begun, wrong, identity))


class Faults:
    def __init__(self, installation, rounds):
        self.installation, self.rounds = installation, rounds
        self.windows = []  # (name, begin, end)

    def run(self):
        for number in range(self.rounds * 2):
            self.one("api restarted", lambda place=number % 2: self.restart_api(place))
        for number in range(self.rounds * 2):
            self.one("api killed", lambda place=number % 2: self.kill_api(place))
        for server in SERVERS:
            self.one(f"{server} restarted", lambda server=server: restart_server(server))

    def one(self, name, act):
        begun = time.monotonic()
        act()
        say(f"{name} in {time.monotonic() - begun:.1f} s")
        time.sleep(CALM_SECONDS)
        self.windows.append((name, begun, time.monotonic()))

    def restart_api(self, place):
        if self.installation.apis[place].stop() != 0:
            raise RuntimeError("an API process did not stop in order")
        self.installation.start_api(place)

    def kill_api(self, place):
        self.installation.apis[place].kill()
        time.sleep(1)
        self.installation.start_api(place)


def verdict(postgres, chats, windows):
    answered = {identity for _, _, wrong, identity in chats if wrong is None}
    stuck = 0 if wait_until(lambda: reflected(postgres), REFLECTED_SECONDS, 0.5) else 1
    accepted, done, dead = postgres.progress()
    stored = {row[0] for row in postgres.rows("SELECT interaction_id FROM turn")}
    doubled = accepted - postgres.number("SELECT count(DISTINCT user_message) FROM turn")
    failures = [chat for chat in chats if chat[2] is not None]
    seconds = sorted(chat[1] for chat in chats)
    by_fault = {}
    for name, begin, end in windows:
        inside = [chat for chat in chats if begin <= chat[0] < end]
        figures = by_fault.setdefault(name, {"times": 0, "chats": 0, "failed": 0, "max_s": 0})
        figures["times"] += 1
        figures["chats"] += len(inside)
        figures["failed"] += sum(chat[2] is not None for chat in inside)
        figures["max_s"] = max(figures["max_s"], round(max((chat[1] for chat in inside), default=0), 2))
    return {"chats": len(chats), "failed": len(failures), "success": round(1 - len(failures) / max(len(chats), 1), 5),
            "p50_ms": round(seconds[len(seconds) // 2] * 1000, 1),
            "p99_ms": round(seconds[int(len(seconds) * 0.99)] * 1000, 1),
            "lost": len(answered - stored), "doubled": doubled, "stuck": max(stuck and accepted - done, dead),
            "turns": accepted, "faults": by_fault, "failures": [chat[2] for chat in failures[:5]]}


def reflected(postgres):
    accepted, done, dead = postgres.progress()
    return done + dead == accepted


def prove(options, installation, postgres):
    installation.start()
    chatters = [Chatter(number, installation.proxy_port, options.pause) for number in range(options.clients)]
    begun = time.monotonic()
    for chatter in chatters:
        chatter.start()
    time.sleep(CALM_SECONDS)
    faults = Faults(installation, options.rounds)
    faults.run()
    for chatter in chatters:
        chatter.stopped.set()
    for chatter in chatters:
        chatter.join()
    say("counting")
    chats = [chat for chatter in chatters for chat in chatter.chats]
    report = {"seconds": round(time.monotonic() - begun, 1), **verdict(postgres, chats, faults.windows),
              "degraded": sum(chatter.degraded for chatter in chatters)}
    for name, figures in report["faults"].items():
        say(f"{figures['times']} x {name:20} {figures['chats']:6} chats, {figures['failed']} failed, the longest {figures['max_s']} s")
    say(f"{report['chats']} chats, {report['success']:.3%} answered; {report['lost']} lost, {report['doubled']} doubled,"
        f" {report['stuck']} stuck")
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", default=os.path.join(SOURCE, "build", "release", "bin", "umbranet"))
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3, help="of restarts, and of kills, of both API processes")
    parser.add_argument("--pause", type=float, default=0.05, help="seconds of each client between two chats")
    options = parser.parse_args()
    if not shutil.which("nginx") and not os.path.exists("/usr/sbin/nginx"):
        parser.error("nginx is not there; scripts/setup --services brings it")
    interrupt_once()
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    urls = start_servers()
    keyspace = f"proxy_{os.getpid()}_{int(time.time())}"
    postgres, graph = Postgres(urls["POSTGRES_URL"], keyspace), Neo4j(urls["NEO4J_URL"], keyspace)
    installation = Installation(os.path.abspath(options.binary), urls, keyspace)
    try:
        report = prove(options, installation, postgres)
    finally:
        installation.stop()
        postgres.drop()
        graph.drop()
    print(json.dumps(report), flush=True)
    return 1 if report["success"] < SUCCESS_MIN or report["lost"] or report["doubled"] or report["stuck"] else 0


if __name__ == "__main__":
    sys.exit(main())
