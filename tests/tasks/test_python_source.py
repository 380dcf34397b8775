"""What is a Python program and what it does is told without the interpreter's parser, as that would tell it.

``compile`` runs in this file alone, on texts that the file holds, the standard library and recorded programs.
"""

import gzip
import io
import json
import random
import re
import sys
import sysconfig
import tokenize
import warnings
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.tasks.python_expressions import DEEPEST_EXPRESSION
from turnwise.tasks.python_source import DEEPEST_INDENT, LONGEST_TEXT, PythonSource, read_python
from turnwise.tasks.python_tokens import DEEPEST_BRACKETS, QuotedText

LIBRARY = Path(sysconfig.get_path("stdlib"))
# What not every interpreter that runs these tests takes: the syntax of later ones, and a mark that files begin with.
NEW_SYNTAX = """\
type X[T: int = str, *Ts = *tuple[int], **P = [int]] = list[T]
---
def f[T](x: T, *args: *Ts) -> T: pass
---
class A[T](B): pass
---
f'{a['b']}{f"{x}"}'
---
f'{a!r:>{w}}{x = }{
    y # why
}'
---
t'{x}' rt"{y:{z}}\\d"
---
\ufeffx = 1
---
try: x
except A, B: y
"""
SAMPLES = """\
a, *b = c = (d, *e)
---
x: int = yield_
a.b: int
a[0] @= b
---
match x:
    case 1 | -2.5+3j | "a" "b" | None: pass
    case [a, *_, A.b] if c: pass
    case {"k": v, **rest}: pass
    case A.B(x, y=(1 | 2) as z): pass
    case a, *b: pass
    case _: pass
---
match = case = type = _ = print
match(x)
match[x:y]
type (x)
match -x
---
with (a as b, c as (d, e),): pass
with (a), b as c.d: pass
with (a, b): pass
---
async def f(a, b: int = 1, /, c=2, *args, d, e=3, **kw) -> int:
    async for x in y: await z
    async with a as b: pass
    return [await x async for x in y if await z]
---
def f(*, a=1, b, **c,):
    x = yield
    y = yield from z
    return *x, y
---
lambda x, /, y=lambda: 1, *z, w, **k: (yield)
---
try:
    pass
except* A as e:
    pass
else:
    pass
finally:
    pass
---
for x.a, *y in a, *b:
    if x: continue
    else: break
else: pass
---
if (n := f(x)) > 1 and not y: pass
elif a: b; c;
else: d
---
class A(B, *c, metaclass=D, **e):
    x: int
    def f(self):
        nonlocal_ = __class__
        def g():
            nonlocal nonlocal_
---
from . import a
from ...b.c import (d as e, f,)
from g import *
import h.i as j, k
---
@a.b(c)[d]
@(e := f)
def g(): pass
---
x = [a for b, in c if d for e in f] + [*g, h] + [i async for i in j] if k else {**l, 1: 2}
---
x = {a: b for c in d}, {*e, f}, {}, (), (g,), [h[1:2, ::, ..., i:], -j ** -k]
---
f(*a, b, c=d, *e, **f, g=h)
f(a for a in b)
f(a := 1)
---
x = 0x_1F + 0b1 - 0o17 * 1_000.5e-3j / 1. // .5 @ 00
x = 1if y else 2
---
b'a' rb"\\x" + b'\\x00'
---
f"a{x!r:>{w}.{p}}b{{c}}" rf'\\{y}' '\\N{BULLET}' f'\\N{BULLET}{z}'
---
if x:
\ty
\tif z:
\t\tw
---
x = [ # why
1,

  2]
   # an odd comment
y = a + \\
  b
\f
z = 'a\\
b'
---
é = \uff58 = 1
---
# nothing
---
x = 1\r\nif x:\r\n  y\ry\r
---
del a, (b, [c.d]), e[0]
assert a, b
raise A from b
global x_
---
"doc"
from __future__ import annotations
---
raise
() = [] = a
---
'unterminated
---
'''unterminated
---
x = "\\x1"
---
x = "C:\\Users"
---
b'é'
---
b'a' 'b'
---
x = 007
---
x = a?b
---
x = “a”
---
x = `a`
---
x = $a
---
if x:
---
if x:
y
---
if x:
    y
  z
---
  x
---
x
  y
---
else: x
---
try: x
---
try: x
except: y
except A: z
---
@a
x = 1
---
(a
---
a)
---
(a]
---
f(a for a in b, c)
---
f(a=1, b)
---
f(**a, b)
---
f(**a, *b)
---
f(a=1, a=2)
---
def f(a, a): pass
---
def f(a=1, b): pass
---
def f(*): pass
---
def f(*, **a): pass
---
def f(a, /, b, /): pass
---
def f(**a, b): pass
---
lambda a, a: 1
---
f() = 1
---
a + b = 1
---
1 = a
---
None = a
---
(a, b) += 1
---
(a, b): int
---
*a = b
---
*a, *b = c
---
x = *a
---
for f() in a: pass
---
with a as 1: pass
---
del f()
---
del *a,
---
import a.b as c.d
---
from a import
---
from a import (b
---
def f():
    from a import *
---
return
---
class A: return
---
yield a
---
await a
---
def f(): await a
---
[x async for x in y]
---
[(yield) for x in y]
---
break
---
for x in y:
    def f(): continue
---
nonlocal a
---
def f():
    nonlocal a
---
def f(a):
    global a
---
def f():
    a = 1
    global a
---
async def f():
    yield 1
    return 2
---
async with a: pass
---
x = 1
from __future__ import annotations
---
[x := 1 for x in y]
---
[x for x in (y := z)]
---
match x:
    case _: pass
    case 1: pass
---
match x:
    case a | b: pass
---
match x:
    case [a, a]: pass
---
match x:
    case [a | (b | c), d]: pass
---
match x:
    case [(A(a, b=c) | [c, a]) as d, (b,) | b]: pass
    case *_: pass
---
from __future__ import *
---
match x: pass
---
match x:
    y
---
class = 1
---
def None(): pass
---
a not b
---
a == not b
---
a is not not b
---
x = a if b
---
lambda: x = 1
---
f"{x"
---
f"{}"
---
f"{x!z}"
---
f"C:\\Users\\{x}"
---
rf"C:\\Users\\{x}"
---
f"\\x41{x:\\x41}\\u"
---
f"}"
---
f"{x:{}}"
---
print "a"
---
print a
---
exec "a" in b
---
raise A, b
---
except A, e: pass
---
a <> b
---
Here is the code
---
Here is the code:
---
Let's see.
---
1 2 3
---
pip install numpy
---
python3 main.py < in.txt
---
>>> x = 1
---
+ x = 1
- x
@@ -1,2 +1,2 @@
---
int main() { return 0; }
---
for (int i = 0; i < n; i++) { x += i; }
---
public static void main(String[] args) { }
---
const f = (x) => { return x; };
---
#include <stdio.h>
int x;
---
```python
x = 1
```
---
**Solution**
---
1. First, do this
"""


