"""The page of a reinforcement learning: figures by hand, torn and hostile folders, and what a browser says of it."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from chromium import Chromium
from trainings import RECORD, make_iteration

from turnwise.commands import training_page as commands
from turnwise.commands.plot import plot_command
from turnwise.commands.publish import write_page
from turnwise.commands.score import score_command
from turnwise.commands.training_page import TrainingPage, read_evaluations, write_training_page
from turnwise.errors import TurnwiseError
from turnwise.leaderboard.page.plots import Line, Plot, drawn, in_words, thin
from turnwise.records.codec import to_json, to_line
from turnwise.records.rlef import read_iterations
from turnwise.records.settings import PromptsRecord, RunSettings

HOSTILE = "</style></script><script>window.hit=1</script><img src=x onerror=window.hit=1>\u202e{{ 7*7 }}"


@pytest.fixture
def training(tmp_path: Path, small_run: Callable[..., Path]) -> Path:
    """A training's folder: four iterations, the last one torn off, and two evaluations, of which one is scored."""
    output = tmp_path / "out"
    (output / "checkpoint-2").mkdir(parents=True)
    (output / "rollouts").mkdir()
    (output / "rlef.json").write_text(json.dumps(to_json(RECORD)))
    lines = [to_line(make_iteration(number, solved=number)) + "\n" for number in (1, 2, 3)]
    (output / "iterations.jsonl").write_text("".join(lines) + to_line(make_iteration(4))[:80])
    for name in ("000000", "000002"):
        small_run(f"out/evaluations/{name}", model=f"model-{name}")
    score_command([output / "evaluations" / "000000"])
    score_command([output / "evaluations" / "000002"])
    (output / "evaluations" / "000003").mkdir()
    return output


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def _tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    """Return every element of a page with its attributes."""
    return _Tags(text).tags


def test_the_page_says_the_latest_figures_and_what_the_training_is_of(training: Path) -> None:
    """In words, with the evaluation beside the rollouts; a line that is torn is no iteration."""
    text = write_training_page(training).read_text(encoding="utf-8").replace("\u00a0", " ")
    for part in (
        "The training of <b>org/Model-8B</b>",
        "On c_train, at most 2 turns with failed_tests feedback, a value at each turn; ",
        "<b>3 of 4</b> iterations",
        "<b>33</b> dialogues",
        "Iteration 3 solved 60 % of its 11 dialogues, 30 % in the first turn; iteration 1 solved 20 %.",
        "Evaluated after iteration 2: 50 % 1@3 on t, 50 % before the first iteration.",
        "5 % of the turns had no valid code; a dialogue has 1.8 turns, a reply 200 tokens.",
        "log-ratio to the reference is 0.0123 a call, the entropy 0.5, 3 % of the tokens are clipped",
        "It took 45 s: sampling 30 s, judging 6 s, update 12 s.",
        "25 % of the latest rewards rest on problems whose kind of answer is guessed",
        "10 % of the latest dialogues pass the public tests and fail hidden ones",
        "left out of every figure: request failed (3).",
        "<dt>feedback</dt><dd>failed_tests</dd>",
        "<dt>value</dt><dd>a value at each turn</dd>",
        "solved +1, failed -1, an earlier turn that is invalid -0.2 (no code or compile error)",
        "c_train: 1 of 9 problems of c, train, at most 2 turns",
        "<dt>command</dt><dd>turnwise rlef -M hf</dd>",
    ):
        assert part in text, part
    (row,) = re.findall(r"<tr><td>000002</td>.*?</tr>", text)
    assert re.sub("<[^>]+>", "|", row).strip("|").split("||") == ["000002", "t", "50.0", "1", "2"]
    assert "000003" not in text


def test_every_measure_has_a_chart(training: Path) -> None:
    """Those that the issue of a training is judged by; a chart without a number is left out."""
    text = write_training_page(training).read_text(encoding="utf-8")
    titles = re.findall(r"<h3 id=\"chart-[^>]+>([^<]+)<", text)
    assert titles == [
        *("Solved", "Solved within so many turns", "Repaired", "Reward"),
        *("Invalid turns", "How programs fail, turn 1", "How programs fail, turn 2"),
        *("Similarity to the program before", "Text beside code", "Length of a reply", "Turns of a dialogue"),
        *("Public tests passed, hidden ones failed", "KL to the reference", "Entropy", "Clipped tokens"),
        *("Error of the values", "Explained by the values", "Gradients", "Cut replies and drift"),
        *("Seconds of an iteration", "Tokens of an iteration"),
    ]
    none = replace(make_iteration(1).update, value_error=None, explained=None, value_gradient_norm=None)
    lines = [to_line(replace(make_iteration(number), update=none)) + "\n" for number in (1, 2)]
    (training / "iterations.jsonl").write_text("".join(lines))
    assert "Error of the values" not in write_training_page(training).read_text(encoding="utf-8")


