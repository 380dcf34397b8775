"""The site as files: what is in it, where dialogues lie, what is refused, equal runs making equal bytes."""

import base64
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.plot import plot_command
from turnwise.commands.publish import publish_command
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.charts.data import Series, chart_data
from turnwise.leaderboard.charts.files import Look, filled_spec
from turnwise.leaderboard.charts.specs import charts
from turnwise.leaderboard.page.dialogues import PIECE_CHARACTERS, DialogueReader, Packer
from turnwise.leaderboard.page.site import SiteOptions, write_site
from turnwise.leaderboard.page.table import make_rows, read_facts
from turnwise.leaderboard.report import score_runs
from turnwise.records.judgement import Judgement
from turnwise.records.report import Verdict
from turnwise.records.run_folder import AskedProblem, RunFolder, Shard
from turnwise.records.settings import JudgeRecord, RunSettings
from turnwise.records.trajectory import End, Trajectory

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]
WriteRun = Callable[..., Path]

OPTIONS = SiteOptions("window.vegaEmbed = null;")


@pytest.fixture
def run(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement) -> Callable[..., Path]:
    """run(name, ...): two problems, two dialogues each, all right in turn 2."""

    def write(name: str, **options: Any) -> Path:
        problems = [AskedProblem(id="b/a", difficulty="EASY"), AskedProblem(id="b/z", difficulty="HARD")]
        dialogues = [
            dialogue("fail", "pass", problem=one.id, sample=sample, tokens=(10, 5))
            for one in problems
            for sample in range(2)
        ]
        settings = RunSettings(samples_per_problem=2, n_at_k=("1@6",))
        judged = [judge(one) for one in dialogues]
        return write_run(tmp_path / name, dialogues, judged, problems=problems, settings=settings, **options)

    return write


def _data(page: Path) -> dict[str, Any]:
    found = re.search(r'id="data">([^<]*)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def _write(folder: Path, *runs: Path, options: SiteOptions = OPTIONS, with_dialogues: bool = True) -> Path:
    reader = DialogueReader(pack=with_dialogues)
    return write_site(folder, score_runs(read_runs(runs, witness=reader)), reader, options, lambda *_: None)


def test_equal_runs_make_equal_bytes(tmp_path: Path, run: Callable[..., Path]) -> None:
    """A page made again is the same file."""
    path = run("run")
    assert _write(tmp_path / "one", path).read_bytes() == _write(tmp_path / "two", path).read_bytes()


def test_the_page_holds_every_estimate_as_it_is(tmp_path: Path, run: Callable[..., Path]) -> None:
    """Unrounded, by group, metric and turn budget, with the ends of its intervals."""
    path = run("run")
    data = _data(_write(tmp_path / "site", path))
    (scored,) = score_runs(read_runs([path]))
    (row,) = data["rows"].values()
    assert len(row["estimates"]) == len(scored.estimates)
    for one in scored.estimates:
        value, counted, asked, lower, upper, intervals = row["estimates"][f"{one.group}|{one.metric}|{one.turns}"]
        assert (value, counted, asked, lower, upper) == (
            one.value, one.counted, one.asked, one.lower_bound, one.upper_bound,
        )  # fmt: skip
        assert intervals == {over.value: [ends.lower, ends.upper] for over, ends in one.intervals.items()}


def test_rows_that_were_judged_differently_are_sections_of_their_own(
    tmp_path: Path, checked_run: Callable[..., Path]
) -> None:
    """With places among themselves, a sentence, and filters; a row that is alone in its section has no place."""
    equality = JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0)
    page = _write(tmp_path / "site", checked_run("a"), checked_run("b"), checked_run("c", judged_by=equality))
    (task,), html = _data(page)["tasks"], page.read_text(encoding="utf-8")
    first, second = "answers checkers-1 (sha256 1a2b3c4d5e6f), tests valid", "answers equality, tests all"
    assert task["judged"] == {"a.t": first, "b.t": first, "c.t": second}
    assert task["places"]["1@2|2"] == {"a.t": [1, 2], "b.t": [1, 2]}
    sections = re.findall(r'<tbody data-task="t" data-judged="([^"]*)">(.*?)</tbody>', html, re.DOTALL)
    rows = [[judged, *re.findall(r'<tr data-row="([^"]*)">', text)] for judged, text in sections]
    assert rows == [[first, "a.t", "b.t"], [second, "c.t"]]
    assert f" · {first}</small>" in sections[0][1] and '<td class="place">\u2013</td>' in sections[1][1]
    assert "stand apart, with places of their own" in html
    facets = [row["facets"] for row in _data(page)["rows"].values()]
    assert [(one["answers"], one["tests"]) for one in facets[1:]] == [
        ("checkers-1 (sha256 1a2b3c4d5e6f)", "valid"),
        ("equality", "all"),
    ]


