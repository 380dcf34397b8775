"""``turnwise score --curve``: the curves of run folders along turns, tokens and k, and what they lack."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.commands.score import score_command
from turnwise.errors import TurnwiseError
from turnwise.leaderboard.curves import draw_curve, steps
from turnwise.leaderboard.estimators import curve_over_k, curve_over_tokens
from turnwise.leaderboard.outcomes import MISSING, Costs, TaskOutcomes, read_outcomes
from turnwise.records.choices import Along
from turnwise.records.metrics import NAtK
from turnwise.records.run_folder import AskedProblem, TaskRecord
from turnwise.records.settings import RunSettings

PROBLEMS = ["b/a", "b/b"]


@pytest.fixture
def write(tmp_path: Path, write_run: Any, dialogue: Any, judge: Any) -> Any:
    """write(name, words, tokens=): four dialogues a problem of at most two turns, "pf" fails turn 2; "" is missing."""
    names = {"p": "pass", "f": "fail"}

    def make(name: str, words: dict[str, list[str]], *, tokens: tuple[int, int] | None = (70, 30)) -> Path:
        dialogues = [
            dialogue(*(names[letter] for letter in word), problem=problem, sample=sample, tokens=tokens)
            for problem, of_problem in words.items()
            for sample, word in enumerate(of_problem)
            if word
        ]
        judged = [judge(one) for one in dialogues if one.turns[-1].public_report.public_passed]
        chosen = RunSettings(samples_per_problem=4, n_at_k=("1@2", "1@4"))
        options = {"tasks": {"t": 2}, "problems": PROBLEMS, "settings": chosen, "model": name}
        path: Path = write_run(tmp_path / name, dialogues, judged, **options)
        return path

    return make


WHOLE = {"b/a": ["p", "fp", "ff", "ff"], "b/b": ["p", "p", "fp", "ff"]}


def _points(path: Path, along: str, **options: Any) -> dict[tuple[str, int, int], dict[str, Any]]:
    document = json.loads(score_command([path], curve=along, style="json", **options))
    assert document["curve"] == along and document["settings"]
    return {(str(one["submitted"]), one["at"], one["turns"]): one for one in document["points"]}


def test_along_k_a_curve_is_the_estimators(write: Any) -> None:
    """pass@k of dialogues and 1@k of replies, at every step that the samples support, for each turn budget."""
    path = write("m", WHOLE)
    points = _points(path, "k")
    assert {key for key in points if key[0] == "all"} == {("all", k, t) for k in (1, 2, 3, 4) for t in (1, 2)}
    (outcomes,) = read_outcomes(path).tasks
    for turns in (1, 2):
        right, public = outcomes.passed[..., turns - 1] == 1, outcomes.public[..., turns - 1] == 1
        passes = curve_over_k(right, ks=[1, 2, 3, 4]).mean(axis=0)
        assert [points["all", k, turns]["value"] for k in (1, 2, 3, 4)] == pytest.approx(list(passes))
        ks = [k for submitted, k, budget in points if (submitted, budget) == ("1", turns)]
        assert ks == ([1, 2, 3, 4] if turns == 1 else [2, 3, 4, 5, 7, 8])
        ones = curve_over_k(right, public, ks=ks, n=1, turns=turns).mean(axis=0)
        assert [points["1", k, turns]["value"] for k in ks] == pytest.approx(list(ones))


def test_along_turns_the_metrics_are_the_tables(write: Any) -> None:
    """1@4 at one and two turns is at equal replies: four dialogues of one, two of two."""
    points = json.loads(score_command([write("m", WHOLE)], curve="turns", style="json"))["points"]
    found = {(one["metric"], one["turns"]): one["value"] for one in points}
    # 1 and 2 of 4 right after a turn; 2 and 3 after two turns, where every second draw of two has a right one
    assert found["1@4", 1] == pytest.approx(1.0)
    assert found["1@4", 2] == pytest.approx((5 / 6 + 1) / 2)
    assert found["1@1", 1] == pytest.approx(3 / 8)
    assert ("1@1", 2) not in found


def test_along_tokens_each_problem_has_equal_tokens(write: Any) -> None:
    """100 tokens a turn: of one turn 200 tokens are two dialogues, of two turns 200 * 4 / 700 and 200 * 4 / 600."""
    path = write("m", WHOLE)
    points = _points(path, "tokens", interval="problems")
    assert sorted({at for _, at, _ in points}) == [100, 150, 200, 300, 500, 700]
    (outcomes,) = read_outcomes(path).tasks
    assert outcomes.tokens[:, :, 0].tolist() == [[100] * 4] * 2
    assert outcomes.tokens[:, :, 1].tolist() == [[100, 200, 200, 200], [100, 100, 200, 200]]
    for turns in (1, 2):
        arrays = (outcomes.passed[..., turns - 1] == 1, outcomes.public[..., turns - 1] == 1)
        tokens = outcomes.tokens[..., turns - 1]
        for n in (None, 1):
            values = curve_over_tokens(*arrays, tokens, budgets=[100, 200, 300], n=n).mean(axis=0)
            key = "all" if n is None else "1"
            found = [points[key, at, turns] for at in (100, 200, 300)]
            assert [one["value"] for one in found] == pytest.approx(list(values))
            assert all(one["lower_over_problems"] <= one["value"] <= one["upper_over_problems"] for one in found)
            assert all(one["lower_over_samples"] == "" for one in found)


def test_a_budget_beyond_the_samples_is_missing_and_bounded(write: Any) -> None:
    """Four dialogues of one turn are 400 tokens: 500 have no value, and lie between what all four give and 1."""
    path = write("m", {"b/a": ["p", "ff", "f", "f"], "b/b": ["f"] * 4})
    beyond = _points(path, "tokens")["all", 500, 1]
    assert (beyond["value"], beyond["counted"], beyond["asked"]) == (None, 0, 2)
    assert (beyond["lower_bound"], beyond["upper_bound"]) == (0.5, 1.0)
    said = score_command([path], curve="tokens")
    (row,) = [line.split()[2:] for line in said.splitlines() if line.split()[2:4] == ["all", "500"]]
    assert row[:3] == ["all", "500", "-"]
    assert "\n-: no problem has dialogues enough.\n" in said
    assert "Along tokens there are intervals over problems" in said


def test_what_is_missing_is_said_and_never_wrong(write: Any) -> None:
    """Two of b/a's dialogues were not sampled: k = 3 counts b/b alone, and says so."""
    path = write("m", {"b/a": ["p", "ff", "", ""], "b/b": ["p", "p", "ff", "ff"]})
    point = _points(path, "k")["all", 3, 1]
    assert (point["value"], point["counted"], point["asked"]) == (1.0, 1, 2)
    assert (point["lower_bound"], point["upper_bound"]) == pytest.approx((0.875, 1.0))
    said = score_command([path], curve="k")
    assert "100.0*" in said
    assert "* m, t: 2 of 8 dialogues are missing, which is not counted as wrong." in said
    assert "over the problems that have dialogues enough" in said


