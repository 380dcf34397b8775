"""Prompts are files with hashes; a missing file, a broken one and an unknown name are said plainly."""

import shutil
from pathlib import Path

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.errors import TurnwiseError
from turnwise.tasks.dialogue import render_statement
from turnwise.tasks.prompts import DEFAULT_SET, REQUIRED_IDS, PromptSet

BUNDLED = Path(__file__).resolve().parents[2] / "tasks" / "prompts" / DEFAULT_SET


def test_the_bundled_set_has_a_hash_per_prompt() -> None:
    """The hashes go into every run."""
    prompts = PromptSet.load()
    assert prompts.name == "turnwise-2"
    assert set(prompts.hashes) >= REQUIRED_IDS
    assert all(len(digest) == 16 for digest in prompts.hashes.values())


def test_a_changed_wording_changes_its_hash_only(tmp_path: Path) -> None:
    """Another folder is another set."""
    folder = shutil.copytree(BUNDLED, tmp_path / "mine")
    (folder / "no_code.j2").write_text("Where is it?")
    mine, bundled = PromptSet.load(folder), PromptSet.load()
    assert mine.render("no_code") == "Where is it?"
    assert {one for one in bundled.hashes if mine.hashes[one] != bundled.hashes[one]} == {"no_code"}


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "lacks the file 'no_code.j2': begin with"), ("{% if %}", "no Jinja2 template")],
)
def test_a_broken_set_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    """File and reason stand in the sentence."""
    folder = shutil.copytree(BUNDLED, tmp_path / "mine")
    (folder / "no_code.j2").unlink()
    if content is not None:
        (folder / "no_code.j2").write_text(content)
    with pytest.raises(TurnwiseError, match=message):
        PromptSet.load(folder)


def test_a_prompt_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    """The file stands in the sentence."""
    folder = shutil.copytree(BUNDLED, tmp_path / "mine")
    (folder / "no_code.j2").write_bytes("Où ?".encode("latin-1"))
    with pytest.raises(TurnwiseError) as caught:
        PromptSet.load(folder)
    message = str(caught.value)
    assert message == f"The prompt {str(folder / 'no_code.j2')!r} is no UTF-8 text."


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    """So is a file given in its place; the remedy is another --prompts."""
    (tmp_path / "file").write_text("Solve it.")
    with pytest.raises(TurnwiseError) as caught:
        PromptSet.load(tmp_path / name)
    assert str(caught.value) == (f"The prompt folder {str(tmp_path / name)!r} does not exist: give another --prompts.")


def test_an_unknown_name_in_a_prompt_is_an_error(tmp_path: Path) -> None:
    """Never an empty place in what the model reads."""
    folder = shutil.copytree(BUNDLED, tmp_path / "mine")
    (folder / "no_code.j2").write_text("Dear {{ reader }}")
    with pytest.raises(TurnwiseError, match=r"'no_code'.*reader"):
        PromptSet.load(folder).render("no_code")


@pytest.mark.parametrize("benchmark", ["codecontests", "taco", "humaneval_plus", "mbpp_plus"])
def test_every_sample_statement_renders_whole(benchmark: str) -> None:
    """The statement is never cut, and nothing hidden stands in it beyond what the statement itself shows."""
    prompts = PromptSet.load()
    for problem in load_problems(f"sample_{benchmark}").problems:
        text = render_statement(prompts, problem)
        assert problem.statement.strip() in text
        assert problem.starter_code.strip() in text
        assert (problem.entry_point in text) and (problem.input_file in text) and (problem.output_file in text)
        assert not any(solution.strip() in text for solution in problem.solutions)


def test_an_unknown_prompt_is_refused() -> None:
    """The known ones are listed."""
    with pytest.raises(TurnwiseError, match=r"has no 'reasoning/magic': it has feedback/binary, "):
        PromptSet.load().render("reasoning/magic")


@pytest.mark.parametrize("text", ["{{ 1/0 }}", "{% include 'x' %}", "{{ nobody }}"])
def test_a_prompt_that_cannot_be_filled_in_is_named(text: str, tmp_path: Path) -> None:
    """Whatever fails in a user's template is one sentence with the prompt."""
    folder = shutil.copytree(BUNDLED, tmp_path / "mine")
    (folder / "no_code.j2").write_text(text)
    with pytest.raises(TurnwiseError, match="The prompt 'no_code' of 'mine' cannot be filled in: "):
        PromptSet.load(folder).render("no_code")