def test_rows_of_one_judge_are_one_section(tmp_path: Path, checked_run: Callable[..., Path]) -> None:
    """Without a word of judges beside the task."""
    page = _write(tmp_path / "site", checked_run("a"), checked_run("b"))
    assert page.read_text(encoding="utf-8").count('<tbody data-task="t" data-judged="">') == 1
    assert "stand apart" not in page.read_text(encoding="utf-8")
    assert _data(page)["tasks"][0]["places"]["1@2|2"] == {"a.t": [1, 2], "b.t": [1, 2]}


def test_the_score_by_equality_stands_below_the_score(tmp_path: Path, checked_run: Callable[..., Path]) -> None:
    """Where it is another: in the table without a script, and in the data of the page."""
    page = _write(tmp_path / "site", checked_run("a"))
    estimates = _data(page)["rows"]["a.t"]["estimates"]
    assert estimates["all|1@2|2"][6:] == [pytest.approx(0.25)] and estimates["all|pass@4|2"][6:] == []
    html = page.read_text(encoding="utf-8")
    assert html.count('<small class="sub">by equality 25.0</small>') == 1 and "<li><b>by equality</b>" in html
    details = dict(_data(page)["rows"]["a.t"]["details"])
    assert details["tests left out"] == "b/a: 3\nb/b: 2" and "tolerance: 1" in details["problems"]


def test_many_dialogues_lie_beside_the_page(tmp_path: Path, run: Callable[..., Path]) -> None:
    """Above the limit, as scripts named by what they hold; the policy lets them in, and old ones go."""
    path, folder = run("run"), tmp_path / "site"
    page = _write(folder, path, options=replace(OPTIONS, inline_bytes=0))
    (piece,) = _data(page)["pieces"]["run.t"]
    text = (folder / piece["file"]).read_text(encoding="ascii")
    match = re.fullmatch(r'turnwise\("0-0","([\w+/=]+)"\);\n', text)
    assert match is not None and piece["problems"] == ["b/a", "b/z"]
    assert list(json.loads(gzip.decompress(base64.b64decode(match[1])))["problems"]) == ["b/a", "b/z"]
    assert "&#39;self&#39;" in page.read_text(encoding="utf-8") and 'id="piece-' not in page.read_text(encoding="utf-8")
    (folder / "data" / "mine.js").write_text("")
    _write(folder, path)
    assert [one.name for one in (folder / "data").iterdir()] == ["mine.js"]


def test_without_dialogues_nothing_that_was_said_is_in_the_page(tmp_path: Path, run: Callable[..., Path]) -> None:
    """No piece, and so no statement and no program; behaviour is counted all the same."""
    page = _write(tmp_path / "site", run("run"), with_dialogues=False)
    data = _data(page)
    assert data["pieces"] == {} and 'id="piece-' not in page.read_text(encoding="utf-8")
    assert {"failures", "similarity", "prose"} <= set(data["tasks"][0]["charts"])