def test_a_chart_is_drawn_by_its_numbers() -> None:
    """Coordinates by hand: iterations 0 to 4 over 380 units, 0 to 100 % over 176; a gap is no line."""
    points = [(0, 0.0), (1, 0.5), (2, None), (3, 1.0), (4, 0.25)]
    chart = drawn(Plot("Solved", "", [Line("a", points, reach=[(4, 0.0, 0.5)]), Line("nothing", [(1, None)])], "share"))
    assert chart is not None
    (line,) = chart.lines
    assert line.path == "M46.0 186.0L141.0 98.0M331.0 10.0L426.0 142.0"
    assert line.whiskers == [("426.0", "98.0", "186.0")]
    assert [text for _, text in chart.y_ticks] == [f"{part}\u00a0%" for part in (0, 25, 50, 75, 100)]
    assert [text for _, text in chart.x_ticks] == ["0", "1", "2", "3", "4"]
    small = drawn(Plot("Cut", "", [Line("a", [(1, 0.0), (2, 0.01)])], "share"))
    assert small is not None
    assert [text for _, text in small.y_ticks] == [f"{part}\u00a0%" for part in (0, 0.25, 0.5, 0.75, 1)]
    assert chart.label == "Solved: a from 0\u00a0% at 0 to 25\u00a0% at 4"
    assert chart.rows[2] == ("2", "\u2013")
    assert drawn(Plot("Nothing", "", [Line("a", [(1, None), (2, float("nan"))])])) is None


def test_thousands_of_iterations_are_means_of_neighbours() -> None:
    """At most 400 points, of equal width, and the page says so."""
    points = [(float(number), float(number % 30)) for number in range(1, 12_001)]
    few = thin(points)
    assert len(few) == 400
    assert few[0] == (15.5, 14.5) and few[-1] == (11_985.5, 14.5)
    chart = drawn(Plot("Reward", "", [Line("a", points)]))
    assert chart is not None and chart.note == "Each point is the mean of 30 iterations."
    assert len(chart.rows) == 12 and chart.rows[0][0] == "1" and chart.rows[-1][0] == "12,000"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.582, "share", "58.2\u00a0%"),
        (0.0, "share", "0\u00a0%"),
        (0.00012, "share", "0.01\u00a0%"),
        (12_345, "number", "12.3k"),
        (22_800_000_000, "number", "22.8G"),
        (1234.0, "number", "1,234"),
        (0.01234, "number", "0.0123"),
        (None, "number", "\u2013"),
        (float("inf"), "number", "\u2013"),
        (1e300, "number", "\u2013"),
    ],
)
def test_numbers_are_short(value: float | None, unit: str, text: str) -> None:
    """Three digits, thousands as k and M, and a dash for what is no number."""
    assert in_words(value, unit) == text


def test_iterations_after_a_resume_replace_those_that_were_lost(training: Path) -> None:
    """Lines that stood behind the checkpoint are not of this training; torn and impossible ones are none."""
    lines = [to_line(make_iteration(number, solved=1)) for number in (1, 2, 3, 4, 2)]
    impossible = (
        to_line(make_iteration(9)).replace('"rows":10', f'"rows":{10**400}'),
        to_line(make_iteration(-1)),
        "[1]",
        "{",
    )
    (training / "iterations.jsonl").write_text("\n".join([*lines, *impossible]))
    assert [logged.iteration for logged in read_iterations(training)] == [1, 2]


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        '{"tasks": 3}',
        '{"tasks": [{"task": "t"}]}',
        '{"tasks": [{"task": "t", "max_turns": 3, "settings": {"n_at_k": [], "samples_per_problem": 2}, "estimates": '
        '[{"metric": "1@3", "group": "all", "turns": 3, "value": 7, "counted": 1, "asked": 1, "intervals": {}}]}]}',
    ],
)
def test_scores_that_cannot_be_read_are_left_out(training: Path, damage: str) -> None:
    """The page stands without them."""
    (training / "evaluations" / "000002" / "scores.json").write_text(damage)
    assert {evaluation.name for evaluation in read_evaluations(training)} == {"000000"}
    assert "000002" not in write_training_page(training).read_text(encoding="utf-8")


