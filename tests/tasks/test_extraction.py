"""The program of a reply is its last Python block, whatever Markdown stands around it."""

import pytest

from turnwise.errors import TurnwiseError
from turnwise.tasks.extraction import check_extraction, extract_program
from turnwise.tasks.trajectory import strip_thinking


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("```python\nprint(1)\n```", "print(1)\n"),
        ("a\n```python\none\n```\nb\n```python\ntwo\n```\nc", "two\n"),
        ("```py\nx\n```", "x\n"),
        ("```Python3\nx\n```", "x\n"),
        ("```python title=a.py\nx\n```", "x\n"),
        ("~~~python\nx\n~~~", "x\n"),
        ("````python\n'''\n```\n'''\n````", "'''\n```\n'''\n"),
        ("```\nx\n```", "x\n"),
        ("```python\nx\n```\nOutput:\n```\n42\n```", "x\n"),
        ("```python\nx\n```\n```text\n42\n```\n```cpp\nint x;\n```", "x\n"),
        ("```text\n42\n```", None),
        ("```python\nx\n", "x\n"),
        ("1. so:\n\n   ```python\n   if x:\n       y\n   ```", "if x:\n    y\n"),
        ("```python\n\n```", None),
        ("print(1)", None),
        ("", None),
        ("Use `print(1)` here.", None),
        ("```python\r\nx\r\ny\r\n```", "x\ny\n"),
        ("```python\na\tb\n```", "a\tb\n"),
        ("<think>```python\nwrong\n```</think>\n```python\nright\n```", "right\n"),
        ("thinking ```python\nwrong\n```</think>done", None),
        ("<think>\ncut off in ```python\nwrong\n```", None),
        ("Say <think> here:\n```python\nright\n```", "right\n"),
        ("```python\nx = '</think>'", None),
    ],
)
def test_the_last_python_block_is_the_program(text: str, program: str | None) -> None:
    """Tagged blocks before untagged ones, unclosed ones to the end, thinking not at all."""
    assert extract_program(text) == program


def test_a_nul_in_a_block_stays_a_program() -> None:
    """The judge decides that it does not compile; extraction does not fail."""
    assert extract_program("```python\nx\0y\n```")


def test_thinking_ends_at_its_last_mark() -> None:
    """A reply without the mark is kept whole."""
    assert strip_thinking("a</think>b</think>c") == "c"
    assert strip_thinking("plain") == "plain"


def test_first_last_and_longest_choose_among_the_blocks() -> None:
    """An option of a run; an unknown one is refused."""
    text = "```python\none\n```\n```python\nthe longest\n```\n```python\nlast\n```"
    found = {which: extract_program(text, which=which) for which in ("first", "longest", "last")}
    assert found == {"first": "one\n", "longest": "the longest\n", "last": "last\n"}
    with pytest.raises(TurnwiseError, match="'best': choose one of last, first, longest"):
        check_extraction("best")
