"""What ``turnwise status`` says of jobs, whatever their work is: what they took, and their last errors."""

import signal
from collections.abc import Iterator, Mapping, Sequence

from turnwise.records.codec import to_json
from turnwise.slurm.events import Event
from turnwise.slurm.queue import QueuedJob
from turnwise.slurm.status import Bill

_SHOWN_ERRORS = 3
_SHOWN_LINES = 3


def billed_line(bill: Bill) -> str:
    """Return the line on what was billed."""
    source = "SLURM's accounting" if bill.is_accounted else "the workers' logs"
    return f"GPU-hours billed: {hours(bill.billed)}, by {source}."


def jobs_document(jobs: Sequence[QueuedJob] | None, bill: Bill, errors: Sequence[Event]) -> dict[str, object]:
    """Return the fields of a JSON document on jobs, which are null where SLURM does not answer."""
    known = None if jobs is None else [to_json(job) for job in jobs]
    return {"jobs": known, "gpu_hours": sum(bill.billed.values()), "errors": [to_json(error) for error in errors]}


def hours(by_cause: Mapping[str, float]) -> str:
    """Return the sum of hours and its parts."""
    parts = "; ".join(f"{hours:.2f} {cause}" for cause, hours in sorted(by_cause.items()))
    return f"{sum(by_cause.values()):.2f}{f' ({parts})' if parts else ''}"


def error_lines(errors: Sequence[Event]) -> Iterator[str]:
    """Yield the latest errors, with the last lines of their workers."""
    for event in errors[-_SHOWN_ERRORS:]:
        status_of = event.status or 0
        ended = f"was ended by {_signal_name(status_of)}" if status_of < 0 else f"ended with {status_of}"
        yield f"{event.worker} on {event.node or 'this machine'} {ended}; its last lines:"
        yield from (f"  {line}" for line in event.log[-_SHOWN_LINES:])
        if event.command:
            yield f"  to see it again: {event.command}"


def _signal_name(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
