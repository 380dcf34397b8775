"""The README's picture of two trainings: recorded from their folders, and one drawing for light and dark pages."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from draw_images import CURVES, draw_curves, record_curves
from trainings import RECORD, make_iteration

from turnwise.commands.score import score_command
from turnwise.records.codec import to_json, to_line


@pytest.fixture
def output(tmp_path: Path, small_run: Callable[..., Path]) -> Path:
    """A training of two iterations with one evaluation."""
    score_command([small_run("out/evaluations/000000")])
    (tmp_path / "out" / "rlef.json").write_text(json.dumps(to_json(RECORD)))
    lines = [to_line(make_iteration(number, solved=number)) + "\n" for number in (1, 2)]
    (tmp_path / "out" / "iterations.jsonl").write_text("".join(lines))
    return tmp_path / "out"


def test_the_curves_of_two_trainings_are_recorded_and_drawn(output: Path) -> None:
    """Rollouts and evaluations of each, in words for who cannot see it."""
    curves = record_curves({"true": output, "random": output})
    assert curves["true"] == curves["random"]
    assert curves["true"]["solved"] == [[1, 0.2], [2, 0.4]] and curves["true"]["metric"] == "1@3"
    assert [point[:2] for point in curves["true"]["evaluations"]] == [[0, 0.5]]
    text = draw_curves(json.loads(json.dumps(curves)))
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    said = "".join(root.itertext())
    assert "true feedback, rollouts from 20\u00a0% at 1 to 40\u00a0% at 2" in said
    assert "random feedback, 1@3 evaluated 50\u00a0% at 0" in said
    assert "prefers-color-scheme: dark" in text


def test_a_training_without_evaluations_has_a_curve(output: Path) -> None:
    """Its rollouts alone."""
    curves = record_curves({"true": output})
    curves["true"] = {**curves["true"], "evaluations": []}
    assert "evaluated" not in draw_curves(curves)


def test_what_is_drawn_in_the_readme_is_recorded() -> None:
    """The picture is that of the file beside the script, once there is one."""
    picture = CURVES.parents[3] / "docs" / "images" / "rlef.svg"
    assert CURVES.is_file() == picture.is_file()
    if CURVES.is_file():
        assert picture.read_text(encoding="utf-8") == draw_curves(json.loads(CURVES.read_text()))
