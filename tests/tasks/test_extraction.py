"""The program of a reply is what a person would take from it, whatever Markdown stands around it.

Every test below is one kind of harm that replies come with; PROGRAM is what each has to give.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.errors import TurnwiseError
from turnwise.tasks.extraction import EXTRACTIONS, check_extraction, extract_program

PROGRAM = "def f(a):\n    return a + 1\n"
_QUOTED_FENCE = 'def f(a):\n    """Doc.\n\n    ```\n    f(1)\n    ```\n    """\n    return a + 1\n'


def _indented(by: str, text: str = PROGRAM) -> str:
    return "".join(by + line + "\n" for line in text.splitlines())


def _check(reply: str, program: str = PROGRAM) -> None:
    for entry_point in ("", "f"):
        found = extract_program(reply, entry_point=entry_point)
        assert found is not None
        assert found.strip() == program.strip()


@pytest.mark.parametrize(
    "reply",
    [
        f"<answer>\n```python\n{PROGRAM}```\n</answer>",
        f"<answer>```python\n{PROGRAM}```</answer>",
        f"<answer>```\n{PROGRAM}```</answer>",
        f"<details><summary>Code</summary>\n```python\n{PROGRAM}```\n</details>",
        f"<!-- the answer -->\n```python\n{PROGRAM}```",
        f"<div>\nSo:<br>\n```python\n{PROGRAM}```\n</div>",
        f"| a | b |\n|---|---|\n```python\n{PROGRAM}```",
        f"<pre>\n```python\n{PROGRAM}```\n</pre>",
        f"<TabItem>\n```python title='main.py' {{1-2}} showLineNumbers\n{PROGRAM}```\n</TabItem>\n```js\nf(1)\n```",
        f"$$x = 1$$\n\\boxed{{```python\n{PROGRAM}```}}",
    ],
)
def test_html_and_tables_hide_no_fence(reply: str) -> None:
    """A fence right under a line of HTML is none to Markdown."""
    _check(reply)


@pytest.mark.parametrize(
    "reply",
    [
        f"So:\n\n    ```python\n{_indented('    ')}    ```\n",
        f"So:\n\n    ```python\n{PROGRAM}    ```\n",
        f"1.\tDo:\n\n\t```python\n{_indented(chr(9))}\t```\n",
        f"\t```python\n{PROGRAM}\t```\n",
        f"- ```python\n{_indented('  ')}  ```\n",
        f"1. ```python\n{_indented('   ')}   ```\n",
        f"> So:\n> ```python\n{_indented('> ')}> ```\n",
        f">```python\n{_indented('>')}>```\n",
        f"```python\n{_indented('    ')}```",
        f"- > ```python\n{_indented('  > ')}  > ```\n",
        f"> > ```python\n{_indented('> > ')}> > ```\n",
        f"> - ```python\n{_indented('>   ')}>   ```\n",
        f"**```python**\n{PROGRAM}**```**",
    ],
)
def test_indentation_and_quote_marks_hide_no_fence(reply: str) -> None:
    """Four blanks or a tab make it a literal to Markdown; what the whole program is indented by is taken away."""
    _check(reply)


@pytest.mark.parametrize(
    "reply",
    [
        f"\u200b```python\n{PROGRAM}\u200b```",
        f"```python\u200b\n{PROGRAM}```\u200b",
        f"`\u200b`\u200b`python\n{PROGRAM}```",
        f"\ufeff```python\n{PROGRAM}```",
        f"\u00a0```python\n{PROGRAM}```",
        f"\\`\\`\\`python\n{PROGRAM}\\`\\`\\`",
        "```python\n" + PROGRAM.replace("    ", "\u00a0" * 4) + "```",
        "```python\n" + PROGRAM.replace("return", "\u200breturn\u2060") + "```",
        f"```python\n{PROGRAM}```".replace("\n", "\r\n"),
        f"```python\n{PROGRAM}```".replace("\n", "\r"),
    ],
)
def test_invisible_characters_hide_nothing(reply: str) -> None:
    """Nor do blanks of other kinds, escapes before the marks and line ends of other systems."""
    _check(reply)


def test_invisible_characters_of_a_right_program_stay() -> None:
    """They are part of its strings."""
    program = "print('a\u00a0b\u200b')\n"
    assert extract_program(f"```python\n{program}```") == program


@pytest.mark.parametrize(
    "end",
    [
        "```<|im_end|>",
        "```\n<|eot_id|>",
        "```</s>",
        "``` This works.",
        "```This works.",
        "``` Python is used here.",
        "      ```",
        "`````",
        "",
        "<|endoftext|>",
        "</s>",
        "<\uff5cend\u2581of\u2581sentence\uff5c>",
        "</answer>",
        "</answer>\nIt's what was asked for.",
        "```\n\nThe text ``` is a fence.",
        "```[|endofturn|]",
        "[|endofturn|]",
        "``",
        "```---\nNote: it's fast",
        "```\n<|im_start|>user\nThanks",
    ],
)
def test_a_closing_fence_may_have_company_or_be_missing(end: str) -> None:
    """Marks of the model's template, a sentence, blanks."""
    _check(f"```python\n{PROGRAM}{end}")
    _check(f"<answer>\n```python\n{PROGRAM}{end}")


