"""The small parts of execution: interpreters, error texts, and the control socket."""

import socket
import sys
import tracemalloc
from collections.abc import Iterator

import pytest

from turnwise.errors import TurnwiseError
from turnwise.runners.execution.control import (
    ControlSocket,
    OversizeError,
    ProtocolError,
    clean_traceback,
    parse_error,
    parse_message,
    shorten_middle,
)
from turnwise.runners.execution.interpreters import inspect_interpreter


def test_an_interpreter_describes_itself() -> None:
    """Version and numpy stand in the description, since both can change a verdict."""
    description = inspect_interpreter().description
    assert description.startswith("CPython " + ".".join(map(str, sys.version_info[:3])))
    assert "numpy" in description


@pytest.mark.parametrize("path", ["/nowhere/python", "/bin/true", "/bin/false"])
def test_an_unusable_interpreter_is_named(path: str) -> None:
    """The error names the path."""
    with pytest.raises(TurnwiseError, match=path):
        inspect_interpreter(path)


def test_tracebacks_show_the_program_only() -> None:
    """Runner frames go, library paths shrink to names, the program's own frames stay."""
    text = (
        "Traceback (most recent call last):\n"
        '  File "/opt/x/runners/execution/child.py", line 5, in main\n    exec(code)\n'
        '  File "solution.py", line 2, in <module>\n    heapify(1)\n    ^^^^^^^\n'
        '  File "/usr/lib/python3.11/heapq.py", line 9, in heapify\n    fail\n'
        "TypeError: no list\n"
    )
    assert clean_traceback(text) == (
        "Traceback (most recent call last):\n"
        '  File "solution.py", line 2, in <module>\n    heapify(1)\n    ^^^^^^^\n'
        '  File "heapq.py", line 9, in heapify\n    fail\n'
        "TypeError: no list"
    )


def test_long_tracebacks_keep_first_and_last_lines() -> None:
    """A traceback beyond the size keeps its first line and its end, where the error is."""
    text = "Traceback:\n" + "\n".join(f"  line {number}" for number in range(1000)) + "\nValueError: x"
    short = clean_traceback(text, limit=200)
    assert len(short) <= 200
    assert short.startswith("Traceback:\n  ...\n")
    assert short.endswith("  line 999\nValueError: x")


def test_one_endless_line_is_cut() -> None:
    """Text without line breaks stays within the size, too."""
    assert len(shorten_middle("x" * 10_000, 300)) <= 300


@pytest.fixture
def pair() -> Iterator[tuple[ControlSocket, socket.socket]]:
    """A control socket and the hostile end of it."""
    ours, theirs = socket.socketpair()
    control = ControlSocket(ours, limit=1000)
    yield control, theirs
    control.close()
    theirs.close()


def test_lines_arrive_whole_and_one_by_one(pair: tuple[ControlSocket, socket.socket]) -> None:
    """Half a line is no message yet; two lines are two messages."""
    control, theirs = pair
    assert control.receive() is None
    theirs.send(b'{"a": 1}\n{"b"')
    assert control.receive() == b'{"a": 1}'
    assert control.receive() is None
    theirs.send(b": 2}\n")
    assert control.receive() == b'{"b": 2}'


def test_a_line_beyond_the_limit_is_refused(pair: tuple[ControlSocket, socket.socket]) -> None:
    """In one piece or in many."""
    control, theirs = pair
    for _ in range(5):
        theirs.send(b"1" * 199)
        assert control.receive() is None
    theirs.send(b"1" * 199)
    with pytest.raises(OversizeError):
        control.receive()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "ImportError: cannot import name 'x' from 're' (/home/me/.venv/lib/python3.11/re.py)",
            "ImportError: cannot import name 'x' from 're' (re.py)",
        ),
        ("OSError: /opt/my-python/3.11/lib/_ssl.cpython-311.so: bad", "OSError: _ssl.cpython-311.so: bad"),
        ("ValueError: a/b.py 1/2 /x.py https://a.org/b.py", "ValueError: a/b.py 1/2 /x.py https://a.org/b.py"),
    ],
)
def test_a_message_names_library_files_without_their_folder(message: str, shown: str) -> None:
    """Where an interpreter lies may be below a home, and would make one program's feedback differ by machine."""
    assert clean_traceback(message) == shown


