"""``turnwise compare``: two runs problem by problem, or the places that three and more runs can have."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tabulate import tabulate

from turnwise.benchmarks.differences import differences
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import read_run, runs_at
from turnwise.json_text import json_text
from turnwise.leaderboard.comparison import Difference, Rank, Ranking, compare_tasks, difference_document, rank_tasks
from turnwise.leaderboard.intervals import LEVEL
from turnwise.leaderboard.judges import group_text, ranked_together
from turnwise.leaderboard.outcomes import RunOutcomes, TaskOutcomes
from turnwise.records.choices import Over
from turnwise.records.codec import to_json
from turnwise.records.metrics import NAtK, check_support, parse_n_at_k

Groups = list[list[int]]  # of runs that are ranked together

_SEED = 0
_MOST_NAMED = 10  # differing settings
_TESTS = {
    Over.SAMPLES: "the dialogues of each problem dealt anew to the two runs: about these very problems",
    Over.PROBLEMS: "the runs exchanged problem by problem: about problems like these",
    Over.CONTESTS: "the runs exchanged contest by contest: about contests like these",
}
_TESTS_OF_RANKS = {
    Over.SAMPLES: "each problem's dialogues dealt anew to two runs: about these very problems",
    Over.PROBLEMS: "two runs exchanged problem by problem: about problems like these",
    Over.CONTESTS: "two runs exchanged contest by contest: about contests like these",
}


@dataclass(frozen=True, slots=True)
class _Ranked:
    """The rankings of runs that are ranked together; ``judged`` says how, where others were judged differently."""

    task: str
    runs: Sequence[RunOutcomes]
    judged: str
    rankings: Sequence[Ranking]

    @property
    def has_places(self) -> bool:
        """Whether there is another run to be before or behind."""
        return len(self.runs) > 1

    def documents(self) -> list[dict[str, object]]:
        """Return the rankings as they stand in JSON: with the runs that they are of where these are not all."""
        found = []
        for ranking in self.rankings:
            data: dict[str, object] = to_json(ranking)
            if self.judged:
                data |= {"judged": self.judged, "runs": [str(run.path) for run in self.runs]}
            if not self.has_places:
                data["ranks"] = [{"value": rank.value} for rank in ranking.ranks]
            found.append(data)
        return found


def compare_command(
    paths: Sequence[Path], *, over: str = Over.PROBLEMS, n_at_k: str = "", as_json: bool = False
) -> str:
    """Return the comparison of two runs, or the places of more, as text or as one JSON document.

    ``paths`` are run folders, or folders of them. Raises TurnwiseError where there are not two runs, no task that
    all have, no problem that all know, or an ``n_at_k`` that the samples of one cannot support.
    """
    if over not in list(Over):
        raise TurnwiseError(f"--interval is {over!r}: choose one of {', '.join(Over)}.")
    folders = runs_at(paths).runs
    if len(folders) < 2:
        raise TurnwiseError(f"There is one run, {str(folders[0])!r}, and nothing to compare it with: name another.")
    runs = [read_run(folder) for folder in folders]
    own = [name for run in runs for name in run.record.settings.n_at_k]
    asked = [name for name in n_at_k.split(",") if name.strip()]
    wanted = list(dict.fromkeys(map(parse_n_at_k, [*own, *asked])))
    tasks = _common_tasks(runs)
    for task in (one for several in tasks.values() for one in several):
        samples, turns = task.passed.shape[1:]
        for name in asked:
            check_support(parse_n_at_k(name), samples=samples, turns=turns)
    groups = {
        name: ranked_together([(run.record.judge, one.record) for run, one in zip(runs, several, strict=True)])
        for name, several in tasks.items()
    }
    notes = [
        f"{name}: the data files of the {'two ' if len(runs) == 2 else ''}runs differ; problems are compared by id."
        for name, several in tasks.items()
        if len({(one.record.data_sha256, one.record.benchmark_sha256) for one in several}) > 1
    ]
    notes += [_judged_differently(name, runs, apart) for name, apart in groups.items() if len(apart) > 1]
    if len(runs) == 2:
        notes += _differing(runs, list(tasks))
        return _compare(runs, tasks, Over(over), wanted, notes, as_json=as_json)
    return _rank(runs, tasks, groups, Over(over), wanted, notes, as_json=as_json)


def _judged_differently(task: str, runs: Sequence[RunOutcomes], groups: Groups) -> str:
    """Return the sentence on runs of a task that other answers or tests judged."""
    judges = [group_text([runs[number].record.judge for number in group]) for group in groups]
    if len(runs) == 2:
        a, b = judges
        said = f"{task}: A ({a}) and B ({b}) were judged differently"
        return f"{said}, so their difference is not that of the models alone."
    return f"{task}: runs that were judged differently have no places among each other: {' / '.join(judges)}."


def _differing(runs: Sequence[RunOutcomes], tasks: Sequence[str]) -> list[str]:
    """Return a sentence for each setting that two runs differ in, with the tasks that it is about and both values."""
    first, second = (_settings_of(run, tasks) for run in runs)
    about: dict[tuple[str, str, str], list[str]] = {}
    for name in tasks:
        for one in differences(first[name], second[name]):
            about.setdefault((one.place, *one.values()), []).append(name)
    said = [f"{', '.join(names)}: {place} is {a} in A, {b} in B." for (place, a, b), names in about.items()]
    return said[:_MOST_NAMED] + ([f"{len(said) - _MOST_NAMED} more settings differ."] if said[_MOST_NAMED:] else [])


def _settings_of(run: RunOutcomes, tasks: Sequence[str]) -> dict[str, dict[str, object]]:
    """Return by task what decides its result: the run's settings, judge and prompts, its strategy and turns."""
    record = run.record
    whole = {**to_json(record.settings), "judge": asdict(record.judge), "prompts": record.prompts.set}
    own = {one.record.task: {"strategy": one.record.strategy, "max_turns": one.record.max_turns} for one in run.tasks}
    return {name: {**whole, **own[name]} for name in tasks}


