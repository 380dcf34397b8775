"""Records as the options of commands: their fields are parsed as if they stood in the command's own signature.

Beside them --config, a yaml file whose options are the defaults of a command.
"""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import copy
from dataclasses import MISSING, Field, fields
from functools import wraps
from inspect import Parameter
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_origin

import typer

from turnwise.errors import TurnwiseError
from turnwise.texts import shown

Command = Callable[..., None]


def _read_defaults(context: typer.Context, path: Path | None) -> Path | None:
    """Make the options of a yaml file the defaults of this command; what is typed goes before them.

    Raises TurnwiseError for a file that cannot be read, or an option that the command does not have.
    """
    if path is not None:
        from turnwise.commands.settings import read_config

        names = {option.lstrip("-"): one.name for one in context.command.params for option in one.opts}
        defaults: dict[str, object] = {}
        for name, value in read_config(path).items():
            if names.get(name) is None:
                known = ", ".join(sorted(name for name in names if len(name) > 1))
                raise TurnwiseError(
                    f"The configuration {str(path)!r} has the unknown option {shown(name)}: known are {known}."
                )
            defaults[str(names[name])] = value
        context.default_map = {**(context.default_map or {}), **defaults}
    return path


_CONFIG = Annotated[
    Path | None,
    typer.Option("--config", "-C", help="A yaml file of these options.", callback=_read_defaults, is_eager=True),
]


def takes(
    record: type[Any],
    *,
    without: Collection[str] = (),
    helps: Mapping[str, str] = MappingProxyType({}),
    has_config: bool = False,
) -> Callable[[Command], Command]:
    """Put the fields of the dataclass ``record`` in place of a command's parameter ``options``, which is given one.

    Fields in ``without`` are no options of this command and keep their defaults; ``helps`` are lines of help in place
    of those of the fields. With ``has_config`` the command has --config, too.
    """
    added = [_parameter(one, helps.get(one.name)) for one in fields(record) if one.name not in without]
    before = [Parameter("config", Parameter.KEYWORD_ONLY, default=None, annotation=_CONFIG)] if has_config else []
    repeated = {one.name for one in fields(record) if _is_repeated(one)}

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_record(**values: Any) -> None:
            values.pop("config", None)  # which made the defaults of the others
            given = {one.name: values.pop(one.name) for one in added}
            options = record(
                **{name: tuple(value or ()) if name in repeated else value for name, value in given.items()}
            )
            command(**values, options=options)

        signature = inspect.Signature(list(_replaced(command, [*before, *added])))
        with_record.__signature__ = signature  # type: ignore[attr-defined]  # what typer reads
        with_record.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
        return with_record

    return decorate


def _parameter(one: "Field[object]", text: str | None) -> Parameter:
    """Return the parameter that typer makes an option of; what is a tuple in the record is an option to repeat."""
    default = Parameter.empty if one.default is MISSING else one.default
    kind, option = get_args(one.type)
    if text is not None:
        option = copy(option)
        option.help = text
    if _is_repeated(one):
        default, kind = None, list[get_args(kind)[0]] | None  # type: ignore[misc]  # a type made as it runs
    return Parameter(one.name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def _is_repeated(one: "Field[object]") -> bool:
    return get_origin(get_args(one.type)[0]) is tuple


def _replaced(command: Command, added: Collection[Parameter]) -> Iterator[Parameter]:
    for one in inspect.signature(command).parameters.values():
        yield from added if one.name == "options" else [one.replace(kind=Parameter.KEYWORD_ONLY)]


def say(text: str) -> None:
    """Print what a command returned, and leave nothing of it in a buffer."""
    print(text.rstrip("\n"), flush=True)
