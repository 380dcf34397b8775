"""Near copies among programs: MinHash over token 5-grams that renaming does not change, and a greedy choice.

>>> keeper = Keeper()
>>> keeper.keeps("n = int(input())\\nprint(n * 2)")
True
>>> keeper.keeps("x = int(input())  # the same\\nprint(x * 2)")
False

A program becomes the set of its runs of 5 tokens (``shingles``): names are numbered as they first appear, keywords and
built-in names stay, strings and numbers stay, comments and white space go, and so do texts in triple quotes that stand
as a statement. What renames its variables is the same program; what changes a constant differs in the 5 shingles around
it. A built-in name that the program binds is a name like any other.

Two programs are near copies when the estimate of their Jaccard index reaches the threshold: the share of 128 MinHash
values that are equal, with a standard error of 0.044 at most. Arithmetic alone: the programs are a model's, and are
neither compiled nor parsed here, but read by one regular expression in linear time.
"""

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turnwise.errors import TurnwiseError
from turnwise.tasks.python_tokens import KEYWORDS, words

Shingles = NDArray[np.uint64]
"""[shingles], sorted, each once."""
Signature = NDArray[np.uint32]
"""[PERMUTATIONS]."""

LENGTH = 5  # tokens of a shingle
PERMUTATIONS = 128
_SEED = 1
_BLOCK = 512  # shingles hashed at a time: half a mebibyte
_BUILT_IN = words(
    "ArithmeticError AssertionError AttributeError BaseException EOFError Ellipsis Exception FileNotFoundError"
    " FloatingPointError GeneratorExit IOError ImportError IndexError KeyError KeyboardInterrupt LookupError"
    " MemoryError ModuleNotFoundError NameError NotImplemented NotImplementedError OSError OverflowError"
    " RecursionError RuntimeError StopIteration SyntaxError SystemExit TimeoutError TypeError UnicodeDecodeError"
    " UnicodeEncodeError UnicodeError ValueError Warning ZeroDivisionError __build_class__ __file__ __import__"
    " __name__ abs all any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex copyright"
    " credits delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr globals hasattr"
    " hash help hex id input int isinstance issubclass iter len license list locals map max memoryview min next object"
    " oct open ord pow print property quit range repr reversed round set setattr slice sorted staticmethod str sum"
    " super tuple type vars zip"
)
_BODY = {
    quote: rf"{quote * 3}(?:[^{quote}\\]|\\.|{quote}(?!{quote * 2}))*+" for quote in "'\""
}  # between triple quotes
# A string that nothing closes goes to the end of its line, or of the text if its quotes are triple: each character is
# read once.
_TOKEN = re.compile(
    rf"""\#[^\n]*+ | \\\r?\n
    | (?m:^)[\ \t]*+[rRuU]?(?:{_BODY["'"]}''' | {_BODY['"']}\"\"\")(?=[\ \t]*+(?:[\#\r\n]|\Z))
    |(
        (?:[rRbBfFuUtT]{{1,2}})?(?:
            {_BODY["'"]}(?:'''|\\?\Z) | {_BODY['"']}(?:\"\"\"|\\?\Z)
            | '(?:[^'\\\n]|\\.)*+'? | \"(?:[^\"\\\n]|\\.)*+\"?
        )
        | [^\W\d]\w*+ | \d\w*+(?:\.\w*+)?
        | \*\*=? | //=? | <<=? | >>=? | -> | [-+*/%@&|^=<>!:]= | [^\s\w]
    )""",
    re.VERBOSE | re.DOTALL,
)
_F_STRING = re.compile(r"[rR]?[fFtT][rR]?['\"]")
_BRACES = re.compile(r"\{\{|\}\}|[{}]")
_NAME = re.compile(r"[^\W\d]")
_ASSIGNMENTS = words("= += -= *= /= //= %= **= <<= >>= &= |= ^= @= :=")
_BINDERS = words("for def class lambda as")
_ENDS = _BINDERS | words("in : = == ) -> ; + - * / .")