def compiles(text: str) -> bool:
    """Return the verdict of the interpreter that runs the tests."""
    try:
        compile(text, "x", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError):
        return False
    return True


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    """Let programs hold what the interpreter warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("text", SAMPLES.split("\n---\n"))
def test_the_verdict_is_that_of_the_interpreter(text: str) -> None:
    """Legal programs of every kind, and texts that are none for one reason each."""
    assert (read_python(text) is not None) == compiles(text)


@pytest.mark.parametrize("text", NEW_SYNTAX.split("\n---\n"))
def test_programs_of_newer_interpreters_are_programs(text: str) -> None:
    """The interpreter that reads a reply may be older than the one that runs its program."""
    assert read_python(text) is not None


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        ("", False),
        ("# only a comment\n", False),
        ("YES\nNO\n", False),
        ("42", False),
        ("'text'; a.b + c[0]; pass", False),
        ("Note: important", False),
        ("global warming", False),
        ("Note: this is O(n)", False),
        ("x = 1", True),
        ("x += 1", True),
        ("x: int = 1", True),
        ("(x := 1)", True),
        ("f()", False),
        ("O(n)", False),
        ("a.f()", True),
        ("from a import *\nf()", True),
        ("a, [b, {c: (lambda: print())}]", True),
        ("f'{print()}'", True),
        ("def f(a): a()", True),
        ("import a", True),
        ("from a import b", True),
        ("def f(): pass", False),
        ("class A: pass", False),
        ("def f(): return", True),
        ("if x: pass", True),
        ("del x", True),
        ("assert x", True),
        ("raise x", True),
        ("match x:\n  case _: pass", True),
        ("type X = int", True),
    ],
)
def test_a_program_acts_if_it_is_more_than_literals_and_names(text: str, acts: bool) -> None:
    """The output of a program and a heading are Python too."""
    source = read_python(text)
    assert source is not None
    assert source.acts == acts


def test_a_program_defines_what_it_binds_at_module_level() -> None:
    """In the bodies of statements too, not in functions and classes; nor imports or what is only looked at."""
    text = """\