def test_large_rows_are_cut_between_problems(dialogue: MakeDialogue) -> None:
    """A piece holds whole problems and is closed once it is full; what is said twice stands in it once."""
    long = "x" * (PIECE_CHARACTERS + 1)
    several = [dialogue("fail", problem=f"b/{letter}", sample=sample) for letter in "abc" for sample in range(2)]
    changed = [
        replace(one, turns=tuple(replace(turn, program=long + one.problem) for turn in one.turns)) for one in several
    ]
    packer = Packer()
    for one in changed:
        packer.add(one, {})
    pieces = packer.pieces("row")
    assert [(piece.number, piece.problems) for piece in pieces] == [(0, ("b/a",)), (1, ("b/b",)), (2, ("b/c",))]
    document = json.loads(gzip.decompress(base64.b64decode(pieces[0].data)))
    assert document["texts"].count(long + "b/a") == 1
    assert [one["turns"][0]["program"] for one in document["problems"]["b/a"]] == [
        document["texts"].index(long + "b/a")
    ] * 2


def test_a_verdict_of_another_judge_is_shown(dialogue: MakeDialogue, judge: MakeJudgement) -> None:
    """Judged anew, a program may fail the example tests that it passed before: it is wrong, not unjudged."""
    one = dialogue("fail", "pass")
    for judgement, hidden in (
        (judge(one, verdict=Verdict.WRONG_ANSWER, public_passed=False), ["", "wrong_answer"]),
        (judge(one, verdict=Verdict.TIME_LIMIT, public_passed=True), ["", "time_limit"]),
        (judge(one, 0, verdict=Verdict.WRONG_ANSWER, public_passed=False), ["", ""]),
        (judge(one, 0), ["passed", ""]),
    ):
        packer = Packer()
        packer.add(one, {judgement.place: judgement})
        document = json.loads(gzip.decompress(base64.b64decode(packer.pieces("row")[0].data)))
        assert [turn["hidden"] for turn in document["problems"]["b/a"][0]["turns"]] == hidden


def test_missing_dialogues_are_published_only_on_demand(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, cache_dir: Path
) -> None:
    """The refusal names the run and how much it lacks; with --allow-missing the bounds stand below the table."""
    path = write_run(tmp_path / "run", [dialogue("fail", end=End.REQUEST_FAILED)])
    environ = {"TURNWISE_CACHE": str(cache_dir)}
    with pytest.raises(
        TurnwiseError, match=r"^Not every dialogue is known \(m, t, lacks 1 of 1\): .* --allow-missing\.$"
    ):
        publish_command([path], tmp_path / "site", environ=environ)
    assert not (tmp_path / "site").exists()
    said = publish_command([path], tmp_path / "site", environ=environ, allow_missing=True)
    assert said.startswith(f"Page: {tmp_path / 'site' / 'index.html'} (")
    html = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "1@3 0.0 to 100.0" in html and ">missing</td>" in html.replace("\n", "")


def test_facts_on_models_come_from_a_file(tmp_path: Path, run: Callable[..., Path]) -> None:
    """Size, weights and references; a size that the name says needs no file; another key is refused."""
    path = run("run", model="Some-7B-Instruct")
    (row,) = make_rows(score_runs(read_runs([path])), {})
    assert (row.facets()["size"], row.facets()["weights"]) == ("4B to 15B", "")
    facts = tmp_path / "models.yaml"
    facts.write_text("Some-7B-Instruct: {size_billions: 70.0, open_weights: true, bibtex: '@misc{some}'}\n")
    (row,) = make_rows(score_runs(read_runs([path])), read_facts(facts))
    assert (row.facets()["size"], row.facets()["weights"], row.facts.bibtex) == ("40B to 100B", "open", "@misc{some}")
    facts.write_text("Some-7B-Instruct: {sise: 7}\n")
    with pytest.raises(TurnwiseError, match=r"Some-7B-Instruct, sise: .*: known are size_billions, open_weights"):
        read_facts(facts)
    facts.write_text("- 7\n")
    with pytest.raises(TurnwiseError, match="no mapping of model names"):
        read_facts(facts)


def test_runs_of_one_name_have_keys_of_their_own(tmp_path: Path, run: Callable[..., Path]) -> None:
    """Folders of one name in different places are different rows."""
    paths = [run("one/same"), run("two/same")]
    assert [row.key for row in make_rows(score_runs(read_runs(paths)), {})] == ["same.t", "same.t.2"]
    assert len(_data(_write(tmp_path / "site", *paths))["rows"]) == 2