_GENERATOR = np.random.default_rng(_SEED)
# Multiply-shift: the product wraps at 2**64 by itself, and its upper half is the hash. Without the wrap (modulo a prime
# that the product hardly passes) each permutation would keep the order of the shingles and pick the same one.
_FACTORS = _GENERATOR.integers(0, 2**64, (PERMUTATIONS, 1), dtype=np.uint64) | np.uint64(1)
_SUMMANDS = _GENERATOR.integers(0, 2**64, (PERMUTATIONS, 1), dtype=np.uint64)
_MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def shingles(program: str) -> Shingles:
    """Return the hashes of the runs of 5 tokens; a program of fewer tokens is a run of its own, an empty one too."""
    codes = _codes(program)
    codes += [0] * (LENGTH - len(codes))
    return np.unique(hash_runs(codes, LENGTH))


def hash_runs(codes: Sequence[int], length: int) -> NDArray[np.uint64]:
    """Return a hash of each run of ``length`` codes, which are no fewer: [codes - length + 1]."""
    values = np.array(codes, dtype=np.uint64)
    count = len(values) - length + 1
    hashed = values[:count].copy()
    for offset in range(1, length):
        hashed *= _MIX[0]
        hashed += values[offset : offset + count]
    for factor, shift in zip(_MIX[1:], (30, 27), strict=True):
        hashed ^= hashed >> np.uint64(shift)
        hashed *= factor
    return hashed ^ (hashed >> np.uint64(31))


def signature(of: Shingles) -> Signature:
    """Return the least hash of the shingles under each permutation."""
    least = np.full(PERMUTATIONS, 2**64 - 1, dtype=np.uint64)
    for start in range(0, len(of), _BLOCK):
        hashed = _FACTORS * of[start : start + _BLOCK]
        hashed += _SUMMANDS
        np.minimum(least, hashed.min(axis=1), out=least)
    return (least >> np.uint64(32)).astype(np.uint32)


def estimate(a: Signature, b: Signature) -> float:
    """Return the share of equal values: an estimate of the Jaccard index without bias."""
    return float((a == b).mean())


