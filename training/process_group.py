"""What the processes of a training do together: wait, agree with the main one, end.

Each function is called by all of them, in the same order; of a single process it is what that says. A process that
fails ends, and with it its connections: the others, in their next call or the one they wait in, end with
ProcessLostError. Before they are connected whoever started them ends the others (accelerate launch,
torch.distributed.run), else the group's own timeout does.
"""

import atexit
import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from turnwise.errors import TurnwiseError
from turnwise.texts import printable

_Value = TypeVar("_Value")
_SOURCE = re.compile(r"^\[[^\]]*\] ")  # where gloo says it


class MainFailedError(TurnwiseError):
    """The main process failed, which says why itself; ends with the exit status that it ends with."""

    def __init__(self, status: int) -> None:
        super().__init__("The main process of the training failed.")
        self.exit_status = status


class ProcessLostError(TurnwiseError):
    """Another process ended or does not answer; the training goes on from its last checkpoint once it is started."""

    exit_status = 1


def is_of_group(error: Exception) -> bool:
    """Return whether what the processes do together failed, which gloo says by its source's name alone."""
    import torch

    if not torch.distributed.is_available():
        return False
    return isinstance(error, torch.distributed.DistError) or (
        isinstance(error, RuntimeError) and "/gloo/" in str(error)
    )


def wait_for_all() -> None:
    """Return once every process is here."""
    from accelerate import PartialState

    PartialState().wait_for_everyone()


def of_main(value: _Value) -> _Value:
    """Return the value of the main process, in every process."""
    from accelerate.utils import broadcast_object_list

    values: list[Any] = broadcast_object_list([value])
    return values[0]  # type: ignore[no-any-return]  # untyped


def done_by_main(action: Callable[[], None], *, is_main: bool) -> None:
    """Return once the main process has done it; where it failed, raise its error there and MainFailedError here."""
    error: Exception | None = None
    if is_main:
        try:
            action()
        except Exception as raised:
            error = raised
    status = of_main(0 if error is None else getattr(error, "exit_status", 1))
    if error is not None:
        raise error
    if status:
        raise MainFailedError(status)


@contextlib.contextmanager
def left_at_its_end() -> Iterator[None]:
    """Leave the group of processes behind what is done together, after its last call; raises ProcessLostError.

    The group's object stays until this process ends. Else it would go with the model's reducer, which knows it, too,
    and is freed without giving up Python's lock: it would wait for the group's threads, and a thread that is just
    letting go of a tensor for that lock, for ever.
    """
    import torch

    try:
        yield
    except RuntimeError as error:
        if not is_of_group(error):
            raise
        reason = _SOURCE.sub("", " ".join(str(error).split())).partition(". ")[0]
        raise ProcessLostError(
            f"Another process of the training ended or does not answer ({printable(reason, limit=200)}): see what it "
            "said, then run the same line again, which goes on from the last checkpoint."
        ) from None
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            group = torch.distributed.group.WORLD
            torch.distributed.destroy_process_group()
            atexit.register(id, group)  # keeps it
