"""What the servers do when nobody stands before them: the milliseconds of a lone INSERT that waits for the disk, of a lone
message that the broker confirms, of a lone round trip to Redis, of a lone request to Neo4j. For distributed_bench.py.

Python's standard library and psql. Each function makes one call after the other on one connection and returns the
milliseconds of each, the first few left out. Python's own part is some 0.03 ms of each.
"""

import base64
import http.client
import json
import socket
import struct
import subprocess
import time
import urllib.parse

PAYLOAD = "x" * 512
WARM_UP = 20


def timed(calls, call):
    times = []
    for _ in range(calls + WARM_UP):
        begun = time.perf_counter()
        call()
        times.append((time.perf_counter() - begun) * 1000)
    return times[WARM_UP:]


def postgres_insert(postgres, calls):
    """By psql's own clock; `postgres` is a fleet_stores.Postgres."""
    insert = f"INSERT INTO bare_insert(payload) VALUES('{PAYLOAD}');\n"
    script = ("SET synchronous_commit = on;\nCREATE TABLE bare_insert(id bigserial PRIMARY KEY, payload text);\n"
              "\\timing on\n" + insert * (calls + WARM_UP) + "\\timing off\nDROP TABLE bare_insert;\n")
    times = [float(row[0].split()[1]) for row in postgres.rows(script) if row[0].startswith("Time: ")]
    return times[WARM_UP:]


class Redis:
    """One connection; answers of one line or one bulk string."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), 5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.password:
            user = [urllib.parse.unquote(parts.username)] if parts.username else []
            self.ask("AUTH", *user, urllib.parse.unquote(parts.password))

    def ask(self, *words):
        encoded = [word.encode() for word in words]
        self._socket.sendall(b"".join([b"*%d\r\n" % len(encoded)]
                                      + [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]))
        answer = self._socket.recv(65536)
        if answer.startswith(b"$"):
            head, _, rest = answer.partition(b"\r\n")
            while len(rest) < int(head[1:]):
                rest += self._socket.recv(65536)
            return rest.decode()
        if not answer.startswith((b"+", b":")):
            raise RuntimeError(f"redis: {answer[:200]!r}")
        return answer.decode()

    def close(self):
        self._socket.close()


def redis_round_trip(url, calls):
    redis = Redis(url)
    try:
        return timed(calls, lambda: redis.ask("SET", "bare-round-trip", PAYLOAD, "EX", "60"))
    finally:
        redis.close()


def redis_script_calls(url):
    """Scripts that clients have called since the server's start; each is one round trip."""
    redis = Redis(url)
    try:
        lines = redis.ask("INFO", "commandstats").splitlines()
    finally:
        redis.close()
    return sum(int(line.partition("calls=")[2].partition(",")[0]) for line in lines
               if line.startswith(("cmdstat_evalsha:", "cmdstat_eval:")))


def neo4j_request(url, calls):
    parts = urllib.parse.urlsplit(url)
    credentials = base64.b64encode(f"{parts.username}:{urllib.parse.unquote(parts.password)}".encode()).decode()
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": "Basic " + credentials}
    body = json.dumps({"statements": [{"statement": "RETURN $p.n", "parameters": {"p": {"n": 1}}}]})

    def ask():
        connection.request("POST", "/db/neo4j/tx/commit", body, headers)
        answer = json.load(connection.getresponse())
        if answer.get("errors"):
            raise RuntimeError(f"neo4j: {answer['errors'][0]['code']}")

    return timed(calls, ask)


class Amqp:
    """Just enough of AMQP 0-9-1 to publish with confirms: one channel, one queue, one message at a time."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        login = "\0" + urllib.parse.unquote(parts.username) + "\0" + urllib.parse.unquote(parts.password)
        vhost = urllib.parse.unquote(parts.path[1:]) or "/"
        self._socket.sendall(b"AMQP\0\0\x09\x01")
        self._expect(10, 10)
        self._method(0, 10, 11, struct.pack(">I", 0) + self._short("PLAIN") + self._long(login) + self._short("en_US"))
        tune = self._expect(10, 30)
        self._method(0, 10, 31, tune[:8])
        self._method(0, 10, 40, self._short(vhost) + self._short("") + b"\0")
        self._expect(10, 41)
        self._call(20, 10, self._short(""))

    @staticmethod
    def _short(text):
        return bytes([len(text.encode())]) + text.encode()

    @staticmethod
    def _long(text):
        return struct.pack(">I", len(text.encode())) + text.encode()

    @staticmethod
    def _frame(kind, channel, payload):
        return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"

    def _method(self, channel, family, number, arguments):
        self._socket.sendall(self._frame(1, channel, struct.pack(">HH", family, number) + arguments))

    def _call(self, family, number, arguments):
        self._method(1, family, number, arguments)
        return self._expect(family, number + 1)

    def _take(self, size):
        while len(self._received) < size:
            part = self._socket.recv(65536)
            if not part:
                raise RuntimeError("rabbitmq: the connection was closed")
            self._received += part
        taken, self._received = self._received[:size], self._received[size:]
        return taken

    def _expect(self, family, number):
        """The arguments of that method, which must be the next."""
        while True:
            kind, _, size = struct.unpack(">BHI", self._take(7))
            payload = self._take(size + 1)[:-1]
            if kind == 8:
                continue
            if kind != 1 or struct.unpack(">HH", payload[:4]) != (family, number):
                raise RuntimeError(f"rabbitmq: {payload[:200]!r} instead of method {family}.{number}")
            return payload[4:]

    def confirm_mode(self, queue):
        table = self._short("x-queue-type") + b"S" + self._long("quorum")
        self._call(50, 10, struct.pack(">H", 0) + self._short(queue) + b"\x02" + struct.pack(">I", len(table)) + table)
        self._call(85, 10, b"\0")

    def publish(self, queue):
        header = struct.pack(">HHQHB", 60, 0, len(PAYLOAD), 0x1000, 2)
        self._socket.sendall(
            self._frame(1, 1, struct.pack(">HHH", 60, 40, 0) + self._short("") + self._short(queue) + b"\0")
            + self._frame(2, 1, header) + self._frame(3, 1, PAYLOAD.encode()))
        self._expect(60, 80)

    def remove(self, queue):
        self._call(50, 40, struct.pack(">H", 0) + self._short(queue) + b"\0")
        self._socket.close()


def rabbitmq_confirm(url, calls, queue):
    """Persistent, in a quorum queue, as the program's own are."""
    amqp = Amqp(url)
    amqp.confirm_mode(queue)
    try:
        return timed(calls, lambda: amqp.publish(queue))
    finally:
        amqp.remove(queue)