def test_csv_has_a_row_a_point_of_every_run(write: Any) -> None:
    """Two runs side by side, and each style prints."""
    paths = [write("m", WHOLE), write("n", WHOLE)]
    rows = list(csv.DictReader(io.StringIO(score_command(paths, curve="tokens", style="csv"))))
    assert {(row["model"], row["along"]) for row in rows} == {("m", "tokens"), ("n", "tokens")}
    assert len(rows) == 2 * 2 * 2 * 6  # runs, all or one submitted, turn budgets, token budgets
    for style in ("text", "github", "latex"):
        assert "submitted" in score_command(paths, curve="tokens", style=style)


def test_a_curve_that_cannot_be_drawn_is_refused(write: Any) -> None:
    """No tokens known, an unknown curve, two tables at once: one sentence each."""
    path = write("m", WHOLE, tokens=None)
    for options, message in (
        ({"curve": "tokens"}, "No reply of t says how many tokens it took"),
        ({"curve": "time"}, "--curve is 'time': choose one of turns, tokens, k"),
        ({"curve": "k", "table": "turns"}, "--table turns and --curve k are two tables"),
    ):
        with pytest.raises(TurnwiseError, match=message):
            score_command([path], **options)


def test_steps_are_even_on_a_logarithmic_axis() -> None:
    """From the step at or below the first to the last."""
    assert steps(1, 20) == [1, 2, 3, 5, 7, 10, 15, 20]
    assert steps(640, 4_999) == [500, 700, 1000, 1500, 2000, 3000]
    assert steps(1, 1) == [1]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_missing_the_curve_of_tokens_stays_within_its_bounds(data: st.DataObject) -> None:
    """Each filling of the gaps, at its problem's mean tokens, gives values between the bounds."""
    rows = data.draw(st.lists(st.sampled_from([(0, 0), (0, 1), (1, 1), (MISSING, 1), (MISSING, MISSING)]), min_size=2))
    known = np.array([row[0] != MISSING for row in rows])
    tokens = np.array([60 if one else MISSING for one in known])
    whole = [(data.draw(st.sampled_from([(0, 0), (0, 1), (1, 1)])) if row[0] == MISSING else row) for row in rows]

    def curve(pairs: list[tuple[int, int]], spent: np.ndarray[Any, Any]) -> Any:
        array = np.array([pairs], dtype=np.int8)[:, :, None, :]
        record = TaskRecord(
            task="t",
            benchmark="b",
            split="test",
            max_turns=1,
            strategy="single_turn",
            data_sha256="0",
            loaded=1,
            asked=(AskedProblem(id="b/a"),),
        )
        outcomes = TaskOutcomes(record, array[..., 0], array[..., 1], spent[None, :, None], {}, {}, {}, (), Costs())
        return {(one.n, one.at): one.estimate for one in draw_curve(outcomes, Along.TOKENS, n_at_k=[NAtK(2, 2)])}

    if not known.any():
        with pytest.raises(TurnwiseError, match="says how many tokens"):
            curve(rows, tokens)
        return
    filled = curve(whole, np.full(len(rows), 60))
    for key, found in curve(rows, tokens).items():
        value = filled[key].value
        assert found.upper_bound >= found.lower_bound - 1e-12
        if value is not None and key[0] is None:
            assert found.lower_bound - 1e-9 <= value <= found.upper_bound + 1e-9
