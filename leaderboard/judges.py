"""How a row was judged, and which rows of a task can be ranked together.

Two judges may differ in the answers that are right for them (equality, or a set of checkers) and in the tests they use
(all, or those with a valid input). A program can then be right for one and wrong for the other, so that a difference of
scores says nothing of the models. Where no verdict depends on it, since no row of the task has a problem with a
checker or a test that is left out, all rows are ranked together.
"""

from collections.abc import Sequence

from turnwise.records.choices import TestsChoice
from turnwise.records.run_folder import TaskRecord
from turnwise.records.settings import EQUALITY, JudgeRecord
from turnwise.texts import printable

_DIGITS = 12  # of a digest, shown


def answers_text(judge: JudgeRecord) -> str:
    """Return which outputs are right: ``answers checkers-1 (sha256 1a2b3c4d5e6f)``, ``answers equality``."""
    digest = "" if judge.answers == EQUALITY else judge.answers_sha256
    return f"answers {printable(judge.answers, limit=80)}{_shortened(digest)}"


def tests_text(judge: JudgeRecord) -> str:
    """Return which tests judge; under equality the digest is that of the set whose validators tell the valid ones."""
    digest = judge.answers_sha256 if judge.answers == EQUALITY and judge.tests == TestsChoice.VALID else ""
    return f"tests {printable(judge.tests, limit=80)}{_shortened(digest)}"


def judge_text(judge: JudgeRecord) -> str:
    """Return both; of another tool's judge only its name is known."""
    if not judge.matcher:
        return f"judged by {printable(judge.executor, limit=80)}" if judge.executor else "not judged"
    return f"{answers_text(judge)}, {tests_text(judge)}"


def ranked_together(rows: Sequence[tuple[JudgeRecord, TaskRecord]]) -> list[list[int]]:
    """Return the numbers of the rows of one task in groups, each of which can be ranked; all in one where that is true.

    What another tool judged counts as judged by equality, by all tests.
    """
    if not any(_depends_on_judge(task) for _, task in rows):
        return [list(range(len(rows)))]
    groups: dict[tuple[str, str, str], list[int]] = {}
    for number, (judge, _) in enumerate(rows):
        groups.setdefault((judge.answers, judge.answers_sha256, judge.tests), []).append(number)
    return list(groups.values())


def group_text(judges: Sequence[JudgeRecord]) -> str:
    """Return how the rows of a group were judged."""
    return "; ".join(dict.fromkeys(map(judge_text, judges)))


def _depends_on_judge(task: TaskRecord) -> bool:
    """Return whether a verdict on a program could be another by equality, or by all tests."""
    return bool(task.checked or task.invalid_tests)


def _shortened(digest: str) -> str:
    return f" (sha256 {printable(digest[:_DIGITS], limit=80)})" if digest else ""