@pytest.mark.parametrize(
    "reply",
    [
        f"```python\n{PROGRAM.rstrip()}```",
        f"```python\n{PROGRAM.rstrip()}``` done",
        f"```python\n{PROGRAM.rstrip()}<|im_end|>",
        f"````python\n{PROGRAM}```\nThat is it.",
        f"```python\n{PROGRAM}\nNow it's tested:\n```text\n12\n```",
        f"```python\nx = 1\n\nLet's do better:\n```python\n{PROGRAM}```",
        f"~~~python\n{PROGRAM}~~~ end",
        f"```python\n{PROGRAM}\nThis function adds one to it.",
        f"```python\n{PROGRAM}Explanation:\n- it's one more",
        f"```python\n{PROGRAM}\n**Time**: O(1)",
        f"```python\n{PROGRAM}\n---\nDone.",
        f"```python\n{PROGRAM}\n\u8fd9\u662f\u7b54\u6848\u3002",
        f"```\n{PROGRAM}\nYou can call it.",
        f"```python\n{PROGRAM}\nOutput:\n```\n2\n```",
        f"```python\n{PROGRAM}```json\n{{}}\n```",
    ],
)
def test_a_closing_fence_may_stand_behind_code_or_be_forgotten(reply: str) -> None:
    """The next block begins then."""
    _check(reply)


@pytest.mark.parametrize(
    "reply",
    [
        f"Here is the code: ```python\n{PROGRAM}```",
        f"Here is the code: ```\n{PROGRAM}```",
        f"**Solution** ```py\n{PROGRAM}```",
        "```python def f(a):\n    return a + 1\n```",
        f"``` # solution\n{PROGRAM}```",
    ],
)
def test_an_opening_fence_may_stand_behind_text_or_before_code(reply: str) -> None:
    """On its line."""
    found = extract_program(reply)
    assert found is not None
    assert found.strip().removeprefix("# solution\n") == PROGRAM.strip()


@pytest.mark.parametrize(
    "end", ["```", "```\nThis works.", "``` This works.", "```<|im_end|>", "```\nIt says:\n```\n12\n```"]
)
@pytest.mark.parametrize("begin", ["", "python\n"])
def test_an_opening_fence_may_be_forgotten(begin: str, end: str) -> None:
    """The prompt may have given it, with the tag or without."""
    _check(f"{begin}{PROGRAM}```{end}")