import a.b, c as d
from e import f as g, h
i, (j, *k), l.m, n[o] = p = q
r: int = 1
s: int
t += 1
for u, v in w:
    with x as (y, z):
        def aa(ab=(ac := 1)): ad = 1
    [ae for ae in af if (ag := ae)]
try:
    class ah(ai):
        aj = 1
except ak as al:
    async def am(): pass
match an:
    case [ao, *ap, {"k": aq}] if ar: as_ = lambda at: at
while True: au = av; break
type aw[ax] = ay
\uff5a2 = 1
"""
    assert read_python(text) == PythonSource(
        True,
        frozenset(
            [
                "i",
                "j",
                "k",
                "p",
                "r",
                "t",
                "u",
                "v",
                "y",
                "z",
                "aa",
                "ac",
                "ag",
                "ah",
                "am",
                "ao",
                "ap",
                "aq",
                "as_",
                "au",
                "aw",
                "z2",
            ]
        ),
    )


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("x = 'a' + \"b\" # c 'd'\ny", ["'a'", '"b"', "# c 'd'"]),
        ("Rb'''a\n'b''' xb'c'", ["Rb'''a\n'b'''", "'c'"]),
        ("Don't `a`\n'b'", ["'b'"]),
        ("'a\\\nb' 'c\\'d' r'\\'e'", ["'a\\\nb'", "'c\\'d'", "r'\\'e'"]),
        ("'''never 'a' \"b\"\n'c' # d", ["'a'", '"b"', "'c'", "# d"]),
        ("f'{a['b']}' 'c'", ["f'{a['b']}'", "'c'"]),
        ("f'{x' 'c'", ["f'{x'", "'c'"]),
        ("f'''{\n# '\n'''{x}'''}''' 'a'", ["f'''{\n# '\n'''{x}'''}'''", "'a'"]),
        ('f"{x!r:>{w}}" f"{{"', ['f"{x!r:>{w}}"', 'f"{{"']),
        ("'' \"\" '''''' 'a'\r'b'", ["''", '""', "''''''", "'a'", "'b'"]),
    ],
)
def test_strings_and_comments_are_found_in_any_text(text: str, spans: list[str]) -> None:
    """As a tokenizer would find them, and again after what is none."""
    assert [text[begin:end] for begin, end in QuotedText(text).spans(0, len(text))] == spans
    later = f"'{text}"
    assert [later[begin:end] for begin, end in QuotedText(later).spans(1, len(later))] == spans


def test_what_is_past_the_bounds_is_no_program() -> None:
    """Up to them it is one."""
    deep = "(" * DEEPEST_BRACKETS + "x" + ")" * DEEPEST_BRACKETS
    assert read_python(deep) is not None
    assert read_python(f"({deep})") is None
    blocks = "".join(" " * depth + "if x:\n" for depth in range(DEEPEST_INDENT - 1)) + " " * (DEEPEST_INDENT - 1)
    assert read_python(f"{blocks}x") is not None
    assert read_python(f"{blocks}if x:\n{' ' * DEEPEST_INDENT}x") is None
    assert read_python("#" * LONGEST_TEXT) is not None
    assert read_python("#" * (LONGEST_TEXT + 1)) is None
    assert read_python("lambda a=" * DEEPEST_EXPRESSION + "1") is None
    assert read_python("x\0") is None
    assert read_python("'\ud800'") is None


FILLERS = (
    *(
        "(",
        ")",
        "[",
        "{",
        "'",
        '"',
        '"""',
        "'\\'",
        '"""\\"',
        'f"{',
        "f'''{",
        "f'{a:{",
        "f'{'",
        "t'{",
        "f'\\N{",
        "b'\\x",
    ),
    *(
        "-",
        "not ",
        "await ",
        "**",
        "a.",
        "a=",
        "a,",
        "a;",
        "a(b)(",
        "lambda:",
        "lambda a=",
        "a if b else ",
        "(a:=",
        "1_",
    ),
    *(
        " ",
        "\t",
        "\f",
        "\n",
        "\r",
        "\\\n",
        "# x\n",
        "x=1\n",
        "@a\n",
        "if x:",
        "if x:\n",
        "match ",
        "with (a as b,",
        "0x_",
        "é",
    ),
    *("[a for a in ", "f(a for "),
)


