"""A user's mistake inside lm_eval ends in one sentence, as on our own command line, not in a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from turnwise.errors import TurnwiseError


@contextmanager
def one_sentence() -> Iterator[None]:
    """Let a TurnwiseError through so that, if nobody catches it, Python prints its sentence and nothing else.

    lm_eval prints a traceback for whatever a task raises. Those who call it from their own program can still
    catch the error.
    """
    try:
        yield
    except TurnwiseError:
        sys.excepthook = _print_sentence
        raise


def _print_sentence(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, TurnwiseError):
        print(f"turnwise: {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