@pytest.mark.parametrize("line", [b"x", b"[]", b"\xff", b"[" * 100_000, b'"x"', b"1" * 5000])
def test_hostile_messages_are_protocol_errors(line: bytes) -> None:
    """No JSON, no object, too deep, a huge number: all the same error."""
    with pytest.raises(ProtocolError):
        parse_message(line)
    with pytest.raises(ProtocolError):
        parse_error(line)


@pytest.mark.parametrize(
    "line",
    [
        b'{"error": 5}',
        b'{"error": "a", "b": "c"}',
        b'{"error": ["a"]}',
        b'{"error": "\xff"}',
        b'{"error": "a""}',
        b'{"error": "',
    ],
)
def test_an_error_is_one_text_and_nothing_else(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_error(line)


def test_of_a_long_error_the_beginning_and_the_end_are_kept() -> None:
    assert parse_error(b'{"error": "a\\u00e9"}') == "a\xe9"
    text = parse_error(b'{"error": "first' + b"\\n" * 1_000_000 + b'last"}')
    assert (text[:5], text[-4:], len(text) < 100_000) == ("first", "last", True)


def test_a_message_in_single_bytes_takes_no_more_memory_than_itself(pair: tuple[ControlSocket, socket.socket]) -> None:
    """As pieces, each byte would take forty."""
    control, theirs = pair
    control = ControlSocket(control.connection, limit=100_000)
    tracemalloc.start()
    for _ in range(20_000):
        theirs.send(b"x")
        assert control.receive() is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000
    theirs.send(b"\n")
    assert control.receive() == b"x" * 20_000


def test_json_of_a_megabyte_is_no_message() -> None:
    with pytest.raises(ProtocolError, match="too long"):
        parse_message(b'{"ready": [' + b"[]," * 500_000 + b"[]]}")


def test_an_early_message_is_refused_and_a_closed_end_noticed(pair: tuple[ControlSocket, socket.socket]) -> None:
    """What comes behind an answer is found when the next is asked for; what comes later, with that answer."""
    control, theirs = pair
    control.request()
    theirs.send(theirs.recv(100) + b'{"value": 1}\n{"value"')
    assert control.receive_answer() == b'{"value": 1}'
    with pytest.raises(ProtocolError, match="before it was asked for"):
        control.request()
    theirs.send(b": 2}\n" + b'{"value": 3}\n')
    assert control.receive() == b'{"value": 2}'
    assert control.receive() == b'{"value": 3}'
    theirs.send(b'{"value": 4}\n')
    control.request()
    theirs.send(theirs.recv(100) + b'{"value": 5}\n')
    with pytest.raises(ProtocolError, match="answers no request"):
        control.receive_answer()
    theirs.close()
    assert (control.receive() or b"").endswith(b'{"value": 5}')
    with pytest.raises(EOFError):
        control.receive()


def test_an_answer_repeats_the_token_of_its_request(pair: tuple[ControlSocket, socket.socket]) -> None:
    """That of an earlier call, or none, is no answer to this one, however right it looks."""
    control, theirs = pair
    control.request()
    first = theirs.recv(100)
    theirs.send(first + b'{"value": 1}\n')
    assert control.receive_answer() == b'{"value": 1}'
    for forged in (first, b"0" * len(first), b""):
        control.request()
        assert theirs.recv(100) != first
        theirs.send(forged + b'{"value": 1}\n')
        with pytest.raises(ProtocolError, match="answers no request"):
            control.receive_answer()
