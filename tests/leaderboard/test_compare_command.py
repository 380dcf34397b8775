"""``turnwise compare``: what two runs share, which differences are shown, and what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.compare import compare_command
from turnwise.errors import TurnwiseError
from turnwise.records.settings import RunSettings

PROBLEMS = [f"codecontests/{contest}_{letter}. P" for contest in (1, 2, 3) for letter in "AB"]


@pytest.fixture
def runs(tmp_path: Path, write_run: Any, dialogue: Any, judge: Any) -> Any:
    """runs(name, "aabb.."): a run of four samples a problem, a letter for each: how many of them are right."""

    def write(name: str, solved: str, **options: Any) -> Path:
        dialogues = [
            dialogue("pass" if sample < int(right) else "fail", problem=problem, sample=sample)
            for problem, right in zip(PROBLEMS, solved, strict=True)
            for sample in range(4)
        ]
        judged = [judge(one) for one in dialogues if one.turns[-1].public_report.public_passed]
        chosen = {"tasks": {"t": 1}, "problems": PROBLEMS, "model": name, **options}
        settings = RunSettings(samples_per_problem=4, n_at_k=("1@2",))
        return write_run(tmp_path / name, dialogues, judged, settings=settings, **chosen)

    return write


def _rows(said: str) -> dict[str, list[str]]:
    return {line.split()[1]: line.split()[2:] for line in said.splitlines() if line.startswith("t ")}


def test_differences_are_b_less_a_with_interval_and_p(runs: Any) -> None:
    """Of six problems B solves more of four: pass@1 from 25.0 to 58.3, and the run's own n@k beside it."""
    said = compare_command([runs("a", "110004"), runs("b", "334004")])
    rows = _rows(said)
    assert list(rows) == ["1@2", "pass@1", "pass@4"]
    assert rows["pass@1"][:4] == ["6", "25.0", "58.3", "+33.3"]
    assert rows["pass@1"][-3:] == ["0.2500", "0", "3"]  # three problems differ: 2 of 8 sign patterns are as large
    assert said.startswith("A: a (") and "\nB: b (" in said
    assert "the runs exchanged problem by problem" in said


def test_flipped_problems_are_listed_with_both_scores(runs: Any) -> None:
    """Above 50 in one run and below in the other; 2 of 4 is neither."""
    said = compare_command([runs("a", "142004"), runs("b", "412004")])
    flipped = said.partition("A then B:\n")[2].splitlines()
    assert flipped == [f"   25.0 100.0  {PROBLEMS[0]}", f"  100.0  25.0  {PROBLEMS[1]}"]
    assert _rows(said)["pass@1"][-2:] == ["1", "1"]


@pytest.mark.parametrize(
    ("over", "method", "has_interval"),
    [("samples", "over samples", False), ("problems", "over problems", True), ("contests", "over contests", True)],
)
def test_the_interval_is_over_what_was_asked(runs: Any, over: str, method: str, has_interval: bool) -> None:
    """A draw of all samples has an interval over problems only."""
    paths = runs("a", "110004"), runs("b", "334004")
    document = json.loads(compare_command(paths, over=over, as_json=True))
    by_metric = {one["metric"]: one for one in document["tasks"]["t"]}
    interval = by_metric["pass@1"]["interval"]
    assert interval["method"].endswith(method)
    assert interval["lower"] < by_metric["pass@1"]["difference"] < interval["upper"]
    assert (by_metric["pass@4"]["interval"] is not None) == has_interval
    assert compare_command(paths, over=over, as_json=True) == compare_command(paths, over=over, as_json=True)
    assert "over " in compare_command(paths, over=over).partition("Intervals: ")[2].splitlines()[0]


def test_dealing_finds_what_few_problems_cannot(runs: Any) -> None:
    """All samples right in B and none in A, on three problems: over samples it is clear, over problems it is not."""
    paths = runs("a", "000000"), runs("b", "444000")
    over_samples, over_problems = (
        {one["metric"]: one for one in json.loads(compare_command(paths, over=over, as_json=True))["tasks"]["t"]}
        for over in ("samples", "problems")
    )
    assert over_samples["pass@1"]["p_value"] < 0.001
    assert over_problems["pass@1"]["p_value"] == 0.25


def test_a_run_equals_itself(runs: Any) -> None:
    """No difference, no flipped problem, p of 1, an interval around 0."""
    path = runs("a", "123404")
    for one in json.loads(compare_command([path, path], as_json=True))["tasks"]["t"]:
        assert (one["difference"], one["p_value"], one["flipped"]) == (0.0, 1.0, {})
        assert one["interval"]["lower"] < 0 < one["interval"]["upper"]