@pytest.mark.parametrize(
    "tag",
    [
        "python",
        "py",
        "Python3",
        "python:main.py",
        "main.py",
        "src/solution.py",
        "1:10:src/solution.py",
        "python filename=main.py",
        'python title="a b c d e"',
        "python3.11",
        "Python 3",
        "python-3.10",
        " python 3.10.2",
        "py3.8",
        "pypy3",
        "{.python}",
        "{python}",
        '{.python .numberLines startFrom="1"}',
        "python{1,3}",
        "lang=python",
        "language-python",
        "python linenums",
        "python,ignore",
        "{code-cell} ipython3",
        "{code-block} python\n:linenos:\n:caption: x",
        "{code-cell} python\n---\ntags: [a]\n---",
        "python script.py - the final solution of the problem",
        "12:20:app/main.py",
        "{python, eval=FALSE}",
        "PYTHON",
    ],
)
def test_a_tag_may_name_python_in_many_ways(tag: str) -> None:
    """Such a block goes before an untagged one."""
    _check(f"```{tag}\n{PROGRAM}```\nor\n```\nx = 5\n```")


@pytest.mark.parametrize(
    "tag",
    [
        "solution",
        "starlark",
        "code",
        "text",
        "\npython",
        "\nPython 3",
        "\npython3.11",
        "\nmain.py",
        "python\nCopy code",
    ],
)
def test_a_lone_block_may_have_another_tag_or_its_tag_inside(tag: str) -> None:
    """There is nothing else to take."""
    _check(f"```{tag}\n{PROGRAM}```\nThat is it.")


@pytest.mark.parametrize("code", ["12", "int x;", "python3 main.py", '{"a": 1}', "# nothing"])
@pytest.mark.parametrize("tag", ["text", "cpp", "bash", "json", "output"])
def test_a_block_of_another_language_is_no_program(tag: str, code: str) -> None:
    """Unless it is Python that does something."""
    assert extract_program(f"```{tag}\n{code}\n```") is None


@pytest.mark.parametrize(
    "program",
    [
        _QUOTED_FENCE,
        '"""\n```\nx\n```\n"""\n' + PROGRAM,
        '"""\n```python\nf(1)\n```\n"""\n' + PROGRAM,
        "'''\n```\nx\n```\n'''\n" + PROGRAM,
        "fence = '```'\n" + PROGRAM,
        "# ``` begins it\n" + PROGRAM,
        PROGRAM + 'print(f"""\n```\n{f(1)}\n```\n""")\n',
        "import re\nR = re.compile(r'```(?:python)?\\n(.*?)```', re.S)\n" + PROGRAM,
    ],
)
def test_fences_within_the_program_belong_to_it(program: str) -> None:
    """In its strings and comments, and where the whole reply is the program."""
    _check(f"So:\n```python\n{program}```\nThat is it.", program)
    _check(program, program)


@pytest.mark.parametrize(
    "reply",
    [
        f"```markdown\n# Title\n```python\n{PROGRAM}```\nText.\n```",
        f"````markdown\n# Title\n```python\n{PROGRAM}```\nText.\n````",
        f"```\nHere it is:\n```python\n{PROGRAM}```\n```",
        f"```\n```python\n{PROGRAM}```\n```",
        f"```python\n```python\n{PROGRAM}```\n```",
        f"```markdown\n```python\n{PROGRAM}```\n```text\n12\n```\n```",
    ],
)
def test_fences_around_the_whole_reply_hide_nothing(reply: str) -> None:
    """The block within them is the program."""
    _check(reply)


@pytest.mark.parametrize(
    "later",
    [
        "```\n12\n```",
        "```\nYES\nNO\n```",
        "```\nO(n log n)\n```",
        "```\npython main.py < in.txt\n```",
        '```\n{"a": [1, 2]}\n```',
        '```\nTraceback (most recent call last):\n  File "x"\nValueError: 3\n```',
        "```bash\npython main.py < in.txt\n```",
        "```python\n# nothing more\n```",
        "```python\n'abc'\n```",
        "```python\n...\n```",
        "```python\n>>> f(1)\n2\n```",
        "```python\ndef f(a:",
        "and ```f(1)``` is 2",
        "```\nO(n)\n```",
        "```python\nO(n)\n```",
        "```\nmain(3)\n```",
        "```\nproject/\n\u251c\u2500\u2500 main.py\n```",
        "```\n$ python main.py\n5\n```",
        "```\n#include <stdio.h>\nint main() { return 0; }\n```",
        "```python\nclass T:\n    def test(self):\n        self.assertEqual(f(1), ",
        '```python\ntext = """\nabc',
        "```python\ndef f(a: int) -> int:\n    ...\n```",
        '```python\ndef f(a):\n    """Add one."""\n```',
        "```python\n",
        "```python\nx = 5\nThen it says 6.\n```",
    ],
)
@pytest.mark.parametrize("tag", ["", "python"])
def test_a_later_block_that_cannot_be_the_program_is_none(tag: str, later: str) -> None:
    """Its output, a command, comments, a session, a draft that was cut off."""
    _check(f"```{tag}\n{PROGRAM}```\nIt says:\n{later}")


