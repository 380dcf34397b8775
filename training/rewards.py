"""What a dialogue earns: +1 or -1 at its end, -0.2 for an earlier turn without valid code (arXiv 2410.02089, 2.2).

>>> rewards_of(trajectory, report, RewardSettings())
(-0.2, 1.0)

One reward for each call of the model; where a turn has two, the first (its reasoning) earns nothing. What the machine
or a request spoiled has no reward: None, never -1.
"""

from turnwise.records.report import Report, Verdict
from turnwise.records.rlef import RewardSettings
from turnwise.records.trajectory import Trajectory, Turn


def is_invalid(turn: Turn, settings: RewardSettings) -> bool:
    """Return whether a turn has no valid code: none at all, or by the settings none that compiles."""
    if turn.program is None:
        return True
    compiles = turn.public_report.verdict is not Verdict.COMPILE_ERROR
    return settings.invalid_is == "no_code_or_compile_error" and not compiles


def turn_reward(turn: Turn, settings: RewardSettings) -> float:
    """Return what a turn earns that is not the last."""
    return settings.invalid if is_invalid(turn, settings) else 0.0


def final_reward(report: Report, settings: RewardSettings) -> float | None:
    """Return what the last turn earns, by the report on its program on all tests; None where the machine failed."""
    if report.verdict is Verdict.INFRASTRUCTURE_FAILURE:
        return None
    return settings.solved if report.passed else settings.failed


def rewards_of(trajectory: Trajectory, report: Report | None, settings: RewardSettings) -> tuple[float, ...] | None:
    """Return the reward of each call of a dialogue that has ended; None where it has none.

    ``report`` is that on the last program on all tests, None where there is none to judge.
    """
    if trajectory.is_missing or not trajectory.turns or report is None:
        return None
    last = final_reward(report, settings)
    if last is None:
        return None
    *earlier, final = trajectory.turns
    rewards: list[float] = []
    for turn in earlier:
        rewards += [*[0.0] * (len(turn.calls) - 1), turn_reward(turn, settings)]
    return (*rewards, *[0.0] * (len(final.calls) - 1), last)
