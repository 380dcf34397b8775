"""A line that typer cannot parse, as one sentence: what was typed, what is wrong with it, where to look."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import typer

from turnwise.texts import shown

# typer needs click or brings its own, by version: this is the class of both.
UsageError: Any = typer.BadParameter.__base__

# A value that is none of an option's choices, in the words of what reads it elsewhere.
_UNKNOWN = {
    **{name: f"Unknown {name} {{}}: choose one of {{}}." for name in ("model", "profile", "matcher", "feedback")},
    "tier": "Unknown isolation tier {}: there are {}.",
}
_KINDS = {"integer": "a whole number", "float": "a number", "number": "a number", "boolean": "true or false"}


def is_help(error: Any) -> bool:
    """Return whether a ``UsageError`` stands for the help of a command that was given nothing."""
    return error.ctx is not None and error.message == error.ctx.get_help()


def describe_mistake(error: Any, arguments: Sequence[str]) -> str:
    """Return the sentence about a ``UsageError`` that ``arguments`` caused."""
    context, command = error.ctx, error.ctx.command_path if error.ctx is not None else "turnwise"
    see = f"see {command} --help"
    if (parameter := getattr(error, "param", None)) is not None:
        return _of_parameter(error, parameter, arguments, see)
    if option := getattr(error, "option_name", None):
        return _of_option(option, context, arguments, see)
    if commands := getattr(context and context.command, "commands", None):
        name = next((one for one in arguments if repr(one) in error.message), "")
        return f"{name!r} is no command of {command}: {_nearest(name, commands, see)}."
    if extra := re.search(r"extra argument.*\((.*)\)$", error.message):
        return f"{extra[1]!r} is more than {command} takes: leave it out, or {see}."
    return f"{error.format_message().rstrip('.')}: {see}."


def _of_parameter(error: Any, parameter: Any, arguments: Sequence[str], see: str) -> str:
    option = max(parameter.opts, key=len) if parameter.param_type_name == "option" else ""
    name = option or parameter.metavar or parameter.name.upper()
    value = _value_of(parameter, arguments) if option else None
    if value is None and option:
        value = (error.ctx.default_map or {}).get(parameter.name)
    if value is None:
        what = f"{error.ctx.command_path} needs {name}" if not error.message else f"{name}: {error.message.rstrip('.')}"
        return f"{what}: {see}."
    _, is_choice, choices = error.message.rpartition(" is not one of ")
    if is_choice:
        known = ", ".join(re.findall("'([^']*)'", choices))
        return _UNKNOWN.get(parameter.name, name + " is {}: choose one of {}.").format(shown(value, limit=200), known)
    kind = next((kind for word, kind in _KINDS.items() if word in error.message), None)
    return f"{name} is {shown(value, limit=200)}: {f'give {kind}' if kind else error.message.rstrip('.')}; {see}."


def _of_option(option: str, context: Any, arguments: Sequence[str], see: str) -> str:
    parameters = context.command.params if context is not None else ()  # without a context its value is wrong
    known = [name for one in parameters for name in (*one.opts, *one.secondary_opts)]
    if known and option not in known:
        return f"{option} is no option of {context.command_path}: {_nearest(option, known, see)}."
    given = next((one.partition("=")[2] for one in arguments if one.startswith(f"{option}=")), None)
    if given is not None:
        return f"{option} has the value {given!r} and takes none: leave it out."
    return f"{option} has no value: write one after it."


def _value_of(parameter: Any, arguments: Sequence[str]) -> str | None:
    """Return what was typed for an option, the last one if it was typed twice."""
    found = None
    for number, argument in enumerate(arguments):
        for name in parameter.opts:
            if argument == name:
                found = next(iter(arguments[number + 1 :]), None)
            elif argument.startswith(f"{name}=") and name.startswith("--"):
                found = argument.partition("=")[2]
            elif argument.startswith(name) and not name.startswith("--") and not argument.startswith("--"):
                found = argument[len(name) :]
    return found


def _nearest(name: str, known: Any, see: str) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}? Else {see}" if near else see