def _common_tasks(runs: Sequence[RunOutcomes]) -> dict[str, list[TaskOutcomes]]:
    """Return the outcomes of each run for every task that all have; raises TurnwiseError where there is none."""
    by_name = [{task.record.task: task for task in run.tasks} for run in runs]
    training = {name: None for tasks in by_name for name, task in tasks.items() if task.record.is_training}
    if training and all(name in training for tasks in by_name for name in tasks):
        raise TurnwiseError(
            f"These are runs on training problems alone ({', '.join(training)}), which compare no models: give runs of "
            "evaluation tasks; turnwise score shows these."
        )
    if training:
        print(f"turnwise: training problems compare no models: left out {', '.join(training)}.", file=sys.stderr)
    by_name = [{name: task for name, task in tasks.items() if name not in training} for tasks in by_name]
    shared = [name for name in by_name[0] if all(name in tasks for tasks in by_name)]
    if not shared:
        has = "; ".join(
            f"{run.path} has {', '.join(tasks) or 'none'}" for run, tasks in zip(runs, by_name, strict=True)
        )
        raise TurnwiseError(f"The runs have no task in common: {has}.")
    return {name: [tasks[name] for tasks in by_name] for name in shared}


def _compare(
    runs: Sequence[RunOutcomes],
    tasks: dict[str, list[TaskOutcomes]],
    over: Over,
    wanted: Sequence[NAtK],
    notes: Sequence[str],
    *,
    as_json: bool,
) -> str:
    generator = np.random.default_rng(_SEED)
    found = {name: compare_tasks(*pair, over=over, n_at_k=wanted, generator=generator) for name, pair in tasks.items()}
    _check_known(found)
    return _to_json(runs, found, over, notes) if as_json else _render(runs, found, over, notes)


def _rank(
    runs: Sequence[RunOutcomes],
    tasks: dict[str, list[TaskOutcomes]],
    groups: Mapping[str, Groups],
    over: Over,
    wanted: Sequence[NAtK],
    notes: Sequence[str],
    *,
    as_json: bool,
) -> str:
    generator = np.random.default_rng(_SEED)
    found = []
    for name, several in tasks.items():
        for group in groups[name]:
            rankings = rank_tasks([several[at] for at in group], over=over, n_at_k=wanted, generator=generator)
            members = [runs[at] for at in group]
            judged = group_text([run.record.judge for run in members]) if len(groups[name]) > 1 else ""
            found.append(_Ranked(name, members, judged, rankings))
    _check_known({one.task: [ranking for other in found for ranking in other.rankings] for one in found})
    if not as_json:
        return _render_rankings(found, over, notes)
    document: dict[str, object] = {"runs": [{"model": run.model, "run": str(run.path)} for run in runs]}
    document |= {"over": over, "notes": list(notes)}
    by_task: dict[str, list[dict[str, object]]] = {name: [] for name in tasks}
    for one in found:
        by_task[one.task] += one.documents()
    document["tasks"] = by_task
    return json_text(document, indent=1, ensure_ascii=False)


def _check_known(found: Mapping[str, Sequence[object]]) -> None:
    if not any(found.values()):
        raise TurnwiseError(f"The runs know no problem of {', '.join(found)} in common: sample or judge them first.")


