"""Which problems of one set are also in others: training on them would teach the tests.

>>> found = find_contamination(train, {"taco": tests}, ContaminationSettings(), machine)
>>> found.problems
{'codecontests/1242_A. Tile Painting': 'its statement shares 97 % of its word 8-grams with taco/81 (taco)'}

Statements are compared by their words (statements.py). Those that are near (a containment of 0.2 at least, or
embeddings of a cosine of 0.8) but not one problem by that get a second look: known solutions of the one are judged on
the tests of the other, both ways. Where one passes all, the problem is contaminated, too. arXiv 2410.08105 (section 4)
compares embeddings and runs solutions across.

Solutions run in the execution back end alone. Does not judge what has no hidden test, nor a function against a program
that reads stdin; and never takes what the machine failed to judge for an answer: the pair's note says so.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

import turnwise
from turnwise.errors import TurnwiseError
from turnwise.records.contamination import Contamination, ContaminationSettings, Pair, Reason
from turnwise.records.problem import Problem
from turnwise.records.report import Verdict
from turnwise.records.settings import JudgeSettings
from turnwise.runners.judging.expected import resolve_expected
from turnwise.runners.judging.judge import JudgeRequest
from turnwise.runners.loading import Machine, Progress, as_judged
from turnwise.training.contamination.embeddings import Embedder, near_by_embedding
from turnwise.training.contamination.statements import Statements, near_statements, shared_words

NEAR = 0.2
"""The least containment that gets a second look."""
NEAR_COSINE = 0.8
SOLUTIONS = 3
"""Known solutions of a problem that are tried on another's tests."""
PUBLISHED = (
    "Published: arXiv 2410.08105 drops 288 train problems of CodeContests that are also in the test set of TACO, by"
    " embeddings (cosine 0.8) and solutions run across."
)
_OURS = ""  # in place of the name of a test set
_UNCROSSABLE = "a function and a program that reads stdin cannot be run on each other's tests"
_NO_SOLUTION = "neither has a solution that the tests of the other could judge"


@dataclass(frozen=True, slots=True)
class _Crossing:
    """A solution of one problem as an answer to another, ``judged`` by the tests of the set named."""

    pair: int
    solver: Problem
    judged: tuple[str, str]
    program: str

    def request(self, judged: Problem) -> JudgeRequest:
        """Return what to judge: the solution finds its input, and the usual imports, where its own problem has them."""
        preludes = dict.fromkeys(filter(None, (self.solver.prelude, judged.prelude)))
        problem = replace(
            judged,
            input_file=self.solver.input_file,
            output_file=self.solver.output_file,
            prelude="\n".join(preludes),
        )
        return JudgeRequest(problem, self.program)


def check_settings(settings: ContaminationSettings) -> None:
    """Raise TurnwiseError for a containment that no two statements could fail, or reach."""
    if not 0 < settings.containment <= 1:
        raise TurnwiseError(f"--containment is {settings.containment:g}: give a share above 0, up to 1.")


