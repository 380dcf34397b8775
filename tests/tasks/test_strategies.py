"""Strategies are values: what each turn of each of them asks for, and which combinations are refused."""

from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.records.settings import FEEDBACK_KINDS, GUIDELINES, INSTRUCTIONS, NONE, REASONING, TurnPlan, prompts_name
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import (
    build_strategy,
    is_strategy_file,
    multi_turn,
    parse_instruction,
    parse_reasoning,
    read_strategy,
)

THINKING = TurnPlan(("self_reflection",), "docstrings")


def test_the_bundled_set_has_each_prompt_of_the_paper_and_no_other() -> None:
    """8 reasoning prompts, 6 instructions and the guidelines, a template for each kind of feedback."""
    prompts = PromptSet.load()
    assert set(prompts.names("reasoning")) == set(REASONING) and len(REASONING) == 8
    assert set(prompts.names("instruction")) == {*INSTRUCTIONS, GUIDELINES} and len(INSTRUCTIONS) == 6
    assert set(prompts.names("feedback")) == set(FEEDBACK_KINDS)


@pytest.mark.parametrize(
    ("name", "given", "turns"),
    [
        ("", {}, [TurnPlan()] * 3),
        ("", {"max_turns": 1}, [TurnPlan()]),
        ("", {"reasoning": ["self_reflection"], "instruction": "docstrings"}, [THINKING, TurnPlan(), TurnPlan()]),
        ("single_turn", {}, [TurnPlan()]),
        ("multi_turn", {"feedback": "binary"}, [TurnPlan(feedback="binary")] * 3),
        ("cot", {"instruction": "docstrings"}, [TurnPlan((), "docstrings"), TurnPlan(), TurnPlan()]),
        ("cot_every_turn", {"reasoning": ["self_reflection"], "instruction": "docstrings"}, [THINKING] * 3),
        (
            "cot_retry",
            {"max_turns": 4},
            [TurnPlan(), TurnPlan((), GUIDELINES), *[TurnPlan(("natural_language_solution",))] * 2],
        ),
        ("cot_retry", {"max_turns": 1}, [TurnPlan()]),
        ("multi_turn", {"feedback": NONE}, [TurnPlan(feedback=NONE, stops=False)] * 3),
    ],
)
def test_each_strategy_asks_what_it_says(name: str, given: dict[str, Any], turns: list[TurnPlan]) -> None:
    """Turn by turn; without feedback it never stops early."""
    assert list(build_strategy(name, **{"max_turns": 3, **given}).turns) == turns


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("dialogue", {}, "Unknown strategy 'dialogue': choose one of single_turn, multi_turn, cot, "),
        ("cot", {}, "The strategy cot needs a reasoning or an instruction"),
        ("cot_every_turn", {}, "needs a reasoning or an instruction"),
        ("cot_retry", {"instruction": "docstrings"}, "The strategy cot_retry takes no reasoning or instruction"),
        ("multi_turn", {"reasoning": ["difficulty"]}, "takes no reasoning or instruction"),
        ("", {"feedback": "kind"}, "Unknown feedback 'kind': choose one of binary, "),
        ("", {"max_turns": 0}, "max_turns is 0: a dialogue has at least 1 turn"),
    ],
)
def test_what_does_not_go_together_is_refused(name: str, given: dict[str, Any], message: str) -> None:
    """The value and the remedy."""
    with pytest.raises(TurnwiseError, match=message):
        build_strategy(name, **{"max_turns": 3, **given})


def test_names_of_the_grid_read_back() -> None:
    """none+none, several reasoning steps joined by +, spaces of no account."""
    assert prompts_name((), "") == "none+none"
    assert THINKING.name == "self_reflection+docstrings"
    assert prompts_name(parse_reasoning("explain_io + difficulty"), parse_instruction(None)) == (
        "explain_io+difficulty+none"
    )
    assert parse_reasoning(["none"]) == () == parse_reasoning("none") == parse_reasoning(None)
    assert parse_instruction("none") == ""


