"""Outputs that are probably wrong, to try checkers on: a right output changed in some way, and hostile outputs.

>>> [one.text for one in mutants("1 2", others=(), draws=1) if one.kind == "words swapped"]
['2 1']

Nothing here is random: which word is changed follows from the output itself, so that the same data give the same
mutants. Most mutants are wrong; one that a checker accepts is to be read by a person. Those of ``NEVER_RIGHT`` are
wrong whatever the problem is.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_WORD = re.compile(r"[^ \t\n\r\f\v]+")
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_OPPOSITES = {"yes": "no", "no": "yes", "true": "false", "false": "true", "possible": "impossible"}
_LONGEST_NUMBER = 40  # digits of what is taken for a number rather than a text of digits
_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed output, and how it was changed."""

    kind: str
    text: str


class _Output:
    """An output, and where its words stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans = [match.span() for match in _WORD.finditer(text)]
        self.lines = text.splitlines(keepends=True)
        self.digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def word(self, place: int) -> str:
        start, end = self.spans[place]
        return self.text[start:end]

    def words(self) -> list[str]:
        return [self.text[start:end] for start, end in self.spans]

    def replaced(self, place: int, word: str) -> str:
        start, end = self.spans[place]
        return self.text[:start] + word + self.text[end:]

    def draw(self, what: str, count: int) -> int:
        """Return a number below ``count`` that follows from the output and from ``what`` it is for."""
        return int.from_bytes(hashlib.sha256(f"{self.digest} {what}".encode()).digest()[:8]) % count

    def places(self, what: str, draws: int, fits: Callable[[str], bool]) -> Iterator[int]:
        """Yield up to ``draws`` different places of words that fit, from where ``what`` draws."""
        if not self.spans:
            return
        first, left = self.draw(what, len(self.spans)), draws
        for step in range(len(self.spans)):
            place = (first + step) % len(self.spans)
            if fits(self.word(place)):
                yield place
                left -= 1
                if not left:
                    return


_NUMBERS: Mapping[str, Callable[[int], int]] = {
    "number one larger": lambda value: value + 1,
    "number one smaller": lambda value: value - 1,
    "number two larger": lambda value: value + 2,
    "number negated": lambda value: -value,
    "number times ten": lambda value: value * 10,
    "number doubled": lambda value: value * 2,
    "number made zero": lambda value: value * 0,
    "number made huge": lambda value: value + 10**18,
}
_FORMS: Mapping[str, Callable[[str], str]] = {
    "plus sign": lambda word: f"+{word.removeprefix('-')}",
    "leading zero": lambda word: re.sub(r"^(-?)", r"\g<1>0", word),
    "digits apart": lambda word: re.sub(r"^(-?[0-9])", r"\1_0" if len(word.lstrip("-")) == 1 else r"\1_", word),
    "other digits": lambda word: word.translate({48 + digit: 0x660 + digit for digit in range(10)}),
    "negative zero": lambda word: "-0" if word == "0" else word,
    "decimal point": lambda word: f"{word}.0",
    "exponent": lambda word: f"{word}e0",
    "hexadecimal": lambda word: f"0x{word.removeprefix('-')}",
}
_WORDS: Mapping[str, Callable[[str], str]] = {
    "case changed": str.swapcase,
    "word reversed": lambda word: word[::-1],
    "last letter doubled": lambda word: word + word[-1],
    "last letter dropped": lambda word: word[:-1] or "z",
    "other letter": lambda word: ("b" if word[0] != "b" else "a") + word[1:],
    "opposite word": lambda word: _opposite(word),
}
# Where a number is read as a decimal one, other forms can be right, and of a word other cases.
NEVER_RIGHT = frozenset(
    {"extra word", "extra line", "empty", "plus sign", "leading zero", "digits apart", "other digits"}
)


def mutants(output: str, *, others: Sequence[str], draws: int = 2) -> Iterator[Mutant]:
    """Yield changed forms of ``output``, none equal to it word by word, none twice.

    Of each kind that changes a word, a pair or a line, ``draws`` at most; ``others`` are outputs of other tests.
    """
    original = words_of(output)
    seen = {original}
    for mutant in _changed(_Output(output), others, draws):
        words = words_of(mutant.text)
        if words not in seen:
            seen.add(words)
            yield mutant


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, which stand between ASCII whitespace."""
    return tuple(_WORD.findall(text))


def _changed(output: _Output, others: Sequence[str], draws: int) -> Iterator[Mutant]:
    yield Mutant("empty", "")
    yield Mutant("extra word", f"{output.text.rstrip()} 1\n")
    yield Mutant("extra line", f"{output.text.rstrip()}\n0\n")
    for kind, of_form in _FORMS.items():
        for place in output.places(kind, draws, _is_number):
            yield Mutant(kind, output.replaced(place, of_form(output.word(place))))
    for kind, of_number in _NUMBERS.items():
        for place in output.places(kind, draws, _is_number):
            yield Mutant(kind, output.replaced(place, str(of_number(int(output.word(place))))))
    for kind, of_word in _WORDS.items():
        for place in output.places(kind, draws, _is_no_number):
            yield Mutant(kind, output.replaced(place, of_word(output.word(place))))
    yield from _rearranged(output, draws)
    yield from _with_other_lines(output, draws)
    yield Mutant("all twice", f"{output.text.rstrip()}\n{output.text}")
    for number in range(draws if others else 0):
        yield Mutant("output of another test", others[output.draw(f"other {number}", len(others))])


