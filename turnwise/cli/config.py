"""The option --config: a yaml file whose options are the defaults of a command."""

from pathlib import Path
from typing import Annotated, Any

import typer

from turnwise.errors import TurnwiseError
from turnwise.texts import shown


def read_defaults(context: typer.Context, path: Path | None) -> Path | None:
    """Make the options of a yaml file the defaults of this command; what is typed goes before them.

    Raises TurnwiseError for a file that cannot be read, or an option that the command does not have.
    """
    if path is not None:
        from turnwise.commands.settings import read_config

        names = {option.lstrip("-"): one.name for one in context.command.params for option in one.opts}
        defaults: dict[str, Any] = {}
        for name, value in read_config(path).items():
            if names.get(name) is None:
                known = ", ".join(sorted(name for name in names if len(name) > 1))
                raise TurnwiseError(
                    f"The configuration {str(path)!r} has the unknown option {shown(name)}: known are {known}."
                )
            defaults[str(names[name])] = value
        context.default_map = {**(context.default_map or {}), **defaults}
    return path


Config = Annotated[
    Path | None,
    typer.Option("--config", "-C", help="A yaml file of these options.", callback=read_defaults, is_eager=True),
]
