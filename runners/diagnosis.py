"""Diagnosis of a machine: may programs run here, how well are they isolated, is it enough; and what to change.

It judges nothing of a user's. Whatever it says rests on programs of our own that ran in the sandbox: the
canaries, the sample's reference solutions, and a loop that measures the speed. ``check_machine`` is the short
form that goes before any sampling, on the machine that samples.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from turnwise.benchmarks.catalog import load_problems
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.problem import FUNCTION_MEMORY_LIMIT_BYTES, Limits
from turnwise.runners.execution.canaries import CanaryResult, self_test
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.host import Host, InheritedLimits, Shortfall, inspect_host
from turnwise.runners.execution.interface import PYTHON, Ending, Executor, Program
from turnwise.runners.judging.judge import Judge

# About 0.15 s of CPU time with CPython 3.11 on a server core of 2023.
_LOOP = b"total = 0\nfor number in range(1_500_000):\n    total += number * number % 7\nprint(total)"
USUAL_LOOP_SECONDS = 0.15
_SLOW = 2.0
_MOST = Limits(memory_limit_bytes=FUNCTION_MEMORY_LIMIT_BYTES)  # of what benchmarks promise
_REFERENCES = ("sample_codecontests", "sample_taco")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found: the tier and why no better one, canaries, speed, references, host, and what to change."""

    tier: str
    unavailable: dict[str, str]
    interpreter: str
    canaries: tuple[CanaryResult, ...]
    loop_seconds: float
    references: dict[str, bool]
    host: Host
    advice: tuple[str, ...]
    shortfalls: tuple[Shortfall, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether programs can be judged here."""
        spoils = [one for one in self.shortfalls if one.spoils_much]
        return all(one.held for one in self.canaries) and all(self.references.values()) and not spoils


def diagnose(interpreter: str, *, tier: str, workers: int, environ: Mapping[str, str]) -> Diagnosis:
    """Return what can be said of this machine; raises InfrastructureError if programs could escape.

    ``workers`` is how many programs are to run at a time, 0 for the cores; fewer is a TurnwiseError.
    """
    if workers < 0:
        raise TurnwiseError(f"--workers is {workers}: give a whole number, or 0 for the usable cores.")
    with HardenedExecutor(interpreter, tier=tier) as executor:
        unavailable = {better: f"{error}. Remedy: {error.remedy}." for better, error in executor.unavailable.items()}
        canaries = self_test(executor)
        seconds = _loop_seconds(executor, times=5)
        references = _judge_references(executor)
        host = inspect_host(environ)
        workers = workers or host.cores
        advice = [
            *executor.inherited.advice(_MOST),
            *host.advice(workers=workers, memory_limit_bytes=FUNCTION_MEMORY_LIMIT_BYTES),
            *_speed_advice(seconds),
        ]
        return Diagnosis(
            executor.tier,
            unavailable,
            executor.interpreter,
            canaries,
            seconds,
            references,
            host,
            tuple(advice),
            executor.inherited.shortfalls(_MOST),
        )


def check_machine(executor: Executor, *, workers: int, environ: Mapping[str, str]) -> list[str]:
    """Return what a user should know of this machine before a run begins.

    Raises InfrastructureError if a reference solution fails here; that nothing escapes was seen to when the
    executor was made.
    """
    failed = [name for name, passed in _judge_references(executor).items() if not passed]
    if failed:
        raise InfrastructureError(
            f"Reference solutions fail on this machine ({', '.join(failed)}), so no verdict could be trusted: "
            "see turnwise doctor."
        )
    advice = inspect_host(environ).advice(workers=workers, memory_limit_bytes=FUNCTION_MEMORY_LIMIT_BYTES)
    inherited = InheritedLimits.read()
    short = [*map(str, inherited.shortfalls(_MOST)), *inherited.advice(_MOST)]
    return [*short, *_tier_advice(executor), *advice, *_speed_advice(_loop_seconds(executor, times=1))]


def _tier_advice(executor: Executor) -> Iterator[str]:
    """Yield why isolation fell to a lower tier, unless it is the machine's rule."""
    if isinstance(executor, HardenedExecutor):
        for better, error in executor.unavailable.items():
            if not error.is_forbidden:
                yield f"Isolation is tier {executor.tier}, since tier {better} lacks {error}: {error.remedy}."


def _loop_seconds(executor: Executor, *, times: int) -> float:
    with executor.open(Program(_LOOP), PYTHON, Limits()) as session:
        found = [one.cpu_seconds for one in session.run([b""] * times) if one.ending is Ending.FINISHED]
    return median(found) if found else 0.0


def _judge_references(executor: Executor) -> dict[str, bool]:
    judge = Judge(executor)
    problems = [problem for name in _REFERENCES for problem in load_problems(name).scorable]
    return {problem.id: judge.judge(problem, problem.solutions[0]).passed for problem in problems}


def _speed_advice(seconds: float) -> Iterator[str]:
    factor = seconds / USUAL_LOOP_SECONDS
    if factor > _SLOW:
        yield (
            f"This machine is {factor:.1f} times slower than usual: limits are CPU time, so give "
            f"--time_factor {factor:.0f} if the scores are to stand beside others."
        )