def _rearranged(output: _Output, draws: int) -> Iterator[Mutant]:
    count = len(output.spans)
    for number in range(draws if count else 0):
        place = output.draw(f"word {number}", count)
        yield Mutant("word dropped", output.replaced(place, ""))
        yield Mutant("word doubled", output.replaced(place, f"{output.word(place)} {output.word(place)}"))
        other = output.draw(f"other word {number}", count)
        yield Mutant("word copied", output.replaced(place, output.word(other)))
        yield Mutant("words swapped", _swapped(output, place, other))
        yield Mutant("neighbours swapped", _swapped(output, place, (place + 1) % count))
    words = output.words()
    yield Mutant("words reversed", " ".join(reversed(words)))
    yield Mutant("words sorted", " ".join(sorted(words)))
    yield Mutant("first half", " ".join(words[: count // 2]))
    yield Mutant("last word dropped", " ".join(words[:-1]))
    yield Mutant("first word dropped", " ".join(words[1:]))


def _swapped(output: _Output, one: int, other: int) -> str:
    first, last = sorted((one, other))
    if first == last:
        return output.text
    (start, end), (second_start, second_end) = output.spans[first], output.spans[last]
    text = output.text
    return text[:start] + output.word(last) + text[end:second_start] + output.word(first) + text[second_end:]


def _with_other_lines(output: _Output, draws: int) -> Iterator[Mutant]:
    lines, count = [line if line.endswith("\n") else f"{line}\n" for line in output.lines], len(output.lines)
    for number in range(draws if count else 0):
        place, other = output.draw(f"line {number}", count), output.draw(f"other line {number}", count)
        yield Mutant("line dropped", "".join(lines[:place] + lines[place + 1 :]))
        yield Mutant("line doubled", "".join(lines[: place + 1] + lines[place:]))
        swapped = list(lines)
        swapped[place], swapped[other] = lines[other], lines[place]
        yield Mutant("lines swapped", "".join(swapped))
    yield Mutant("lines reversed", "".join(reversed(lines)))
    for first, second in pairwise(lines[:3]):
        yield Mutant("lines joined", "".join([first.rstrip("\n"), second, *lines[2:]]))


def _opposite(word: str) -> str:
    opposite = _OPPOSITES.get(word.lower())
    if opposite is None:
        return word
    return opposite.upper() if word.isupper() else opposite.title() if word.istitle() else opposite


def _is_number(word: str) -> bool:
    return len(word) <= _LONGEST_NUMBER and _INTEGER.fullmatch(word) is not None


def _is_no_number(word: str) -> bool:
    return not _is_number(word)


def hostile_outputs(expected: str) -> Mapping[str, str]:
    """Return outputs that are no answer to any problem, by what they are: some by chance equal ``expected``."""
    text, words = expected.rstrip(), words_of(expected)
    return {
        "nothing": "",
        "blanks": " \t\r\n" * 1000,
        "a NUL": "\0",
        "a NUL behind the answer": f"{text}\n\0",
        "a NUL within the answer": text[: len(text) // 2] + "\0" + text[len(text) // 2 :],
        "a mebibyte of a digit": "9" * _MEBIBYTE,
        "a mebibyte of zeros": "0" * _MEBIBYTE,
        "a mebibyte of letters": "A" * _MEBIBYTE,
        "half a million words": "1 " * 524_287,
        "a hundred thousand negative words": "-1\n" * 100_003,
        "ten thousand lines of YES": "YES\n" * 10_007,
        "ten thousand lines of NO": "NO\n" * 10_007,
        "the answer a thousand times": (text[:1000] + "\n") * 1009,
        "NaN": "nan NaN -nan",
        "infinity": "inf -inf Infinity 1e999",
        "a huge exponent": "1e999999999999",
        "a huge number": "1" + "0" * 5000,
        "a huge decimal": "0." + "1" * 100_000,
        "hexadecimal digits": "0x7fffffff",
        "digits apart": "1_000_000",
        "digits of another script": "\u0661 \u0662 \u0663",
        "wide digits": "\uff11\uff12\uff13",
        "superscript digits": "\u00b2\u00b3",
        "blanks of another script": "\u2003".join([*words, ""]) if words else "\u2003",
        "separators of control": "\x1c".join([*words, ""]) if words else "\x1c",
        "deep brackets": "[" * 100_000 + "]" * 100_000,
        "deep JSON": '{"a":' * 50_000 + "1" + "}" * 50_000,
        "forms of printf": "%s%n%d%999999999d",
        "forms of str.format": "{0.__class__.__mro__} {expected!r}",
        "the words of checkers": "right\n1\nok accepted AC\n['right', '']\ntrue",
        "code that prints the word": 'print("right")\nimport sys; sys.exit(0)',
        "code that leaves": "__import__('os')._exit(0)",
        "the expected output by name": "expected",
        "a half of a character": "\ud800 \udcff",
        "control characters": "\x1b[2J\x07\x08\x7f",
        "a byte order mark": f"\ufeff{text}",
        "marks of direction": f"\u202e{text}\u202c",
        "the answer in quotes": f'"{text}"',
        "the answer as a list": str(list(words)[:1000]),
        "a giant line of blanks": " " * _MEBIBYTE + "x",
    }