def test_the_prompts_a_strategy_uses_are_named() -> None:
    """Feedback only from turn 2 on."""
    used = build_strategy("cot", max_turns=2, reasoning=("difficulty",), feedback="binary").prompt_ids
    assert used == {"reasoning/difficulty", "feedback/binary"}
    assert build_strategy(max_turns=1).prompt_ids == frozenset()
    with pytest.raises(TurnwiseError, match="has no reasoning 'magic': it has difficulty, explain_io"):
        PromptSet.load().check({"reasoning/magic", "reasoning/difficulty"})


def _write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_users_own_strategy_is_read_turn_by_turn(tmp_path: Path) -> None:
    """Lists, joined names and none are understood; the name is the file's unless it says one."""
    text = """
turns:
  - reasoning: [self_reflection, problem_tag]
    instruction: none
  - feedback: binary
    reasoning: explain_io+difficulty
    instruction: guidelines
    stop: never
"""
    strategy = read_strategy(_write(tmp_path, text))
    assert strategy.name == "mine"
    assert strategy.turns == (
        TurnPlan(("self_reflection", "problem_tag")),
        TurnPlan(("explain_io", "difficulty"), "guidelines", "binary", stops=False),
    )
    assert read_strategy(_write(tmp_path, f"name: other{text}")).name == "other"
    assert [len(strategy.with_turns(number).turns) for number in (1, 2, 5)] == [1, 2, 5]
    assert strategy.with_turns(5).turns[-1] == strategy.turns[-1]


def test_a_strategy_without_feedback_does_not_stop_unless_it_says_so(tmp_path: Path) -> None:
    """As multi_turn with feedback none."""
    own = read_strategy(_write(tmp_path, "turns:\n  - {}\n  - feedback: none\n"))
    assert own.turns == (TurnPlan(stops=False), multi_turn(2, feedback=NONE).turns[1])
    stopping = read_strategy(_write(tmp_path, "turns:\n  - stop: public_passed\n  - feedback: none\n"))
    assert [turn.stops for turn in stopping.turns] == [True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("turns: []", "turns is []: list should have at least 1 item after validation, not 0"),
        ("name: x", "'turns' is missing: write 'turns:'"),
        ("- a", "holds no turns: write 'turns:'"),
        ("{", "is no yaml (line 1: expected the node content, but found"),
        ("turns:\n  - {}\n  - think: yes\n", "turn 2, 'think' is unknown: the keys are reasoning, instruction, feed"),
        ("turns:\n  - {}\nmax: 3", "'max' is unknown: the keys are name, turns"),
        ("turns:\n  - feedback: binary\n", "turn 1 has the feedback 'binary', but no program has run before it"),
        ("turns:\n  - {}\n  - feedback: kind\n", "turn 2: Unknown feedback 'kind': choose one of"),
        ("turns:\n  - stop: late\n", "turn 1, stop is 'late': input should be 'public_passed' or 'never'"),
        ("turns:\n  - reasoning: 3\n", "turn 1, reasoning is 3: input should be a valid string"),
        ("name: a b\nturns:\n  - {}\n", "name is 'a b': it names folders, so give it up to 40 letters"),
        ("name: ..\nturns:\n  - {}\n", "name is '..': it names folders"),
    ],
)
def test_a_strategy_file_that_cannot_be_is_explained(tmp_path: Path, text: str, message: str) -> None:
    """File, turn, key, value."""
    path = _write(tmp_path, text)
    with pytest.raises(TurnwiseError) as caught:
        read_strategy(path)
    assert str(path) in str(caught.value) and message in str(caught.value)


def test_a_missing_strategy_file_is_named(tmp_path: Path) -> None:
    """With what stands in one."""
    with pytest.raises(
        TurnwiseError, match=r"nowhere.yaml' cannot be read \(No such file or directory\): write 'turns:'"
    ):
        read_strategy(tmp_path / "nowhere.yaml")
    assert is_strategy_file("a/b") and is_strategy_file("x.YML") and not is_strategy_file("cot")
