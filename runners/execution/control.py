"""What a process says that may be hostile: its lines, bounded in bytes, never blocking, never trusting; its errors.

Error texts are made such as may be shown to a model: no frames or paths of the runner or machine. A traceback names the
program ``solution.py`` and library files by their bare name; it keeps its first line and its last lines within a size.
"""

import json
import re
import secrets
import socket
from typing import Any

_CHUNK = 1 << 16
TOKEN_BYTES = 16
_MESSAGE_BYTES = 1 << 20
_ERROR = b'{"error": "'
_BEGINNING = 1024
_ERROR_CHARACTERS = 1 << 16
_TOKENS_AT_ONCE = 64
_FRAME = re.compile(r'^(\s*File ")([^"]+)(", line \d+.*)$')
_HIDDEN = ("/child.py", "<prelude>", "<frozen importlib", "<frozen runpy")
_PLACE = re.compile(r"(?<![\w./])/(?:[\w.+@~-]+/)+(?=[\w.+-]+\.(?:py|pyc|so)\b)")  # of a library's file in a message
_CUT = "  ...\n"


class ProtocolError(Exception):
    """The process sent something that is no frame, too much, or at the wrong time."""


class OversizeError(ProtocolError):
    """The process sent a message larger than the output limit."""


class ControlSocket:
    """The parent's end of a control socket: one line per message, at most ``limit`` bytes each."""

    def __init__(self, connection: socket.socket, *, limit: int) -> None:
        connection.setblocking(False)
        self.connection = connection
        self._limit = limit
        self._begun = bytearray()  # not a list of pieces: a hostile process may send single bytes
        self._rest = b""
        self._token = b""
        self._tokens: list[bytes] = []

    def receive(self) -> bytes | None:
        """Return the next line if it is there, or None; raises EOFError at the end, OversizeError if too long."""
        data, self._rest = self._rest, b""
        while b"\n" not in data:
            self._begun += data
            if len(self._begun) > self._limit:
                raise OversizeError("a message larger than the output limit")
            try:
                data = self.connection.recv(_CHUNK)
            except BlockingIOError:
                return None
            except ConnectionError:
                data = b""
            if not data:
                raise EOFError
        end, _, self._rest = data.partition(b"\n")
        line = bytes(self._begun) + end
        self._begun.clear()
        return line

    def receive_answer(self) -> bytes | None:
        """Return the line that answers the last request, without its token, as ``receive`` does.

        Raises ProtocolError for a line that repeats another token or none: some thread's, not the call's.
        """
        line = self.receive()
        if line is None:
            return None
        if not line.startswith(self._token):
            raise ProtocolError("a message that answers no request")
        return line[TOKEN_BYTES:]

    def request(self) -> None:
        """Ask for the next call's result; raises ProtocolError if something arrived unasked.

        What is on its way unasked is found with the answer, which then does not begin with its token.
        """
        if self._rest or self._begun:
            raise ProtocolError("a message before it was asked for")
        if not self._tokens:  # many at once: one system call for them all
            random = secrets.token_hex(TOKEN_BYTES // 2 * _TOKENS_AT_ONCE).encode()
            self._tokens = [random[start : start + TOKEN_BYTES] for start in range(0, len(random), TOKEN_BYTES)]
        self._token = self._tokens.pop()
        try:
            self.connection.send(self._token)
        except ConnectionError:
            raise EOFError from None

    def close(self) -> None:
        """Close the parent's end."""
        self.connection.close()


def parse_error(line: bytes) -> str:
    """Return the text of {"error": text}, of a long one its beginning and its end; raises ProtocolError if it is none.

    The one text is all that is decoded: any other JSON of that size may take gigabytes as objects.
    """
    if not line.startswith(_ERROR) or not line.endswith(b'"}'):
        raise ProtocolError("a message that is no JSON")
    try:
        text = json.loads(line[len(_ERROR) - 1 : -1])
    except ValueError:
        raise ProtocolError("a message that is no JSON") from None
    return text if len(text) <= _ERROR_CHARACTERS else f"{text[:_BEGINNING]}\n{text[-_ERROR_CHARACTERS:]}"


def parse_message(line: bytes) -> dict[str, Any]:
    """Return the JSON object that a short line holds; raises ProtocolError if it holds none."""
    if len(line) > _MESSAGE_BYTES:
        raise ProtocolError("a message that is too long")
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise ProtocolError("a message that is no JSON") from None
    if not isinstance(message, dict):
        raise ProtocolError("a message that is no JSON object")
    return message


def clean_traceback(text: str, *, limit: int = 4096) -> str:
    """Return ``text`` without runner frames and machine paths, at most ``limit`` characters."""
    lines: list[str] = []
    dropping = False
    for line in text.replace("\0", "\N{SYMBOL FOR NULL}").splitlines():
        frame = _FRAME.match(line)
        if frame:
            dropping = any(mark in frame[2] for mark in _HIDDEN)
            line = f"{frame[1]}{frame[2].rsplit('/', 1)[-1]}{frame[3]}"
        else:
            dropping = dropping and line.startswith("    ")
            line = line if line.startswith("    ") else _PLACE.sub("", line)
        if not dropping:
            lines.append(line)
    return shorten_middle("\n".join(lines).strip("\n"), limit)


def shorten_middle(text: str, limit: int) -> str:
    """Return ``text``, or its first line and as many of its last lines as ``limit`` characters hold."""
    if len(text) <= limit:
        return text
    first = text.split("\n", 1)[0][: limit // 4] + "\n" + _CUT
    tail = text[-(limit - len(first)) :]
    start = tail.find("\n") + 1
    return first + (tail[start:] if start < len(tail) // 2 else tail)
