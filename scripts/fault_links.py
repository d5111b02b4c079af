"""Links between processes and servers that can be broken: a TCP forwarder, and a network namespace.

Python's standard library and, for the namespace, iproute2 and nftables. Methods may be called from any thread; one thread of its own carries
the bytes of all links.
"""

import asyncio
import os
import random
import shutil
import socket
import struct
import subprocess
import threading
import urllib.parse

CHUNK = 65536


class _Loop:
    """An event loop on a thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()


class Link:
    """What listens at `port` of 127.0.0.1 and leads to a server.

    A delay holds for what arrives from then on. A lossy link is what TCP makes of one: one piece in ten comes when it has been sent
    again, 0.2 s later. A hole swallows nothing: connections are accepted and stay open, and nothing
    moves until it is filled, as when a cable is cut and mended. A reset ends every connection with RST; a cut does so to
    each connection after so many bytes more from the server, wherever in an answer that is.
    """

    _threads = None

    def __init__(self, host, port):
        if Link._threads is None:
            Link._threads = _Loop()
        self._target = (host, port)
        self._delay = 0.0
        self._lossy = False
        self._cut_after = None
        self._writers = set()
        self._open = asyncio.Event()
        self._open.set()
        self.port = Link._threads.call(self._listen("127.0.0.1", 0))

    def listen_also_at(self, address):
        """At the same port of another address of this machine."""
        Link._threads.call(self._listen(address, self.port))

    def delay(self, seconds):
        self._delay = seconds

    def lose_some(self):
        self._lossy = True

    def dig_hole(self):
        Link._threads.call(self._set_hole(True))

    def fill_hole(self):
        Link._threads.call(self._set_hole(False))

    def reset(self):
        Link._threads.call(self._reset())

    def cut_after(self, size):
        self._cut_after = size

    def mend(self):
        self._delay, self._lossy, self._cut_after = 0.0, False, None
        self.fill_hole()

    async def _listen(self, address, port):
        server = await asyncio.start_server(self._serve, address, port)
        return server.sockets[0].getsockname()[1]

    async def _set_hole(self, hole):
        if hole:
            self._open.clear()
        else:
            self._open.set()

    async def _reset(self):
        for writer in list(self._writers):
            self._reset_one(writer)

    @staticmethod
    def _reset_one(writer):
        peer = writer.get_extra_info("socket")
        if peer is not None and peer.fileno() >= 0:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        upstream = None
        try:
            await self._open.wait()
            upstream_reader, upstream = await asyncio.open_connection(*self._target)
            self._writers.add(upstream)
            await asyncio.gather(self._carry(reader, upstream, False, writer),
                                 self._carry(upstream_reader, writer, True, writer))
        except OSError:
            pass  # The server is away or the connection was reset: both ends are closed below.
        finally:
            for end in (writer, upstream):
                if end is not None:
                    self._writers.discard(end)
                    end.close()

    async def _carry(self, reader, writer, from_server, client):
        carried, limit = 0, None
        while chunk := await reader.read(CHUNK):
            late = self._delay + (0.2 if self._lossy and random.random() < 0.1 else 0)
            if late:
                await asyncio.sleep(late)
            await self._open.wait()
            if from_server and self._cut_after is not None:
                limit = carried + self._cut_after if limit is None else limit
                if carried + len(chunk) > limit:
                    writer.write(chunk[:max(limit - carried, 0)])
                    await writer.drain()
                    self._reset_one(client)
                    return
            carried += len(chunk)
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def at_address(url, address, port):
    """The same server's URL, reached elsewhere."""
    parts = urllib.parse.urlsplit(url)
    credentials = "".join(parts.netloc.rpartition("@")[:2])
    return urllib.parse.urlunsplit(parts._replace(netloc=f"{credentials}{address}:{port}"))


def through_links(urls):
    """The URLs of servers, by name, led through links: the new URLs and the links by the same names."""
    links = {}
    for name, url in urls.items():
        parts = urllib.parse.urlsplit(url)
        links[name] = Link(parts.hostname, parts.port)
    return {name: at_address(url, "127.0.0.1", links[name].port) for name, url in urls.items()}, links


class Namespace:
    """A network namespace with one cable to this one, and what a forwarder cannot show, since it accepts: with the cable out
    packets go nowhere, those that ask for a connection too; on a lossy cable each packet may be lost, in both directions; on one that
    resets, each packet of a connection is answered with RST at both of its ends."""

    HERE, THERE = "10.213.77.1", "10.213.77.2"

    def __init__(self, name):
        self.name, self._cable = name, f"um{os.getpid() % 1_000_000}"
        _ip("netns", "add", name)
        try:
            _ip("link", "add", self._cable, "type", "veth", "peer", "name", "cable", "netns", name)
            _ip("addr", "add", self.HERE + "/30", "dev", self._cable)
            _ip("link", "set", self._cable, "up")
            for arguments in (("link", "set", "lo", "up"), ("addr", "add", self.THERE + "/30", "dev", "cable"),
                              ("link", "set", "cable", "up")):
                _ip("-n", name, *arguments)
        except subprocess.CalledProcessError:
            self.remove()
            raise

    @staticmethod
    def missing():
        """Why there can be none here; empty when there can."""
        if os.geteuid() != 0:
            return "only root may make one"
        for program, package in (("ip", "iproute2"), ("nft", "nftables")):
            if not shutil.which(program):
                return f"the program {program} of {package} is not there; scripts/setup --services installs it"
        lists = subprocess.run(["nft", "list", "ruleset"], capture_output=True, check=False)
        return "" if lists.returncode == 0 else "this kernel has no nf_tables, which packets are lost with"

    def command(self, arguments):
        return ["ip", "netns", "exec", self.name] + arguments

    def pull_cable(self):
        _ip("link", "set", self._cable, "down")

    def plug_cable(self):
        _ip("link", "set", self._cable, "up")

    def lose_packets(self, percent):
        self._at_the_cable(f"numgen random mod 100 < {percent} drop")

    def reset_connections(self):
        self._at_the_cable("meta l4proto tcp reject with tcp reset")

    def mend(self):
        self._nft("flush ruleset")

    def _at_the_cable(self, rule):
        self._nft(f"""flush ruleset
            table inet cable {{
                chain incoming {{ type filter hook input priority 0; iif lo accept; {rule}; }}
                chain outgoing {{ type filter hook output priority 0; oif lo accept; {rule}; }}
            }}""")

    def _nft(self, rules):
        subprocess.run(self.command(["nft", "-f", "-"]), input=rules, text=True, capture_output=True, check=True)

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)


def _ip(*arguments):
    subprocess.run(["ip", *arguments], capture_output=True, check=True)