def _no_progress(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def find_contamination(
    problems: Sequence[Problem],
    against: Mapping[str, Sequence[Problem]],
    settings: ContaminationSettings,
    machine: Machine | None,
    *,
    on_progress: Progress = _no_progress,
) -> Contamination:
    """Return which ``problems`` are also in the test sets, by the names of these.

    ``machine`` runs solutions across; None if ``settings`` leave that out. Raises TurnwiseError for settings that
    cannot be, MissingExtraError without transformers where embeddings are asked for.
    """
    check_settings(settings)
    if settings.solutions and machine is None:
        raise ValueError("solutions cannot run without a machine")
    cosines = _cosines(problems, against, settings.embed, on_progress)
    ours = Statements([problem.statement for problem in problems])
    pairs: list[Pair] = []
    for number, (name, others) in enumerate(against.items(), 1):
        pairs += _pairs(problems, ours, name, others, settings.containment, cosines.get(name))
        on_progress("statements compared, by test set", number, len(against))
    if settings.solutions and machine is not None:
        pairs = _cross(pairs, problems, against, machine, on_progress)
    return Contamination(
        turnwise=turnwise.__version__,
        settings=settings,
        compared=len(problems),
        against={name: len(others) for name, others in against.items()},
        problems=_reasons(problems, pairs),
        pairs=tuple(pairs),
    )


def _cosines(
    problems: Sequence[Problem], against: Mapping[str, Sequence[Problem]], model: str, on_progress: Progress
) -> dict[str, dict[tuple[int, int], float]]:
    """Return the cosines of near statements of each test set; none where no ``model`` is to embed them."""
    if not model:
        return {}
    embedder = Embedder(model)

    def embed(name: str, several: Sequence[Problem]) -> NDArray[np.float32]:
        return embedder.embed([problem.statement for problem in several], partial(on_progress, f"{name}: embeddings"))

    ours = embed("problems", problems)
    return {name: near_by_embedding(ours, embed(name, others), least=NEAR_COSINE) for name, others in against.items()}


def _pairs(
    problems: Sequence[Problem],
    statements: Statements,
    name: str,
    others: Sequence[Problem],
    containment: float,
    cosines: Mapping[tuple[int, int], float] | None,
) -> list[Pair]:
    """Return the pairs that are alike, most alike first."""
    theirs = Statements([problem.statement for problem in others])
    least = min(NEAR, containment)
    found = {
        (one.problem, one.other): one.containment
        for one in near_statements(statements, theirs, least=least if cosines is None else 1e-9)
    }
    near = {place for place, share in found.items() if share >= least - 1e-12}
    pairs = []
    for place in sorted(near.union(cosines or ())):
        share, cosine, (problem, other) = found.get(place, 0.0), (cosines or {}).get(place), place
        pairs.append(
            Pair(
                problem=problems[problem].id,
                other=others[other].id,
                task=name,
                containment=round(share, 4),
                reason=Reason.STATEMENT if share >= containment - 1e-12 else Reason.NEAR,
                shared=shared_words(statements.texts[problem], theirs.texts[other]),
                cosine=None if cosine is None else round(cosine, 4),
            )
        )
    return sorted(pairs, key=lambda pair: (-pair.containment, pair.problem, pair.other))


def _reasons(problems: Sequence[Problem], pairs: Iterable[Pair]) -> dict[str, str]:
    """Return a sentence on each contaminated problem, in their order: on the pair that is most alike."""
    best: dict[str, Pair] = {}
    for pair in sorted(pairs, key=lambda pair: -pair.containment):
        if pair.reason is not Reason.NEAR:
            best.setdefault(pair.problem, pair)
    return {problem.id: _reason(best[problem.id]) for problem in problems if problem.id in best}


def _reason(pair: Pair) -> str:
    other = f"{pair.other} ({pair.task})"
    if pair.reason is Reason.SOLUTIONS:
        return f"its statement is near that of {other}, and {pair.note}"
    return f"its statement shares {100 * pair.containment:.0f} % of the word 8-grams of the shorter with {other}"


def _cross(
    pairs: Sequence[Pair],
    problems: Sequence[Problem],
    against: Mapping[str, Sequence[Problem]],
    machine: Machine,
    on_progress: Progress,
) -> list[Pair]:
    """Return the pairs with what solutions of the near ones showed on the tests of the other."""
    sets = {_OURS: {problem.id: problem for problem in problems}}
    sets |= {name: {problem.id: problem for problem in others} for name, others in against.items()}
    crossings: list[_Crossing] = []
    notes: dict[int, str] = {}
    for number, pair in enumerate(pairs):
        if pair.reason is Reason.NEAR:
            ours, theirs = (_OURS, pair.problem), (pair.task, pair.other)
            a, b = (sets[name][problem] for name, problem in (ours, theirs))
            if a.is_function_call != b.is_function_call:
                notes[number] = _UNCROSSABLE
                continue
            crossings += _answers(number, a, b, theirs) + _answers(number, b, a, ours)
    judged = _as_judged({crossing.judged for crossing in crossings}, sets, machine)
    crossings = [crossing for crossing in crossings if crossing.judged in judged]
    verdicts: dict[int, list[tuple[_Crossing, Verdict]]] = {}
    with closing(machine.open_cache()) as cache, closing(machine.open_judge(JudgeSettings(), cache)) as judge:
        requests = [crossing.request(judged[crossing.judged]) for crossing in crossings]
        for done, (crossing, report) in enumerate(zip(crossings, judge.judge_many(requests), strict=True), 1):
            verdicts.setdefault(crossing.pair, []).append((crossing, report.verdict))
            on_progress("solutions on the tests of others", done, len(requests))
    return [
        pair if pair.reason is not Reason.NEAR else _looked_at(pair, verdicts.get(number, []), notes.get(number, ""))
        for number, pair in enumerate(pairs)
    ]


def _answers(pair: int, solver: Problem, judged: Problem, place: tuple[str, str]) -> list[_Crossing]:
    """Return solutions of ``solver`` as answers to ``judged``, if that can be judged."""
    if not judged.is_scorable:
        return []
    programs = [_as_answer(program, solver, judged) for program in dict.fromkeys(solver.solutions)]
    kept = [program for program in programs if program is not None][:SOLUTIONS]
    return [_Crossing(pair, solver, place, program) for program in kept]


def _as_answer(program: str, solver: Problem, judged: Problem) -> str | None:
    """Return the program with its function under the name that ``judged`` calls; None if it is a method."""
    name, wanted = solver.entry_point, judged.entry_point
    if name == wanted:
        return program
    if not re.search(rf"^def {re.escape(name)}\b", program, re.MULTILINE):
        return None
    return f"{program}\n\n{wanted} = {name}\n"


def _as_judged(
    places: Iterable[tuple[str, str]], sets: Mapping[str, Mapping[str, Problem]], machine: Machine
) -> dict[tuple[str, str], Problem]:
    """Return the problems at ``places`` as they are judged, without those that cannot be."""
    found = {}
    for name in sets:
        chosen = [sets[name][problem] for place, problem in sorted(places) if place == name]
        known = resolve_expected(chosen, machine.executor, cache_dir=machine.cache_dir, workers=machine.workers)
        for problem in as_judged(name or "contamination", known, machine, JudgeSettings()):
            if problem.is_scorable:
                found[name, problem.id] = problem
    return found


def _looked_at(pair: Pair, verdicts: Sequence[tuple[_Crossing, Verdict]], note: str) -> Pair:
    if not verdicts:
        return replace(pair, note=note or _NO_SOLUTION)
    passed = [crossing for crossing, verdict in verdicts if verdict is Verdict.PASSED]
    if passed:
        solved = f"a solution of {passed[0].solver.id} solves {passed[0].judged[1]}"
        return replace(pair, reason=Reason.SOLUTIONS, note=solved)
    failed = sum(verdict is not Verdict.INFRASTRUCTURE_FAILURE for _, verdict in verdicts)
    notes = [f"{failed} solution{'s fail' if failed > 1 else ' fails'} on the tests of the other"] if failed else []
    if spoiled := len(verdicts) - failed:
        notes.append(f"the machine failed to judge {spoiled} solution{'s' if spoiled > 1 else ''}")
    return replace(pair, note="; ".join(notes))