def test_of_several_programs_the_last_that_defines_the_function_is_taken() -> None:
    """Else the last that does something, else the last block."""
    text = f"```python\n{PROGRAM}```\n```python\nprint(f(1))\n```\n```python\n1\n```"
    assert extract_program(text, entry_point="f") == PROGRAM
    assert extract_program(text) == extract_program(text, entry_point="g") == "print(f(1))\n"
    used = f"```python\n{PROGRAM}```\nUsage:\n```python\nfrom solution import f\n\nprint(f(1))\n```"
    assert extract_program(used, entry_point="f") == PROGRAM
    assert extract_program("```python\none\n```\n```\ntwo\n```") == "one\n"
    assert extract_program("```python\none\n```\n```python\ntwo\n```") == "two\n"
    assert extract_program("```python\nclass Solution:\n    x = 1\n```\n```python\nx = 2\n```", entry_point="f") == (
        "class Solution:\n    x = 1\n"
    )


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("```python\none(\n```\nb\n```python\ntwo(\n```\nc", "two(\n"),
        ("```python\n\n```", None),
        ("", None),
        ("Use `print(1)` here.", None),
        ("Done.", None),
        ("print(1)", "print(1)"),
        ("print(1)<|im_end|>", "print(1)\n"),
        ("<s> print(1)</s>", "print(1)\n"),
        ("def f(a):\n    pass\n", "def f(a):\n    pass\n"),
        ("<|begin_of_text|>print(1)<|eot_id|>", "print(1)\n"),
        ("[PYTHON]\nprint(1)\n[/PYTHON]", "print(1)\n"),
        ('<pre><code class="language-python">\nprint(1)\n</code></pre>', "print(1)\n"),
        ("<python>\nprint(1)\n</python>", "print(1)\n"),
        ("Answer: print(3)", None),
        ("Done(ok)", None),
        ('{"code": "print(1)"}', None),
        ("print(1)\n```\n\nTests:\n\n```python\nprint(2", "print(1)\n"),
        ("```python\ndef f(a):\n    return (a +", "def f(a):\n    return (a +"),
        ("42", None),
        ("```python\na\tb\n```", "a\tb\n"),
        ("<think>```python\nwrong\n```</think>\n```python\nright\n```", "right\n"),
        ("thinking ```python\nwrong\n```</think>done", None),
        ("<think>\ncut off in ```python\nwrong\n```", None),
        ("Say <think> here:\n```python\nright\n```", "right\n"),
        ("```python\nx = '</think>'", "x = '</think>'"),
        ("```python\nx\0y\n```", "x\0y\n"),
    ],
)
def test_text_outside_of_blocks_is_no_program(text: str, program: str | None) -> None:
    """Unless the whole reply is Python; a block is one even where it is no Python; thinking is none."""
    assert extract_program(text) == program


def test_first_last_and_longest_choose_by_the_letter() -> None:
    """CommonMark's blocks, tagged or else untagged; an unknown choice is refused."""
    text = "```python\none\n```\n```python\nthe longest\n```\n```python\n# last\n```"
    found = {which: extract_program(text, which=which) for which in ("first", "longest", "last")}
    assert found == {"first": "one\n", "longest": "the longest\n", "last": "# last\n"}
    for which in ("first", "longest", "last"):
        assert extract_program(f"<answer>\n```python\n{PROGRAM}```\n</answer>", which=which) is None
        assert extract_program("print(1)", which=which) is None
        assert extract_program("<think>```\nno\n```</think>```\nyes\n```", which=which) == "yes\n"
    with pytest.raises(TurnwiseError, match="'best': choose one of last_program, last, first, longest"):
        check_extraction("best")


