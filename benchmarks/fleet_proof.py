#!/usr/bin/env python3
"""Shows that many processes lose, repeat and reorder nothing while they are killed.

    fleet_proof.py [BINARY] [--turns N] [--users N] [--seconds S] [--port P]
    fleet_proof.py [BINARY] --rolling ROUNDS [--port P]

Starts scripts/services (it must be this tree's own: RabbitMQ is restarted), an installation of its own on it
(UMBRANET_KEYSPACE), two API processes and three reflectors. N turns of U users are handed in over HTTP; turns of one user in
order, over both API processes. A reflector is killed with SIGKILL every 10 s and started again, RabbitMQ is restarted when a
third and two thirds of the turns are reflected. When all is done the stores are counted, by queries of fleet_stores.py: no
figure but the time is the program's own. EMBEDDER is off.

--seconds S stretches the handing in over S seconds; without, it goes as fast as it can. The last line is a JSON object;
the exit status is 1 when something was lost, doubled, in two hands at once, or out of order. No kill may reorder a user's
turns, however often it hits one. A try that failed for another reason (a server did not answer in time, on a machine that
stood still) may, since later turns do not wait for its 30 s (docs/job_lifecycle.md): turns that were late after such a
failure of their own are counted in out_of_order_after_a_failure, and are the only ones that may be.

--rolling ROUNDS instead: eight clients chat with two API processes, which are stopped with SIGTERM and started again, one
after the other. A client turns to the other process when a connection is refused, and repeats nothing otherwise.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(SOURCE, "scripts"))

from distributed_processes import (Process, as_client, environment, restart_server, start_servers, stop_all, url_of,
                                   wait_until)
from fleet_stores import Neo4j, Postgres, verdict
from interruption import interrupt_once

FOLDER = os.path.join(SOURCE, "build", "fleet_proof")
CITIES = ("Porto", "Lyon", "Trieste", "Oslo", "Ghent", "Turin", "Graz", "Bergen")
NAMES = ("Ana", "Ben", "Chloe", "Dan", "Ella", "Finn", "Grace", "Hugo")
UNITS = ("metric units", "short sentences", "plain English", "bullet points")
FEEDERS = 8
ITEMS = 10  # Turns in one request, each of another user.
SILENCE_SECONDS = 600  # Without any progress it is stuck.


def say(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)


def user_name(number):
    return f"fleet/{number} \"O'Hara\" \u00e9\U0001f642; DROP"


def turn(user, number):
    """What is said; the id tells what it should teach."""
    pick = user * 31 + number
    kind, message = (("fact", f"My friend {NAMES[pick % 8]} lives in {CITIES[pick // 8 % 8]}."),
                     ("rule", f"Please always answer in {UNITS[pick % 4]}."),
                     ("plain", f"I repaired lamp number {pick} this morning."))[number % 3]
    return {"user_id": user_name(user), "interaction_id": f"{kind}-{number}", "user_message": message}


class Fleet:
    """Two API processes and some reflectors; a process that is started again has a new name."""

    def __init__(self, binary, urls, keyspace, options):
        self.binary, self.urls, self.keyspace, self.port = binary, urls, keyspace, options.port
        self.settings = dict(setting.split("=", 1) for setting in options.set)
        self.apis, self.reflectors = [], []
        self._started = 0

    def variables(self, name):
        return environment({**self.urls, "POSTGRES_URL": as_client(self.urls["POSTGRES_URL"], name)},
                           UMBRANET_KEYSPACE=self.keyspace, EMBEDDER="off", UMBRANET_LOG_LEVEL="warning", **self.settings)

    def start(self, role, arguments):
        self._started += 1
        name = f"{role}-{self._started}"
        return Process(FOLDER, name, self.binary, arguments, self.variables(name))

    def start_api(self, number):
        port = self.port + number if self.port else 0
        return self.start(f"api{number}", ["serve", "--role", "api", "--listen", f"127.0.0.1:{port}"])

    def start_all(self, reflectors):
        subprocess.run([self.binary, "migrate"], env=self.variables("migrate"), check=True)
        self.apis = [self.start_api(number) for number in range(2)]
        self.reflectors = [self.start("reflector", ["reflect"]) for _ in range(reflectors)]
        hosts = [url_of(api.wait_ready()).removeprefix("http://") for api in self.apis]
        for reflector in self.reflectors:
            reflector.wait_ready()
        return hosts

    def replace_reflector(self, at):
        """kill -9 and another in its place, without waiting until that is ready; the name of the killed one."""
        killed = self.reflectors[at]
        killed.kill()
        self.reflectors[at] = self.start("reflector", ["reflect"])
        return killed.name

    def stop(self):
        stop_all(self.apis + self.reflectors)


class Feeder(threading.Thread):
    """Hands in the turns of every eighth user, each user's in order. What is not answered is sent again, as it is."""

    def __init__(self, number, hosts, options):
        super().__init__(daemon=True)
        self.number, self.hosts, self.options = number, hosts, options
        self.connections = {}
        self.resent = 0
        self.error = None

    def run(self):
        try:
            self.feed()
        except Exception as error:
            self.error = error

    def feed(self):
        users = range(self.number, self.options.users, FEEDERS)
        each = self.options.turns // self.options.users
        begun = time.monotonic()
        for number in range(each):
            for at in range(0, len(users), ITEMS):
                self.send([turn(user, number) for user in users[at:at + ITEMS]])
            behind = begun + self.options.seconds * (number + 1) / each - time.monotonic()
            if behind > 0:
                time.sleep(behind)

    def send(self, items):
        body = json.dumps({"items": items})
        for attempt in range(100):
            host = self.hosts[(self.number + attempt) % len(self.hosts)]
            try:
                connection = self.connections.setdefault(host, http.client.HTTPConnection(host, timeout=60))
                connection.request("POST", "/v1/interactions", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                text = response.read()
                if response.status in (200, 202):
                    return
                if response.status < 500 and response.status != 429:
                    raise RuntimeError(f"{response.status} {text[:300]}")
            except (OSError, http.client.HTTPException):
                self.connections.pop(host).close()
            self.resent += 1
            time.sleep(min(0.1 * (attempt + 1), 1))
        raise RuntimeError("no API process takes the turns")


class Killer(threading.Thread):
    def __init__(self, fleet, postgres, every):
        super().__init__(daemon=True)
        self.fleet, self.postgres, self.every = fleet, postgres, every
        self.kills = []  # Of a process by name, and when by the server's clock.
        self.stopped = threading.Event()

    def run(self):
        at = 0
        while not self.stopped.wait(self.every):
            now = self.postgres.rows("SELECT clock_timestamp()")[0][0]
            self.kills.append((self.fleet.replace_reflector(at % len(self.fleet.reflectors)), now))
            at += 1

    def stop(self):
        self.stopped.set()
        self.join()


def restart_broker(urls):
    say("restarting RabbitMQ")
    restart_server("rabbitmq")
    with open(os.path.join(SOURCE, "build", "services", "environment"), encoding="utf-8") as file:
        if f"RABBITMQ_URL={urls['RABBITMQ_URL']}\n" not in file.read():
            raise RuntimeError("RabbitMQ came back at another address")
    say("RabbitMQ is back")


def wait_reflected(options, postgres, feeders, urls):
    """Until every turn is; how often RabbitMQ was restarted."""
    restarts, latest, changed, said = 0, (0, 0, 0), time.monotonic(), 0.0
    while True:
        progress = postgres.progress()
        accepted, done, dead = progress
        now = time.monotonic()
        if progress != latest:
            latest, changed = progress, now
        if now - said > 10:
            said = now
            say(f"{accepted} accepted, {done} reflected, {dead} dead")
        errors = [feeder.error for feeder in feeders if feeder.error]
        if errors:
            raise errors[0]
        if accepted >= options.turns and done + dead >= accepted:
            return restarts
        if now - changed > SILENCE_SECONDS:
            say(f"nothing happens any more: {accepted} accepted, {done} reflected, {dead} dead")
            return restarts
        if restarts < options.broker_restarts and done >= options.turns * (restarts + 1) / (options.broker_restarts + 1):
            restart_broker(urls)
            restarts += 1
        time.sleep(0.5)


def measure_takeover(postgres, kills):
    """Of the kills that left leases behind: how many, and the longest times."""
    freed, claimed, leases = [], [], 0
    for process, at in kills:
        one_freed, one_claimed, left = postgres.takeover(process, at)
        if left:
            leases += left
            freed.append(one_freed)
            claimed.append(one_claimed)
    return {"kills_with_leases": len(freed), "leases": leases, "lease_ended_s_max": round(max(freed, default=0), 2),
            "next_claim_s_max": round(max(claimed, default=0), 2),
            "next_claim_s_median": round(sorted(claimed)[len(claimed) // 2], 2) if claimed else 0}


def prove(options, fleet, postgres, graph):
    hosts = fleet.start_all(options.reflectors)
    postgres.install_audit()
    feeders = [Feeder(number, hosts, options) for number in range(FEEDERS)]
    killer = Killer(fleet, postgres, options.kill_every)
    begun = time.monotonic()
    for thread in (*feeders, killer):
        thread.start()
    try:
        restarts = wait_reflected(options, postgres, feeders, fleet.urls)
        seconds = time.monotonic() - begun
    finally:
        killer.stop()
    say("counting")
    report = {"turns": options.turns, "users": options.users,
              **verdict(postgres, graph, [user_name(number) for number in range(options.users)], options.turns),
              "kills": len(killer.kills), "broker_restarts": restarts,
              "requests_sent_again": sum(feeder.resent for feeder in feeders), "seconds": round(seconds, 1),
              "turns_per_s": round(options.turns / seconds, 1), "recovery": measure_takeover(postgres, killer.kills),
              "settings": fleet.settings}
    wrong = ("lost", "duplicated", "overlaps", "applied_outside_a_lease", "dead", "out_of_order_after_kills")
    return report, any(report[name] for name in wrong)


class Chatter(threading.Thread):
    """A new connection for each chat, since one that is kept may be closed while a request is on its way."""

    def __init__(self, number, hosts):
        super().__init__(daemon=True)
        self.number, self.hosts = number, hosts
        self.answered, self.refused, self.degraded, self.failures = 0, 0, 0, []
        self.stopped = threading.Event()

    def run(self):
        chats = 0
        while not self.stopped.is_set():
            chats += 1
            body = json.dumps({"user_id": user_name(self.number), "message": turn(self.number, chats)["user_message"]})
            self.chat(body, chats)

    def chat(self, body, chats):
        for attempt in range(200):
            host = self.hosts[(chats + attempt) % len(self.hosts)]
            connection = http.client.HTTPConnection(host, timeout=60)
            try:
                connection.connect()
            except ConnectionRefusedError:
                self.refused += 1
                time.sleep(0.02 if attempt else 0)
                continue
            try:
                connection.request("POST", "/v1/chat", body,
                                   {"Content-Type": "application/json", "Connection": "close"})
                response = connection.getresponse()
                answer = response.read()
                if response.status != 200:
                    self.failures.append(f"{response.status} {answer[:200]}")
                else:
                    self.answered += 1
                    self.degraded += bool(json.loads(answer).get("degraded"))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            finally:
                connection.close()
            return
        self.failures.append("refused for good")


def roll(options, fleet):
    hosts = fleet.start_all(options.reflectors)
    chatters = [Chatter(number, hosts) for number in range(8)]
    begun = time.monotonic()
    for chatter in chatters:
        chatter.start()
    restarts = 0
    for _ in range(options.rolling):
        for number in range(2):
            time.sleep(2)
            if fleet.apis[number].stop() != 0:
                raise RuntimeError("an API process did not stop in order")
            fleet.apis[number] = fleet.start_api(number)
            fleet.apis[number].wait_ready()
            restarts += 1
            say(f"{restarts} restarts, {sum(chatter.answered for chatter in chatters)} chats answered")
    for chatter in chatters:
        chatter.stopped.set()
    for chatter in chatters:
        chatter.join()
    failures = [failure for chatter in chatters for failure in chatter.failures]
    report = {"restarts": restarts, "chats": sum(chatter.answered for chatter in chatters), "failed": len(failures),
              "failures": failures[:5], "refused_and_repeated": sum(chatter.refused for chatter in chatters),
              "degraded": sum(chatter.degraded for chatter in chatters),
              "seconds": round(time.monotonic() - begun, 1)}
    return report, bool(failures)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", default=os.path.join(SOURCE, "build", "release", "bin", "umbranet"))
    parser.add_argument("--turns", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=0, help="hand the turns in over this time")
    parser.add_argument("--reflectors", type=int, default=3)
    parser.add_argument("--kill-every", type=float, default=10, help="seconds")
    parser.add_argument("--broker-restarts", type=int, default=2)
    parser.add_argument("--rolling", type=int, default=0, help="rounds of restarts under chats, instead")
    parser.add_argument("--port", type=int, default=0, help="of the first API process; the second has the next")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of all processes")
    parser.add_argument("--keep", action="store_true", help="leave the data for whoever wants to look")
    options = parser.parse_args()
    interrupt_once()
    options.turns -= options.turns % options.users
    if options.rolling and not options.port:
        parser.error("--rolling needs --port, since a process comes back at its own")
    urls = start_servers()
    keyspace = f"fleet_{os.getpid()}_{int(time.time())}"
    postgres, graph = Postgres(urls["POSTGRES_URL"], keyspace), Neo4j(urls["NEO4J_URL"], keyspace)
    fleet = Fleet(os.path.abspath(options.binary), urls, keyspace, options)
    try:
        report, failed = roll(options, fleet) if options.rolling else prove(options, fleet, postgres, graph)
    finally:
        fleet.stop()
        if not options.keep:
            postgres.drop()
            graph.drop()
    print(json.dumps(report), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
