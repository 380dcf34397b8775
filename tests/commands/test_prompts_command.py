"""``turnwise prompts show``: whole dialogues for dry reading, with true feedback and their lengths."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from turnwise.commands.prompts import load_counter
from turnwise.errors import TurnwiseError

TASK = "sample_codecontests_multiturn"


def _show(*arguments: str, status: int = 0) -> str:
    command = [sys.executable, "-m", "turnwise", "prompts", "show", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status and "Traceback (most" not in done.stderr
    return done.stdout if status == 0 else done.stderr


def test_a_whole_dialogue_is_shown_with_its_lengths() -> None:
    """Each message with its kind, the stand-ins' true failures, and a row for each call."""
    shown = _show("-t", TASK, "--strategy", "cot_retry")
    assert shown.startswith(f"##### {TASK}, sample_codecontests/") and "strategy cot_retry" in shown
    places = [shown.index(text) for text in ("turn 1, call 1", "turn 2, call 1", "turn 3, call 1", "turn 3, call 2")]
    assert places == sorted(places)
    assert "Your output:\n0\n" in shown
    assert "ValueError: a stand-in for a program" in shown
    assert "--- user, instruction: instruction/guidelines (" in shown
    assert shown.index("new characters") > places[-1] and len(shown.rstrip().splitlines()[-4:]) == 4


def test_a_program_of_the_reader_takes_the_first_turn(tmp_path: Path) -> None:
    """What it fails on is shown; whatever it prints is no command to the terminal."""
    (tmp_path / "mine.py").write_text("print('\\x1b[2Jmine')")
    shown = _show("-t", TASK, "--program", str(tmp_path / "mine.py"), "--feedback", "failed_and_passed")
    assert "\\x1b[2Jmine" in shown and "\x1b" not in shown
    assert "cannot be read" in _show("-t", TASK, "--program", str(tmp_path / "no.py"), status=2)


def test_random_feedback_comes_from_a_file(tmp_path: Path) -> None:
    """Of another problem of the task than the one shown."""
    from turnwise.benchmarks.catalog import load_problems

    problems = load_problems("sample_codecontests").problems
    lines = [json.dumps({"task_id": one.name, "program": f"print('wrong {one.name}')"}) for one in problems]
    (tmp_path / "wrong.jsonl").write_text("\n".join(lines))
    options = ("-t", TASK, "--feedback", "random")
    shown = _show(*options, "--incorrect-programs", str(tmp_path / "wrong.jsonl"))
    told = [one.name for one in problems if f"\nwrong {one.name}\n" in shown]
    assert told and problems[0].name not in told
    assert "give a file of them with --incorrect-programs" in _show(
        "-t", "sample_taco_multiturn", *options[2:], status=2
    )
    (tmp_path / "odd.jsonl").write_text('{"task_id": "x"}')
    assert "lacks the field 'program'" in _show(*options, "--incorrect-programs", str(tmp_path / "odd.jsonl"), status=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--instruction", "magic"), "has no instruction 'magic': it has docstrings,"),
        (("--strategy", "cot"), "needs a reasoning or an instruction"),
        (("--problem", "sample_codecontests/no"), "No problem 'sample_codecontests/no'"),
    ],
)
def test_what_cannot_be_shown_is_refused(options: tuple[str, ...], message: str) -> None:
    """In one sentence."""
    assert message in _show("-t", TASK, *options, status=2)


def test_lengths_are_counted_in_characters_or_tokens(tmp_path: Path) -> None:
    """A tokenizer.json counts where its package is installed."""
    count, unit = load_counter()
    assert (count("abc"), unit) == (3, "characters")
    tokenizers = pytest.importorskip("tokenizers", reason="the extra hf is not installed")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    for given in (tmp_path, tmp_path / "tokenizer.json"):
        count, unit = load_counter(str(given))
        assert (count("a b c"), unit) == (3, "tokens")
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(TurnwiseError, match="cannot be read"):
        load_counter(str(tmp_path))
