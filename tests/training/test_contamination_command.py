"""``turnwise contamination`` on the bundled sample and a benchmark of ours: what it prints and writes, and mistakes.

The golden files are written anew with TURNWISE_WRITE_GOLDEN=1 where a change is meant; they are to be read then.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from turnwise import __version__
from turnwise.benchmarks.catalog import load_problems
from turnwise.cli.main import _finish

GOLDEN = Path(__file__).parent / "golden"
AGAINST = ("--against", "sample_codecontests,sample_taco_singleturn", "--benchmark", "toy.jsonl")
TURNS = (
    "Then the bell rings, the gardeners put their spades aside, and Wilhelmina walks along the wall to count the"
    " swallows that sit upon the wire above the old orchard while her cousin Barnaby paints the fence in seven colours"
    " and whistles a song about the sea, which none of the neighbours has ever heard before this windy afternoon, so"
    " they open their windows, lean over the flower pots and ask him to begin once more from the very first verse."
)
Turnwise = Callable[..., tuple[int, str, str]]


def _rows() -> list[dict[str, object]]:
    kettles, _, ledger, _ = load_problems("sample_codecontests").problems
    begin = ledger.statement.split()
    tests = [{"input": test.input, "output": test.output} for test in ledger.public_tests]
    return [
        {
            "name": "kettles",
            "statement": "<b onclick=x>Tea & kettles</b> </pre><script>alert(1)</script>\n\n"
            + kettles.statement.upper(),
            "public_tests": [{"input": "1\n", "output": "1\n"}],
            "hidden_tests": [{"input": "31415926\n", "output": "27182818\n"}],
        },
        {
            "name": "ledger",
            "statement": " ".join([*begin[: len(begin) // 4], TURNS]),
            "public_tests": tests,
            "hidden_tests": tests,
        },
        {
            "name": "next",
            "statement": "Print the next number.",
            "public_tests": [{"input": "1\n", "output": "2\n"}],
            "hidden_tests": [{"input": "4\n", "output": "5\n"}],
        },
    ]


@pytest.fixture
def turnwise(
    tmp_path: Path, cache_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Turnwise:
    """turnwise(*arguments) returns the exit status, what was printed, and what was said meanwhile."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TURNWISE_CACHE", str(cache_dir))
    Path("toy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in _rows()))

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["turnwise", "contamination", *arguments])
        status = _finish(["contamination", *arguments])
        return status, *capsys.readouterr()

    return run


def _check_golden(name: str, text: str) -> None:
    text = text.replace(f'"{__version__}"', '"VERSION"')
    if os.environ.get("TURNWISE_WRITE_GOLDEN"):
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()


def test_report_is_the_golden_one(turnwise: Turnwise) -> None:
    """A copy is found by its statement, a near one by a solution; equal input gives equal bytes."""
    status, printed, said = turnwise("-t", "toy", *AGAINST, "-o", "out")
    assert status == 0, said
    assert "statements compared, by test set 2/2" in said and "solutions on the tests of others" in said
    _check_golden("contamination.txt", printed)
    record, page = (Path(f"out/contamination{ending}").read_text() for ending in (".json", ".html"))
    _check_golden("contamination.json", record)
    _check_golden("contamination.html", page)
    for text in (printed, record, page):  # no hidden test, though solutions were run on them
        assert "31415926" not in text and "27182818" not in text


def test_page_shows_both_statements_escaped(turnwise: Turnwise) -> None:
    """Statements are others' text; the page stands beside a record that was named."""
    assert turnwise("-t", "toy_multiturn", *AGAINST, "--no-solutions", "-o", "new/toy.json")[0] == 0
    assert sorted(path.name for path in Path("new").iterdir()) == ["toy.html", "toy.json"]
    page = Path("new/toy.html").read_text()
    assert "&lt;b onclick=x&gt;Tea &amp; kettles&lt;/b&gt; &lt;/pre&gt;&lt;script&gt;alert(1)" in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")
    kettles = load_problems("sample_codecontests").problems[0]
    assert kettles.statement.split("\n")[0] in page


def test_json_is_one_document(turnwise: Turnwise) -> None:
    """The record, its counts by test set, and the published number; without solutions no program runs."""
    status, printed, _ = turnwise("-t", "toy", *AGAINST, "--no-solutions", "--json")
    document = json.loads(printed)
    assert status == 0
    assert document["settings"] == {"containment": 0.5, "embed": "", "solutions": False}
    assert document["counts"] == {
        "sample_codecontests": {"contaminated": 1, "by_statement": 1, "by_solutions": 0, "near_pairs": 1},
        "sample_taco": {"contaminated": 0, "by_statement": 0, "by_solutions": 0, "near_pairs": 0},
    }
    assert list(document["problems"]) == ["toy/kettles"]
    assert document["compared"] == 3 and set(document["data_sha256"]) == {"toy", "sample_codecontests", "sample_taco"}
    assert "288 train problems" in document["published"]


def test_lower_containment_takes_more(turnwise: Turnwise) -> None:
    """What is near at 0.5 is one problem at 0.2."""
    _, printed, _ = turnwise("-t", "toy", *AGAINST, "--no-solutions", "--containment", "0.2", "--json")
    assert list(json.loads(printed)["problems"]) == ["toy/kettles", "toy/ledger"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-t", "toy", "--against", "toy_singleturn"], "--against names toy, whose problems are among those of toy"),
        (["-t", "taco", "--against", "mbpp_plus,taco_hard"], "--against names taco_hard, whose problems are among"),
        (["-t", "nosuch", "--against", "taco"], "Unknown task 'nosuch': turnwise tasks lists those there are."),
        (["-t", "toy", "--against", "nosuch"], "Unknown task 'nosuch': turnwise tasks lists those there are."),
        (["-t", "toy", "--against", " ,"], "--against names no task: name test sets, such as taco,humaneval_plus."),
        (["-t", "sample_*", "--against", "toy"], "--tasks 'sample_*' names 4 sets of problems (sample_codecontests, "),
        (["-t", "toy", *AGAINST, "--containment", "0"], "--containment is 0: give a share above 0, up to 1."),
        (["-t", "toy", *AGAINST, "--containment", "1.5"], "--containment is 1.5: give a share above 0, up to 1."),
        (["-t", "toy", *AGAINST, "--containment", "nan"], "--containment is nan: give a share above 0, up to 1."),
        (["-t", "toy", *AGAINST, "--data-dir", "nosuch"], "The data directory 'nosuch' does not exist: give another"),
        (["-t", "toy", "--against", "taco", "--data-dir", "."], "No data of taco/test in 'taco': put one of"),
        (["-t", "toy", *AGAINST, "--workers", "-1"], "--workers is -1: give a whole number"),
        (["-t", "toy", *AGAINST, "-o", "toy.jsonl"], "The output 'toy.jsonl' cannot be written, since "),
    ],
)
def test_mistakes_are_one_sentence(turnwise: Turnwise, arguments: list[str], said: str) -> None:
    """Thing, value and remedy; exit status 2, and nothing is printed or written."""
    if "--benchmark" not in arguments:
        arguments = [*arguments, "--benchmark", "toy.jsonl"]
    status, printed, error = turnwise(*arguments)
    assert (status, printed) == (2, "")
    assert f"turnwise: {said}" in error and "Traceback" not in error
    assert [path.name for path in Path().iterdir()] == ["toy.jsonl"]
