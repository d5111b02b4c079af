"""Links between processes and servers that can be broken: a TCP forwarder on loopback.

Python's standard library alone. Methods may be called from any thread; one thread of its own carries the bytes of all links.
"""

import asyncio
import socket
import struct
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

    A delay holds for what arrives from then on. A hole swallows nothing: connections are accepted and stay open, and nothing
    moves until it is filled, as when a cable is cut and mended. A reset ends every connection with RST; a cut does so to
    each connection after so many bytes more from the server, wherever in an answer that is.
    """

    _threads = None

    def __init__(self, host, port):
        if Link._threads is None:
            Link._threads = _Loop()
        self._target = (host, port)
        self._delay = 0.0
        self._cut_after = None
        self._writers = set()
        self._open = None
        self.port = Link._threads.call(self._listen())

    def delay(self, seconds):
        self._delay = seconds

    def dig_hole(self):
        Link._threads.call(self._set_hole(True))

    def fill_hole(self):
        Link._threads.call(self._set_hole(False))

    def reset(self):
        Link._threads.call(self._reset())

    def cut_after(self, size):
        self._cut_after = size

    def mend(self):
        self._delay, self._cut_after = 0.0, None
        self.fill_hole()

    async def _listen(self):
        self._open = asyncio.Event()
        self._open.set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
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
            if self._delay:
                await asyncio.sleep(self._delay)
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


def through_links(urls):
    """The URLs of servers, by name, led through links: the new URLs and the links by the same names."""
    led, links = {}, {}
    for name, url in urls.items():
        parts = urllib.parse.urlsplit(url)
        links[name] = Link(parts.hostname, parts.port)
        address = parts.netloc.rpartition("@")
        led[name] = urllib.parse.urlunsplit(
            parts._replace(netloc="".join(address[:2]) + f"127.0.0.1:{links[name].port}"))
    return led, links