def test_every_reported_reply_gives_its_program(data_dir: Path) -> None:
    """What stands in a fence of plain Markdown is found in every other dress, but for what its docstring adds."""
    folder = data_dir.parent / "faults" / "extraction"
    plain = dict(_programs(folder / "plain.jsonl"))
    files = sorted(folder.glob("*.jsonl"))
    assert len(files) >= 9
    for file in files:
        for name, program in _programs(file):
            assert program is not None
            assert program.rpartition('"""\ndef ')[2].rpartition('"""\nfrom ')[2] in (plain[name] or ""), file.name


def _programs(path: Path) -> Iterator[tuple[str, str | None]]:
    for line in path.read_text().splitlines():
        row = json.loads(line)
        yield row["task_id"], extract_program(row["turns"][0]["response"])


_MARKS = ("```", "````", "~~~", "`", "python", "md", "\n", "\n\n", " ", "    ", "\t", "> ", "- ", "\\", "\r")
_THOUGHTS = ("<think>", "</think>", "<|channel|>final", "<|message|>", "<|end|>", "[THINK]", "[/THINK]", "</answer>")
_CODE = ("def f(a):", "return 1", "x = 1", "print(1)", "Don't.", "{", "(", "f'{", '"""', "'", '"', "#")
_PIECES = st.sampled_from((*_MARKS, *_THOUGHTS, *_CODE, "\u200b", "\u00a0", "\0", "\ud800"))
_REPLIES = st.lists(_PIECES, max_size=40).map("".join)


def _check_any(reply: str) -> None:
    for which in EXTRACTIONS:
        program = extract_program(reply, which=which, entry_point="f")
        assert program is None or program.strip()


@given(_REPLIES)
@settings(max_examples=150, deadline=None)
def test_any_reply_gives_a_program_or_none(reply: str) -> None:
    """Nothing in a reply ends a run."""
    _check_any(reply)


@pytest.mark.long
@given(_REPLIES | st.text())
@settings(max_examples=20_000, deadline=None)
def test_any_of_many_replies_gives_a_program_or_none(reply: str) -> None:
    """Nothing in a reply ends a run, twenty thousand times."""
    _check_any(reply)


_REPEATED = (
    *("```\n", "```python\n", "``` ", "`", "```md\n", "~~~\n", "\\`", "'`\n", "````python\n```\n", "``` a\n"),
    *("```python\nx=1\n```\n", '```python\n"""\n', '```\nx="""\n```\n', "> ```python\n> x=1\n"),
    *(
        "```python\nfoo bar\n\n",
        '```\n"""\n```\n\\"""',
        "f'{",
        "```\nf'''{\n",
        "This is\n",
        "```python\nThis is\n",
        ":a:\n",
    ),
    *(
        "<think>",
        "<think></think>",
        "# <think>\n",
        "```'''<think>",
        "<|channel|>final<|message|>",
        "<|a|>",
        " <|a|>\n",
        "</answer>\n",
        "<",
    ),
    *(" ", "\u200b", "\n", "'", '"', "1. "),
)


def _check_repeated(piece: str, length: int) -> None:
    text = piece * (length // len(piece))
    extract_program(text)
    extract_program(f"```python\n{text}\n```")


@pytest.mark.parametrize("piece", _REPEATED)
def test_a_reply_of_one_piece_repeated_is_read(piece: str) -> None:
    """Ten thousand characters of it."""
    _check_repeated(piece, 10_000)


@pytest.mark.long
@pytest.mark.parametrize("piece", _REPEATED)
def test_a_giant_reply_of_one_piece_repeated_is_read_in_its_length(piece: str) -> None:
    """Where it took the square of it, this test would not end."""
    _check_repeated(piece, 500_000)