def _render(runs: Sequence[RunOutcomes], found: dict[str, list[Difference]], over: Over, notes: Sequence[str]) -> str:
    headers = ["task", "metric", "problems", "A", "B", "B - A", f"{100 * LEVEL:g} % interval", "p", "only A", "only B"]
    rows = [[name, *_cells(one)] for name, differences in found.items() for one in differences]
    align = ["left", "left"] + ["right"] * (len(headers) - 2)
    parts = [f"{letter}: {run.label} ({run.path})" for letter, run in zip("AB", runs, strict=True)]
    parts += ["", tabulate(rows, headers=headers, disable_numparse=True, colalign=align), ""]
    methods = sorted({one.interval.method for differences in found.values() for one in differences if one.interval})
    parts.append(f"Intervals: {'; '.join(methods) or 'none, as a draw of all samples shows no spread'}.")
    parts.append(f"p: {_TESTS[over]}. Not corrected for the number of rows.")
    parts += [*notes, *(line for name, differences in found.items() for line in _flips(name, differences))]
    return "\n".join(parts)


def _cells(one: Difference) -> list[str]:
    ends = f"{100 * one.interval.lower:+.1f} to {100 * one.interval.upper:+.1f}" if one.interval else "-"
    only = [sum(flip.first > flip.second for flip in one.flips), sum(flip.first < flip.second for flip in one.flips)]
    p_value = f"{one.p_value:.4f}" if one.p_value >= 0.0001 else "<0.0001"
    scores = [f"{100 * one.first:.1f}", f"{100 * one.second:.1f}", f"{100 * one.value:+.1f}"]
    return [one.metric, str(one.problems), *scores, ends, p_value, *map(str, only)]


def _flips(task: str, differences: Sequence[Difference]) -> list[str]:
    """Return the flipped problems of the first pass@k, which is pass@1."""
    one = next((one for one in differences if one.metric == "pass@1"), None)
    if one is None or not one.flips:
        return []
    lines = [f"Flipped in {task}, pass@1 (above 50 in one run and below in the other), A then B:"]
    for flip in one.flips:
        lines.append(f"  {100 * flip.first:5.1f} {100 * flip.second:5.1f}  {flip.problem}")
    return lines


def _to_json(runs: Sequence[RunOutcomes], found: dict[str, list[Difference]], over: str, notes: Sequence[str]) -> str:
    document = {
        "first": {"model": runs[0].model, "run": str(runs[0].path)},
        "second": {"model": runs[1].model, "run": str(runs[1].path)},
        "over": over,
        "notes": list(notes),
        "tasks": {name: [difference_document(one) for one in differences] for name, differences in found.items()},
    }
    return json_text(document, indent=1, ensure_ascii=False)


def _render_rankings(found: Sequence[_Ranked], over: Over, notes: Sequence[str]) -> str:
    """Return a table for each task, best run first by its pass@1, and what a place means."""
    parts = [_ranking_table(one) for one in found if one.rankings]
    meaning = (
        "Score, then places: from 1 + the runs that are significantly better to the last that is not significantly "
        f"worse, on the problems that all runs know. Tested by {_TESTS_OF_RANKS[over]}; Holm's correction keeps the "
        "chance of any false claim in a column at 5 %."
    )
    return "\n".join(["\n\n".join(parts), "", meaning, *notes])


def _ranking_table(ranked: _Ranked) -> str:
    runs, rankings = ranked.runs, ranked.rankings
    first = next((one for one in rankings if one.metric == "pass@1"), rankings[0])
    order = sorted(range(len(runs)), key=lambda run: (-first.ranks[run].value, run))
    headers = ["model", "run", *(one.metric for one in rankings)]
    rows = [
        [
            runs[run].label,
            str(runs[run].path),
            *(_rank_cell(one.ranks[run], has_place=ranked.has_places) for one in rankings),
        ]
        for run in order
    ]
    rows.append(["", "problems", *(str(one.problems) for one in rankings)])
    align = ["left", "left"] + ["right"] * len(rankings)
    title = f"{ranked.task}, {ranked.judged}" if ranked.judged else ranked.task
    return f"{title}\n{tabulate(rows, headers=headers, disable_numparse=True, colalign=align)}"


def _rank_cell(rank: Rank, *, has_place: bool) -> str:
    if not has_place:
        return f"{100 * rank.value:.1f}"
    places = f"{rank.best}" if rank.best == rank.worst else f"{rank.best}-{rank.worst}"
    return f"{100 * rank.value:.1f}  ({places})"