class Keeper:
    """Keeps programs of one problem, first come, first kept, unless they are near copies of a kept one.

    Holds the signatures of the kept programs alone: ``most`` of them, 512 bytes each, and their bands.

    Which kept programs can be near is looked up by bands of equal values (locality-sensitive hashing). The bands are as
    long as they may be while there are more of them than values that may differ: near copies by the estimate then agree
    in a whole band, so that none is missed (at 0.7: 42 bands of 3, and 38 values that may differ). By the exact index a
    pair of 0.7 is a near copy with probability 0.51, of 0.75 with 0.91, of 0.8 with 0.997, of 0.65 with 0.12 and of 0.6
    with 0.01: the estimate's error, not the bands'.

    Raises TurnwiseError for a ``similarity`` out of (0, 1] or a ``most`` below 1.
    """

    def __init__(self, similarity: float = 0.7, most: int = 50) -> None:
        if not 0 < similarity <= 1:
            raise TurnwiseError(f"The similarity of near copies is {similarity:g}: give a number above 0, up to 1.")
        if most < 1:
            raise TurnwiseError(f"The programs kept of a problem are {most}: give at least 1.")
        self._equal = int(np.ceil(similarity * PERMUTATIONS - 1e-9))
        rows = max(1, PERMUTATIONS // (PERMUTATIONS - self._equal + 1))
        self._band_bytes = rows * np.dtype(np.uint32).itemsize
        self._tables: list[dict[bytes, list[int]]] = [{} for _ in range(PERMUTATIONS // rows)]
        self._most = most
        self._kept: list[Signature] = []

    @property
    def is_full(self) -> bool:
        """Whether the problem has as many programs as are kept: no other is, near copy or not."""
        return len(self._kept) >= self._most

    def keeps(self, program: str) -> bool:
        """Return whether ``program`` is kept; if not, it ``is_full`` or this is a near copy of one kept before."""
        if self.is_full:
            return False
        values = signature(shingles(program))
        data, size = values.tobytes(), self._band_bytes
        bands = [data[size * band : size * (band + 1)] for band in range(len(self._tables))]
        near = {number for table, band in zip(self._tables, bands, strict=True) for number in table.get(band, ())}
        if any(np.count_nonzero(self._kept[number] == values) >= self._equal for number in near):
            return False
        for table, band in zip(self._tables, bands, strict=True):
            table.setdefault(band, []).append(len(self._kept))
        self._kept.append(values)
        return True


def _codes(program: str) -> list[int]:
    """Return a number for every token: small ones for names, by their first appearance, large ones for the rest."""
    seen = dict(_FIXED)
    tokens = _tokens(program)
    for name in _bound(tokens):
        del seen[name]
    names: dict[str, int] = {}
    codes: list[int] = []
    _read(tokens, seen, names, codes)
    return codes


def _tokens(text: str) -> list[str]:
    return [token for token in _TOKEN.findall(text) if token]  # a comment is empty


def _bound(tokens: Sequence[str]) -> set[str]:
    """Return the built-in names that a program gives a meaning of its own, as far as their neighbours tell."""
    found: set[str] = set()
    for at, token in enumerate(tokens):
        if token in _ASSIGNMENTS:  # of one name, or of several with commas between them
            before = at - 1
            while before >= 0 and (tokens[before] in _BUILT_IN or _NAME.match(tokens[before])):
                found.add(tokens[before])
                before -= 2 if tokens[before - 1] == "," else len(tokens)
        elif token in _BINDERS:  # for targets and parameters: up to what ends them
            after = at + 1
            while after < len(tokens) and tokens[after] not in _ENDS:
                found.add(tokens[after])
                after = len(tokens) if token == "class" else after + 1
    return found & _BUILT_IN


def _read(tokens: Sequence[str], seen: dict[str, int], names: dict[str, int], codes: list[int]) -> None:
    for token in tokens:
        if (code := seen.get(token)) is None:
            if _F_STRING.match(token):
                _read_fields(token, seen, names, codes)
                continue
            is_name = _NAME.match(token) and token[-1] not in "'\""
            code = seen[token] = names.setdefault(token, len(names) + 1) if is_name else _fixed(token)
        codes.append(code)


def _read_fields(token: str, seen: dict[str, int], names: dict[str, int], codes: list[int]) -> None:
    """Read an f-string: its text with the fields' places, then the fields, whose names may be renamed.

    A field's format stays as it is, but for the fields in it.
    """
    texts: list[str] = []
    fields: list[str] = []
    start = depth = 0
    for brace in _BRACES.finditer(token):
        if len(brace[0]) == 2 and not depth:
            continue
        piece = token[start : brace.start()]
        (fields if depth else texts).append(piece)
        depth = max(0, depth + sum(1 if one == "{" else -1 for one in brace[0]))
        start = brace.end()
    (fields if depth else texts).append(token[start:])
    codes.append(_fixed("{".join(texts)))
    for field in fields:
        expression, end = _without_format(field)
        _read(_tokens(expression), seen, names, codes)
        if end:
            codes.append(_fixed(end))


def _without_format(field: str) -> tuple[str, str]:
    """Return the expression of a field, and its conversion and format (``!r:>5``)."""
    depth = 0
    for at, one in enumerate(field):
        depth += (one in "([") - (one in ")]")
        is_format = one == ":" or (one == "!" and field[at + 1 : at + 2] != "=")
        if is_format and not depth:
            return field[:at], field[at:]
    return field, ""


def _fixed(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "surrogatepass")) | 1 << 33


_FIXED = {word: _fixed(word) for word in KEYWORDS | _BUILT_IN}