@pytest.mark.parametrize("name", [name for name in charts() if name != "grid"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_chart_is_valid_vega_lite(run: Callable[..., Path], name: str, dark: bool) -> None:
    """By the schema that altair carries; no place is left unfilled."""
    altair = pytest.importorskip("altair", reason="altair is not installed")
    from turnwise.tasks.behaviour import measure, ratio

    (scored,) = score_runs(read_runs([run("run")]))
    trajectories, judgements = scored.run.dialogues("t")
    behaviour = measure(trajectories, judgements, similarity=ratio)
    data = chart_data([Series("run", "m", scored, behaviour)])
    spec = filled_spec(name, data[name], Look(dark=dark))
    assert "$" not in re.sub(r'"\$schema"', "", json.dumps(spec))
    altair.Chart.from_dict(spec)


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("json", b"{")])
def test_charts_are_drawn_as_files(tmp_path: Path, run: Callable[..., Path], ending: str, start: bytes) -> None:
    """In every format, without a browser."""
    path = tmp_path / "plots" / f"turns.{ending}"
    said = plot_command([run("run")], path, chart="turns")
    assert said.startswith(f"Chart: {path} (More turns, t)") and path.read_bytes().startswith(start)


def test_the_intervals_of_several_runs_stand_side_by_side(tmp_path: Path, run: Callable[..., Path]) -> None:
    """None hides another one's, though their scores are equal."""
    runs = [run(name, model=name) for name in ("a", "b", "c")]
    plot_command(runs, tmp_path / "turns.svg", chart="turns")
    drawn = (tmp_path / "turns.svg").read_text(encoding="utf-8")
    (group,) = re.findall(r'class="mark-rule role-mark.*?</g>', drawn, re.DOTALL)
    places = re.findall(r'transform="translate\(([\d.]+),', group)
    assert len(places) == len(set(places)) >= 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chart": "pie"}, "--chart is 'pie': choose one of turns"),
        ({"chart": "grid"}, "nothing to draw for --chart grid: they have turns"),
        ({"task": "other"}, "--tasks is 'other': choose one of t with"),
        ({"width": 1}, "--width is 1: give 100 to 4000"),
        ({"output": "chart.gif"}, "let its name end in .svg"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    tmp_path: Path, run: Callable[..., Path], options: dict[str, Any], message: str
) -> None:
    """With what is known."""
    output = tmp_path / options.pop("output", "chart.svg")
    with pytest.raises(TurnwiseError, match=re.escape(message)):
        plot_command([run("run")], output, **options)


def test_a_grid_of_prompts_is_a_heat_map(run: Callable[..., Path]) -> None:
    """Runs that differ in reasoning and instruction are cells of one map."""
    paths = [run("a"), run("b")]
    record = json.loads((paths[1] / "run.json").read_text())
    record["settings"]["reasoning"] = ["write_code_analysis"]
    (paths[1] / "run.json").write_text(json.dumps(record))
    scored = score_runs(read_runs(paths))
    data = chart_data([Series(one.run.path.name, "m", one) for one in scored])
    assert [row[2:4] for row in data["grid"].rows] == [("none", "none"), ("write_code_analysis", "none")]
    assert {row[4] for row in data["grid"].rows} == {1.0}


def test_publishing_reads_every_shard_once(
    run: Callable[..., Path], tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores, behaviour and dialogues come of one reading, which is most of the work on a large run."""
    read: Counter[str] = Counter()
    read_shard = RunFolder.read_shard

    def counted(folder: RunFolder, shard: Shard) -> list[Trajectory] | None:
        read[f"{folder.path.name} {shard.name}"] += 1
        return read_shard(folder, shard)

    monkeypatch.setattr(RunFolder, "read_shard", counted)
    publish_command([run("a"), run("b")], tmp_path / "site", environ={"TURNWISE_CACHE": str(cache_dir)})
    assert len(read) == 8 and set(read.values()) == {1}
