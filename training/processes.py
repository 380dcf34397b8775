"""What the processes of a training do together: wait, agree with the main one, end.

Each function is called by all of them, in the same order; of a single process it is what that says. One that fails
ends, and with it its connections: the others' next call then raises, and whoever started them (accelerate launch,
torch.distributed.run) ends them in any case.
"""

import atexit
import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from turnwise.errors import TurnwiseError

_Value = TypeVar("_Value")


class MainFailedError(TurnwiseError):
    """The main process failed, which says why itself; ends with the exit status that it ends with."""

    def __init__(self, status: int) -> None:
        super().__init__("The main process of the training failed.")
        self.exit_status = status


def wait_for_all() -> None:
    """Return once every process is here."""
    from accelerate import PartialState

    PartialState().wait_for_everyone()


def of_main(value: _Value) -> _Value:
    """Return the value of the main process, in every process."""
    from accelerate.utils import broadcast_object_list

    values: list[Any] = broadcast_object_list([value])
    return values[0]  # type: ignore[no-any-return]


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
    """Leave the group of processes behind what is done together, after its last call.

    The group's object stays until this process ends. Else it would go with the model's reducer, which knows it, too, and
    is freed without giving up Python's lock: it would wait for the group's threads, and a thread that is just letting go
    of a tensor for that lock, for ever.
    """
    import torch

    try:
        yield
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            group = torch.distributed.group.WORLD
            torch.distributed.destroy_process_group()
            atexit.register(id, group)  # keeps it
