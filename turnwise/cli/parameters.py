"""Records as the options of commands: their fields are parsed as if they stood in the command's own signature."""

import inspect
from collections.abc import Callable, Collection, Iterator
from dataclasses import fields
from functools import wraps
from inspect import Parameter
from typing import Any

Command = Callable[..., None]


def takes(record: type[Any], *, without: Collection[str] = ()) -> Callable[[Command], Command]:
    """Put the fields of the dataclass ``record`` in place of a command's parameter ``options``, which is given one.

    Fields in ``without`` are no options of this command and keep their defaults.
    """
    added = [
        Parameter(one.name, Parameter.POSITIONAL_OR_KEYWORD, default=one.default, annotation=one.type)
        for one in fields(record)
        if one.name not in without
    ]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_record(**values: Any) -> None:
            options = record(**{one.name: values.pop(one.name) for one in added})
            command(**values, options=options)

        signature = inspect.Signature(list(_replaced(command, added)))
        with_record.__signature__ = signature  # type: ignore[attr-defined]  # what typer reads
        with_record.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
        return with_record

    return decorate


def _replaced(command: Command, added: Collection[Parameter]) -> Iterator[Parameter]:
    for one in inspect.signature(command).parameters.values():
        yield from added if one.name == "options" else [one]
