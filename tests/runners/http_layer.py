"""A small HTTP server for tests: JSON in, JSON or a stream of events out, and every way to break off.

server = await serve(handle)          # async def handle(exchange): await exchange.send_json({...})
"""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any


class Exchange:
    """One request and the ways to answer it."""

    def __init__(self, path: str, body: Any, writer: asyncio.StreamWriter) -> None:
        self.path = path
        self.body = body
        self._writer = writer

    async def send_json(self, data: Any, *, status: int = 200, headers: str = "") -> None:
        """Answer with a JSON document."""
        await self.send_bytes(json.dumps(data).encode(), status=status, headers=headers)

    async def send_bytes(self, data: bytes, *, status: int = 200, headers: str = "", length: int | None = None) -> None:
        """Answer with ``data``; ``length`` is what is said of its length."""
        size = len(data) if length is None else length
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n{headers}\r\n"
        self._writer.write(head.encode() + data)
        await self._writer.drain()

    async def begin_stream(self) -> None:
        """Begin to answer with events."""
        self._writer.write(b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        await self._writer.drain()

    async def send_event(self, data: Any) -> None:
        """Send one event; a str goes as it is."""
        line = f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()
        self._writer.write(b"%x\r\n%s\r\n" % (len(line), line))
        await self._writer.drain()

    async def end_stream(self) -> None:
        """End the events."""
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection; ``reset`` does it without a farewell."""
        if reset:
            linger = struct.pack("ii", 1, 0)
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.close()


class HttpServer:
    """A server on the loopback interface that calls ``handle`` for each request; ``port`` is where it listens."""

    def __init__(self, handle: Callable[[Exchange], Awaitable[None]]) -> None:
        self._handle = handle
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self, *, port: int = 0) -> None:
        """Listen on ``port``, 0 for any."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port, backlog=4096, limit=1 << 22)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End it, open connections included."""
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        for _ in range(10):  # turns in which what was accepted becomes a task and closes it; a closed server drops it
            await asyncio.sleep(0)
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await asyncio.sleep(0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._serving.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            sizes = [line.split(":")[1] for line in head.lower().splitlines() if line.startswith("content-length:")]
            data = await reader.readexactly(int(sizes[0]) if sizes else 0)
            await self._handle(
                Exchange(head.split(" ")[1].partition("?")[0], json.loads(data) if data else None, writer)
            )