def test_problems_that_one_run_does_not_know_are_left_out_of_both(
    runs: Any, tmp_path: Path, write_run: Any, dialogue: Any
) -> None:
    """A run of one other and one shared problem, one sample each: only what both can answer is compared."""
    few = [dialogue("fail", problem=PROBLEMS[5]), dialogue("fail", problem="b/other")]
    other = write_run(tmp_path / "few", few, tasks={"t": 1}, problems=[PROBLEMS[5], "b/other"], model="few")
    rows = _rows(compare_command([runs("a", "110004"), other]))
    assert {name: row[:4] for name, row in rows.items()} == {"pass@1": ["1", "100.0", "0.0", "-100.0"]}


def test_different_data_are_said(runs: Any) -> None:
    """The problems have the same ids, and the files they came from do not have the same bytes."""
    first, second = runs("a", "110004"), runs("b", "334004")
    record = json.loads((second / "run.json").read_text())
    record["tasks"][0]["data_sha256"] = "1" * 64
    (second / "run.json").write_text(json.dumps(record))
    assert "t: the data files of the two runs differ; problems are compared by id." in compare_command([first, second])
    assert "data files" not in compare_command([first, first])


def test_what_cannot_be_compared_is_refused(runs: Any, tmp_path: Path, write_run: Any) -> None:
    """No common task, no known problem, one run alone, an unknown interval: one sentence each."""
    a, other = runs("a", "110004"), runs("other", "110004")
    record = (other / "run.json").read_text().replace('"task":"t"', '"task":"u"')
    (other / "run.json").write_text(record)
    plan = (other / "shards.jsonl").read_text().replace('"t"', '"u"')
    (other / "shards.jsonl").write_text(plan)
    (other / "trajectories" / "t").rename(other / "trajectories" / "u")
    for shard in (other / "trajectories" / "u").iterdir():
        shard.write_text(shard.read_text().replace('"task":"t"', '"task":"u"'))
    empty = write_run(tmp_path / "none", [], tasks={"t": 1}, problems=PROBLEMS)
    for others, options, message in (
        ([other], {}, r"The runs have no task in common: .*a has t; .*other has u\."),
        ([empty], {}, r"The runs know no problem of t in common"),
        ([], {}, r"There is one run, '.*a', and nothing to compare it with: name another\."),
        ([a, other], {}, r"The runs have no task in common: .*a has t; .*a has t; .*other has u\."),
        ([a, empty], {}, r"The runs know no problem of t in common"),
        ([a], {"over": "none"}, r"--interval is 'none': choose one of samples, problems, contests\."),
        ([a], {"n_at_k": "x"}, r"n_at_k 'x' is not written n@k"),
        ([a], {"n_at_k": "1@9"}, r"n_at_k 1@9 draws 9 dialogues of 1 turn per problem, but samples_per_problem is 4"),
    ):
        with pytest.raises(TurnwiseError, match=message):
            compare_command([a, *others], **options)


def _places(said: str) -> dict[str, list[str]]:
    """Return the cells of each run's row by its model; a score and its places are two."""
    return {line.split()[0]: line.split()[2:] for line in said.splitlines() if re.match(r"[abc]  ", line)}


def test_three_runs_have_places(runs: Any) -> None:
    """Best first; six problems cannot order runs that differ in three, and dealing their samples can."""
    paths = [runs("a", "110004"), runs("b", "334004"), runs("c", "444444")]
    said = compare_command(paths)
    assert list(_places(said)) == ["c", "b", "a"]
    assert _places(said)["c"] == ["100.0", "(1-3)", "100.0", "(1-3)", "100.0", "(1-3)"]
    assert said.splitlines()[0] == "t" and re.search(r"^ +problems +6 +6 +6$", said, re.MULTILINE)
    assert "about problems like these; Holm's correction" in said
    dealt = compare_command(paths, over="samples")
    assert [row[2:4] for row in _places(dealt).values()] == [["100.0", "(1)"], ["58.3", "(2)"], ["25.0", "(3)"]]
    assert "about these very problems" in dealt


def test_places_are_those_of_the_common_problems(runs: Any, tmp_path: Path, write_run: Any, dialogue: Any) -> None:
    """A run of one shared problem leaves one for all, and one problem puts nobody before another."""
    few = write_run(tmp_path / "c", [dialogue("fail", problem=PROBLEMS[5])], tasks={"t": 1}, problems=[PROBLEMS[5]])
    document = json.loads(compare_command([runs("a", "110004"), runs("b", "334004"), few], as_json=True))
    (ranking,) = document["tasks"]["t"]
    assert (ranking["metric"], ranking["problems"]) == ("pass@1", 1)
    assert ranking["ranks"] == [{"value": value, "best": 1, "worst": 3} for value in (1.0, 1.0, 0.0)]
    assert [one["model"] for one in document["runs"]] == ["a", "b", "m"]


def test_a_folder_stands_for_the_runs_in_it(runs: Any, tmp_path: Path) -> None:
    """Two runs in it are compared, three have places, as if each were named."""
    paths = [runs("a", "110004"), runs("b", "334004")]
    assert compare_command([tmp_path]) == compare_command(paths)
    paths.append(runs("c", "444444"))
    assert compare_command([tmp_path]) == compare_command(paths) != compare_command(paths[:2])
