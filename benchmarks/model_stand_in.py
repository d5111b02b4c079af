#!/usr/bin/env python3
"""An OpenAI-compatible endpoint that thinks for as long as it is told, and always the same.

    model_stand_in.py [--port 0] [--delay-ms 0]

Answers POST .../chat/completions, streamed or not, and POST .../embeddings, after the delay; everything else with 404. What
reflection asks is answered in its form (reflecting_model.py), anything else with one sentence. The first line on standard
output says where it listens. Runs until SIGTERM. For benchmarks: what it says is of no use.
"""

import argparse
import asyncio
import hashlib
import json

from reflecting_model import reflection, turns_shown

ANSWER = "Thank you, I will keep that in mind."
DIMENSIONS = 384


def vector_of(text):
    """The same for the same text, of length one or near it."""
    digest = hashlib.sha256(text.encode()).digest()
    return [(digest[i % len(digest)] - 127.5) / 1500 for i in range(DIMENSIONS)]


def completion(request):
    turns = turns_shown(request)
    answer = reflection(turns) if turns else ANSWER
    if not request.get("stream", False):
        body = json.dumps({"id": "c", "object": "chat.completion", "model": "stand-in", "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
        return "application/json", body.encode()
    events = []
    for delta, reason in (({"role": "assistant", "content": answer}, None), ({}, "stop")):
        events.append("data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "model": "stand-in", "choices": [
            {"index": 0, "delta": delta, "finish_reason": reason}]}))
    return "text/event-stream", ("\n\n".join(events) + "\n\ndata: [DONE]\n\n").encode()


def embeddings(request):
    texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
    body = json.dumps({"object": "list", "model": "stand-in", "usage": {"prompt_tokens": 1, "total_tokens": 1}, "data": [
        {"object": "embedding", "index": index, "embedding": vector_of(text)} for index, text in enumerate(texts)]})
    return "application/json", body.encode()


async def serve_one(reader, writer, delay_s):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    lengths = [value for name, value in fields.items() if name.lower() == "content-length"]
    body = await reader.readexactly(int(lengths[0])) if lengths else b""
    path = head.split(" ", 2)[1]
    await asyncio.sleep(delay_s)
    status, kind, answer = "200 OK", "application/json", b"{}"
    if path.endswith("/chat/completions"):
        kind, answer = completion(json.loads(body))
    elif path.endswith("/embeddings"):
        kind, answer = embeddings(json.loads(body))
    else:
        status = "404 Not Found"
    writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)
    await writer.drain()


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0)
    options = parser.parse_args()

    async def connection(reader, writer):
        try:
            while True:
                await serve_one(reader, writer, options.delay_ms / 1000)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", options.port)
    print(f"ready on http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
