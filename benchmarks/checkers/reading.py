"""What checkers and validators are written with: a strict reader of texts, and the two ways to refuse one.

A checker is a Python file with one or both of these functions::

    def validate(text: str) -> None:
        '''Raise Invalid, naming the constraint of the statement that the input ``text`` breaks.'''

    def check(text: str, output: str, expected: str) -> None:
        '''Raise Wrong unless ``output`` is a right answer to ``text``; ``expected`` is one.'''

It runs in a sandbox, this file's text before its own, so nothing of turnwise is imported here.

>>> reader = Reader("3 1 2 3", Invalid)
>>> reader.integers(reader.integer(1, 10, "n"), 1, 3, "a")
[1, 2, 3]

Numbers are read as contest checkers read them: ``+5``, ``05``, ``-0``, ``1_000`` and digits of other scripts are none.
In an input zeros may lead: they change no number, and break no constraint of a statement.
"""

import re
from collections.abc import Iterable
from typing import NoReturn

_WORD = re.compile(r"[^ \t\n\r\f\v]+")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,40}")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,400})?(?:[eE][-+]?[0-9]{1,2})?")
_SHOWN = 40


class Wrong(Exception):  # noqa: N818 - an answer, no error
    """The output is no right answer; the text says why."""


class Invalid(Exception):  # noqa: N818 - an answer, no error
    """The input breaks the statement; the text names the constraint."""


class Reader:
    """Reads a text word by word; whatever is not as asked for raises ``refusal``, which names it.

    Words stand between ASCII whitespace. They are read when they are asked for, so a text of any length costs little
    more memory than itself.
    """

    def __init__(self, text: str, refusal: type[Exception] = Wrong) -> None:
        self._text = text
        self._refusal = refusal
        self._place = 0

    def refuse(self, why: str) -> NoReturn:
        """Raise the refusal with the text ``why``."""
        raise self._refusal(why)

    def has_more(self) -> bool:
        """Return whether there is another word."""
        return _WORD.search(self._text, self._place) is not None

    def word(self, name: str = "a word", among: Iterable[str] = (), *, any_case: bool = False) -> str:
        """Return the next word, one of ``among`` if those are given; in lower case with ``any_case``."""
        found = _WORD.search(self._text, self._place)
        if found is None:
            self.refuse(f"{name} is missing: the text ends")
        self._place = found.end()
        word = found.group().lower() if any_case and found.group().isascii() else found.group()
        allowed = [one.lower() for one in among] if any_case else list(among)
        if allowed and word not in allowed:
            self.refuse(f"{name} is {_shown(word)}, not one of {', '.join(allowed)}")
        return word

    def string(self, alphabet: str, shortest: int, longest: int, name: str = "a string") -> str:
        """Return the next word, which is of letters of ``alphabet`` and so long."""
        word = self.word(name)
        if not shortest <= len(word) <= longest:
            self.refuse(f"the length of {name} is {len(word)}, not {shortest} to {longest}")
        others = set(word) - set(alphabet)
        if others:
            self.refuse(f"{name} holds {_shown(min(others))}, which is not allowed")
        return word

    def integer(self, low: int, high: int, name: str = "a number") -> int:
        """Return the next word as an integer from ``low`` to ``high``."""
        word = self.word(name)
        if self._refusal is Invalid and "0" in word[:2]:
            word = _LEADING_ZEROS.sub("", word)
        if not _INTEGER.fullmatch(word):
            self.refuse(f"{name} is {_shown(word)}, not an integer")
        value = int(word)
        if not low <= value <= high:
            self.refuse(f"{name} is {value}, not from {low} to {high}")
        return value

    def integers(self, count: int, low: int, high: int, name: str = "a number") -> list[int]:
        """Return the next ``count`` words as integers from ``low`` to ``high``."""
        return [self.integer(low, high, name) for _ in range(count)]

    def decimal(self, low: float, high: float, name: str = "a number") -> float:
        """Return the next word as a decimal number from ``low`` to ``high``; never NaN or infinite."""
        word = self.word(name)
        if not _DECIMAL.fullmatch(word):
            self.refuse(f"{name} is {_shown(word)}, not a decimal number")
        value = float(word)
        if not low <= value <= high:
            self.refuse(f"{name} is {value}, not from {low} to {high}")
        return value

    def end(self) -> None:
        """Refuse a text that goes on."""
        found = _WORD.search(self._text, self._place)
        if found is not None:
            self.refuse(f"{_shown(found.group())} stands where the text should end")


def _shown(word: str) -> str:
    return ascii(word if len(word) <= _SHOWN else f"{word[:_SHOWN]}...")
