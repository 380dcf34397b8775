"""Verdicts that another CPU could give otherwise: programs that came near their time limit, counted."""

from turnwise.records.report import Verdict
from turnwise.records.run_folder import RunFolder
from turnwise.texts import printable


def describe_near_limits(folder: RunFolder) -> list[str]:
    """Return the sentence on programs within a factor of two of their time limit, or none if there is none."""
    judgements = list(folder.judgements().values())
    near = [one for one in judgements if one.is_near_limit]
    if not near:
        return []
    over = sum(one.verdict is Verdict.TIME_LIMIT for one in near)
    models = ", ".join(sorted({printable(one.cpu, limit=80) for one in near}))
    return [
        f"{len(near)} of {len(judgements)} judged programs took half their time limit or more ({over} ran out of "
        f"it) on {models}: a CPU of another speed could judge them otherwise; they stand in verdicts/."
    ]