def test_a_folder_of_no_training_is_refused(tmp_path: Path) -> None:
    """With the remedy; one whose record is of another version names that."""
    with pytest.raises(TurnwiseError, match=r"holds no reinforcement learning.*turnwise rlef wrote"):
        write_training_page(tmp_path)
    (tmp_path / "rlef.json").write_text('{"format": 9, "turnwise": "7"}')
    with pytest.raises(TurnwiseError, match="format 9 is unknown here; turnwise '7'"):
        write_training_page(tmp_path)


def test_a_training_that_has_not_begun_has_a_page(training: Path) -> None:
    """Its settings, and the evaluation before the first iteration."""
    (training / "iterations.jsonl").unlink()
    text = write_training_page(training).read_text(encoding="utf-8")
    assert "No iteration has ended yet." in text and "000000" in text


def test_the_page_is_not_drawn_again_where_that_would_slow_the_training(
    training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a drawing of 1 s the next is 20 s later; the first one is always drawn."""
    clock = iter([0.0, 0.0, 1.0, 19.0, 20.9, 21.0, 21.0, 21.1])
    monkeypatch.setattr(commands.time, "monotonic", lambda: next(clock))
    written = []
    monkeypatch.setattr(commands, "write_training_page", written.append)
    page = TrainingPage(training)
    assert [page.rewrite() for _ in range(4)] == [True, False, False, True]
    assert written == [training, training]


def test_evaluations_are_runs_as_any_other(training: Path, cache_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """score, plot and publish take the training's folder, and look at its evaluations alone."""
    score = score_command([training])
    assert "model-000000" in score and "model-000002" in score
    plot_command([training], training.parent / "turns.json", chart="turns")
    site = write_page(
        [training], training.parent / "site", environ={"TURNWISE_CACHE": str(cache_dir)}, allow_missing=True
    )
    assert "model-000002" in site.read_text(encoding="utf-8")
    said = capsys.readouterr().err
    assert "000003" in said and "checkpoint-2" not in said and "rollouts" not in said


def test_what_a_strangers_folder_says_is_text(training: Path) -> None:
    """No element, attribute or rule comes out of a record, a line or a score; the policy allows the style alone."""
    record = replace(
        RECORD,
        model={"name": HOSTILE, HOSTILE: HOSTILE},
        command=HOSTILE,
        versions={HOSTILE: HOSTILE},
        prompts=PromptsRecord(HOSTILE, {HOSTILE: HOSTILE}),
        tasks=(replace(RECORD.tasks[0], task=HOSTILE, split=HOSTILE),),
        evaluation={HOSTILE: RunSettings()},
        settings=replace(RECORD.settings, value=HOSTILE, profile=HOSTILE),
    )
    plain = _tags(write_training_page(training).read_text(encoding="utf-8"))
    (training / "rlef.json").write_text(json.dumps(to_json(record)))
    line = make_iteration(1)
    odd = replace(
        line.rollouts, dropped={HOSTILE: 2}, turns=(replace(line.rollouts.turns[0], verdicts={HOSTILE: 3}),) * 500
    )
    (training / "iterations.jsonl").write_text(to_line(replace(line, rollouts=odd)) + "\n")
    scores = training / "evaluations" / "000002" / "scores.json"
    scores.write_text(scores.read_text().replace('"task": "t"', f'"task": {json.dumps(HOSTILE)}'))
    text = write_training_page(training).read_text(encoding="utf-8")
    tags = _tags(text)
    assert {tag for tag, _ in tags} <= {tag for tag, _ in plain}
    assert {name for _, attributes in tags for name in attributes} <= {
        name for _, attributes in plain for name in attributes
    }
    names = {name for _, attributes in tags for name in attributes}
    assert not names & {"style", "src", "onerror", "onload"} and "script" not in {tag for tag, _ in tags}
    assert "\u202e" not in text and "&lt;script&gt;" in text
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [attributes["content"] for tag, attributes in tags if tag == "meta" and "http-equiv" in attributes]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.xdist_group("browser")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_is_accessible_at_every_width(browser: Chromium, training: Path, width: int, dark: bool) -> None:
    """axe-core finds no violation, nothing is wider than the screen, and the page asks for nothing."""
    axe_core_python = pytest.importorskip("axe_core_python", reason="axe-core-python is not installed")
    axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = browser.open(write_training_page(training), width=width, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert (page.evaluate("getComputedStyle(document.body).color") == "rgb(232, 234, 237)") is dark
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate(axe + ";0")
    violations = page.evaluate(
        "axe.run().then((result) => result.violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 150))]))"
    )
    assert violations == []
    assert page.complaints() == [] and len(page.requests()) == 1
    page.close()
