"""Reading JSON lines from a process that may be hostile: bounded in bytes, never blocking, never trusting."""

import json
import socket
from typing import Any

_CHUNK = 1 << 16


class ProtocolError(Exception):
    """The process sent something that is no frame, too much, or at the wrong time."""


class OversizeError(ProtocolError):
    """The process sent a message larger than the output limit."""


class ControlSocket:
    """The parent's end of a control socket: one JSON object per line, at most ``limit`` bytes each."""

    def __init__(self, connection: socket.socket, *, limit: int) -> None:
        connection.setblocking(False)
        self.connection = connection
        self._limit = limit
        self._buffer = bytearray()

    def receive(self) -> dict[str, Any] | None:
        """Return the next message if it is there, or None; raises EOFError at the end, ProtocolError if malformed."""
        while b"\n" not in self._buffer:
            try:
                data = self.connection.recv(_CHUNK)
            except BlockingIOError:
                return None
            except ConnectionError:
                data = b""
            if not data:
                raise EOFError
            self._buffer += data
            if len(self._buffer) > self._limit:
                raise OversizeError("a message larger than the output limit")
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        return _parse(line)

    def request(self) -> None:
        """Ask for the next call's result; raises ProtocolError if something arrived unasked."""
        try:
            early = bool(self._buffer) or bool(self.connection.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            early = False
        except ConnectionError:
            early = False
        if early:
            raise ProtocolError("a message before it was asked for")
        try:
            self.connection.send(b".")
        except ConnectionError:
            raise EOFError from None

    def close(self) -> None:
        """Close the parent's end."""
        self.connection.close()


def _parse(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise ProtocolError("a message that is no JSON") from None
    if not isinstance(message, dict):
        raise ProtocolError("a message that is no JSON object")
    return message