@pytest.mark.parametrize("filler", FILLERS)
def test_a_text_of_one_thing_over_and_over_ends(filler: str) -> None:
    """The work grows with the text alone; a quadratic one would not end here."""
    text = filler * (20_000 // len(filler))
    read_python(text)
    read_python(text + "x")
    for begin, end in QuotedText(text).spans(0, len(text)):
        assert begin < end


def test_a_long_chain_of_operators_is_a_program() -> None:
    """No operator nests, so that none is bounded: the interpreter's own parser gives up on some of these."""
    for text in ("not " * 20_000 + "x", "-" * 20_000 + "x", "x" + ".x" * 20_000, "lambda:" * 20_000 + "x"):
        assert read_python(text) is not None
    assert read_python("x if x else " * 20_000 + "x") is not None
    assert read_python(f"match x:\n case [{'1 | (2 | 3), ' * 10_000}]: pass") is not None


def library_files() -> list[Path]:
    """Return the standard library's files, without those that are broken on purpose."""
    files = (path for path in sorted(LIBRARY.rglob("*.py")) if "site-packages" not in path.parts)
    return [path for path in files if "lib2to3" not in path.parts and not path.name.startswith("bad")]


def tokenized_spans(text: str) -> list[tuple[int, int]]:
    """Return where the interpreter's tokenizer finds strings and comments, an f-string of 3.12 and later as a whole."""
    starts = list(accumulate((len(line) for line in text.splitlines(keepends=True)), initial=0))
    spans: list[tuple[int, int]] = []
    depth = begin = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        if name in ("STRING", "COMMENT", "FSTRING_START", "TSTRING_START") and not depth:
            begin = starts[token.start[0] - 1] + token.start[1]
        depth += name.endswith("STRING_START")
        depth -= name.endswith("STRING_END")
        if name in ("STRING", "COMMENT", "FSTRING_END", "TSTRING_END") and not depth:
            spans.append((begin, starts[token.end[0] - 1] + token.end[1]))
    return spans


def check_files(files: list[Path]) -> None:
    for path in files:
        text = path.read_bytes().decode(errors="surrogateescape")
        if compiles(text):
            assert read_python(text) is not None, path
            if not re.search("[\f\v\r\x1c-\x1e\x85\u2028\u2029]", text):  # which splitlines splits at
                assert list(QuotedText(text).spans(0, len(text))) == tokenized_spans(text), path


def test_a_sample_of_the_standard_library_is_python() -> None:
    """Every file of it that the interpreter takes, with strings and comments where its tokenizer finds them."""
    check_files(library_files()[::200])


@pytest.mark.long
def test_the_standard_library_is_python() -> None:
    """All of it, and its test suite."""
    check_files(library_files())


PIECES = re.compile(r"\w+|[ \t]+|\n|[^\w\s]")


def mutant(text: str, generator: random.Random) -> str:
    """Return the text with a piece deleted, doubled, swapped, replaced, cut off after or joined to the next line."""
    pieces = PIECES.findall(text)
    for _ in range(generator.choice([1, 1, 2])):
        at, other = generator.randrange(len(pieces)), generator.randrange(len(pieces))
        match generator.randrange(6):
            case 0:
                pieces[at] = ""
            case 1:
                pieces[at] *= 2
            case 2:
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case 3:
                pieces[at] = f" {pieces[other]} "
            case 4:
                del pieces[at + 1 :]
            case _:
                pieces[at] = pieces[at].replace("\n", " ")
    return "".join(pieces)


def disagreements(count: int) -> Iterator[tuple[str, bool]]:
    """Yield mutants of the legal samples on which the interpreter and ``read_python`` differ, and its verdict."""
    generator = random.Random(7)
    samples = [text for text in SAMPLES.split("\n---\n") if compiles(text)]
    for _ in range(count):
        text = mutant(generator.choice(samples), generator)
        verdict = compiles(text)
        if verdict != (read_python(text) is not None):
            yield text, verdict


def test_mutants_get_the_verdict_of_the_interpreter() -> None:
    """None that is legal is refused; an odd one may pass, and those of newer grammars do."""
    found = list(disagreements(1500))
    assert [text for text, legal in found if legal] == []
    assert len(found) < 15


@pytest.mark.long
def test_many_mutants_get_the_verdict_of_the_interpreter() -> None:
    """The same for more of them."""
    found = list(disagreements(50_000))
    assert [text for text, legal in found if legal] == []
    assert len(found) < 500


def programs(value: object) -> Iterator[str]:
    """Yield every text in a record, programs among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from programs(item)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "step"),
    [("recorded/apps", 4), ("recorded/mbpp", 40), ("recorded/taco", 8), ("codecontests/train_subset", 40)],
)
def test_recorded_programs_get_the_verdict_of_the_interpreter(data_dir: Path, name: str, step: int) -> None:
    """Programs of models and of people, of this language and others, and the words around them."""
    check_records(data_dir / f"{name}.jsonl.gz", step)


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        "codecontests/train_subset",
        *(f"recorded/{name}" for name in ("apps", "codecontests", "mbpp", "humaneval", "taco")),
    ],
)
def test_all_recorded_programs_get_the_verdict_of_the_interpreter(data_dir: Path, name: str) -> None:
    """The same for all of them."""
    check_records(data_dir / f"{name}.jsonl.gz", 1)


def check_records(path: Path, step: int) -> None:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = {text for number, line in enumerate(lines) if number % step == 0 for text in programs(json.loads(line))}
    for text in texts:
        if len(text) < 50_000 and compiles(text) != (read_python(text) is not None):
            # Syntax of 3.12 and later is no program to an older interpreter.
            assert read_python(text) is not None, text
            assert sys.version_info < (3, 12), text


PYTHON_LIKE = st.lists(
    st.sampled_from([*PIECES.findall(SAMPLES), *"'\"\\\n\t{}#", '"""', "'''", "f'", 'f"', "r'", "    ", "\r\n"]),
    max_size=60,
).map("".join)


def check_any_text(text: str) -> None:
    source = read_python(text)
    assert source is None or all(name.isidentifier() for name in source.defines)
    spans = list(QuotedText(text).spans(0, len(text)))
    assert all(begin < end <= len(text) for begin, end in spans)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200), PYTHON_LIKE))
def test_any_text_gets_an_answer(text: str) -> None:
    """No text raises, and the spans lie one after the other."""
    check_any_text(text)


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(st.one_of(st.text(max_size=500), PYTHON_LIKE))
def test_very_many_texts_get_an_answer(text: str) -> None:
    """The same for more of them."""
    check_any_text(text)
