"""Records as JSON objects and back: one way for all of them, so that no record says how it is written.

    to_json(record)         its fields in their order; one that is ``if_set`` only where it differs from its default
    from_json(kind, data)   the record; every other field has to be there, none is unknown, no value is converted

A field that is ``in_memory`` is no part of the record's JSON, nor of its equality: it is for this process alone.

The fields' types are the format: numbers, texts, paths, enumerations, records, tuples (JSON lists) and mappings. A
class may name properties that stand in its JSON for other readers, ``DERIVED``; they are not read.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from turnwise.json_text import json_line
from turnwise.texts import printable, shown

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import SchemaValidator

Record = TypeVar("Record")
_Writer = Callable[[Any], object]
_IF_SET = "written_if_set"
_IN_MEMORY = "in_memory"
# What pydantic says of Python's classes, said of JSON.
_REASONS = {
    "unexpected_keyword_argument": "unknown field",
    "dataclass_type": "input should be an object",
    "json_invalid": "it is cut off or no JSON",
    "path_type": "input should be a path",
}
_WITHOUT_VALUE = frozenset({"missing", "unexpected_keyword_argument", "json_invalid"})
_SCALARS = frozenset({"int", "float", "str", "bool"})


class RecordError(ValueError):
    """What makes data no record: the field, what is wrong with it, and its value."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What a validation of pydantic found at ``place``: its kind and reason, as pydantic has them, and the value."""

    place: tuple[str | int, ...]
    kind: str
    reason: str
    value: object

    @property
    def where(self) -> str:
        """The place as one text, such as ``jobs.sample.cpus``."""
        return ".".join(map(str, self.place))


def if_set(default: object, **more: object) -> Any:
    """Return a field of a record that is written only where it differs from ``default``, which may be a factory.

    What a factory makes (mappings) has no hash, and is left out of the record's. ``more`` is metadata of the field.
    """
    metadata = {_IF_SET: True, **more}
    if callable(default):
        return field(default_factory=default, hash=False, metadata=metadata)
    return field(default=default, metadata=metadata)


def in_memory(default: object) -> Any:
    """Return a field of a record that is never written nor read, and does not count when records are compared."""
    return field(default=default, compare=False, repr=False, metadata={_IN_MEMORY: True})


def to_json(record: object) -> Any:
    """Return ``record`` as a JSON object."""
    kind: object = type(record)
    return _writer(kind)(record)


def to_line(record: object) -> str:
    """Return ``record`` as one line of JSON, without the line break."""
    return json_line(to_json(record))


def from_json(kind: type[Record], data: object) -> Record:
    """Return the ``kind`` that ``data`` holds; raises RecordError for anything else."""
    of_kind: object = kind
    try:
        record: Record = _validator(of_kind).validate_python(data)
    except (ValueError, RecursionError) as error:
        raise RecordError(reason_of(error)) from None
    return record


def from_lines(read: Callable[[object], Record], text: str) -> list[Record]:
    """Return what ``read`` makes of the JSON in each line of ``text``; raises RecordError naming the line."""
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            records.append(read(json.loads(line)))
        except (ValueError, RecursionError) as error:
            raise RecordError(f"line {number}: {reason_of(error)}") from None
    return records


def reason_of(error: Exception) -> str:
    """Return, on one printable line, why what reading and parsing raised ``error`` cannot be read.

    Of what a validation of pydantic found it is the first thing: where, what, and the value there.
    """
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"it is not {error.encoding.upper()}"
    if isinstance(error, json.JSONDecodeError):
        return "it is cut off or no JSON"
    if isinstance(error, KeyError):
        return f"{shown(error.args[0], limit=80)} is missing or unknown"
    if isinstance(error, TypeError | AttributeError):
        return "a value in it is of another kind than it has to be"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    from pydantic import ValidationError  # takes as long to import as all else that the command line's help needs

    if isinstance(error, ValidationError):
        return _sentence(first_mistake(error))
    said = printable(" ".join(str(error).split()), limit=300)
    return re.sub(r" is not a valid \w+$", " is unknown", said)  # of an enumeration, which has a name for us alone


def first_mistake(error: "ValidationError") -> Mistake:
    """Return the first thing that a validation found wrong."""
    first = error.errors(include_url=False)[0]
    return Mistake(first["loc"], first["type"], first["msg"], first["input"])


def _sentence(mistake: Mistake) -> str:
    reason = _REASONS.get(mistake.kind, mistake.reason.lower())
    if mistake.kind not in _WITHOUT_VALUE:
        reason += f", not {shown(mistake.value)}"
    return printable(f"{mistake.where}: " * bool(mistake.where) + reason, limit=300)


@cache
def _writer(kind: Any) -> _Writer:
    """Return what makes a JSON object of a record of this ``kind``."""
    hints = get_type_hints(kind)
    always, if_set_ = [], []
    for one in _written_fields(kind):
        writer = _writer_of(hints[one.name])
        if not one.metadata.get(_IF_SET):
            always.append((one.name, writer))
        else:
            if_set_.append((one.name, writer, one.default if one.default_factory is MISSING else one.default_factory()))
    order = [one.name for one in _written_fields(kind)] if if_set_ else []
    always += [(name, None) for name in getattr(kind, "DERIVED", ())]

    def write(record: object) -> dict[str, object]:
        data = {}
        for name, writer in always:
            value = getattr(record, name)
            data[name] = value if writer is None else writer(value)
        return data

    def write_what_is_set(record: object) -> dict[str, object]:
        data = write(record)
        more = False
        for name, writer, default in if_set_:
            value = getattr(record, name)
            if value != default:
                data[name] = value if writer is None else writer(value)
                more = True
        return _sorted(data, order) if more else data

    return write_what_is_set if if_set_ else write


def _written_fields(kind: Any) -> list[Field[Any]]:
    return [one for one in fields(kind) if not one.metadata.get(_IN_MEMORY)]


def _sorted(data: dict[str, object], order: Sequence[str]) -> dict[str, object]:
    """Return ``data`` with its fields in ``order``, others behind them."""
    return {name: data[name] for name in (*order, *data) if name in data}


def _writer_of(hint: object) -> _Writer | None:
    """Return what makes a JSON value of one that is typed so; None for what is one."""
    parts = [one for one in get_args(hint) if one is not type(None) and one is not Ellipsis]
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        writers = {writer for writer in map(_writer_of, parts) if writer is not None}
        return _of_optional(*writers) if writers else None
    if origin is tuple:
        return _of_items(_writer_of(parts[0]))
    if origin is Mapping:
        return _of_values(_writer_of(parts[1]))
    if is_dataclass(hint):
        return to_json
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda member: member.value
    if hint is Path:
        return str
    return None


def _of_optional(writer: _Writer) -> _Writer:
    return lambda value: None if value is None else writer(value)


def _of_items(writer: _Writer | None) -> _Writer:
    return list if writer is None else lambda values: [writer(value) for value in values]


def _of_values(writer: _Writer | None) -> _Writer:
    return dict if writer is None else lambda values: {name: writer(value) for name, value in values.items()}


@cache
def _validator(kind: Any) -> "SchemaValidator":
    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator

    return SchemaValidator(_strict(TypeAdapter(kind).core_schema))


def _strict(schema: object) -> Any:
    """Return a schema of pydantic's that converts no scalar, takes no unknown field and misses none."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: value if name == "metadata" else _strict(value) for name, value in schema.items()}
    if schema.get("type") in _SCALARS:
        strict["strict"] = True
    if schema.get("type") == "dataclass":
        optional = {one.name for one in fields(schema["cls"]) if one.metadata.get(_IF_SET)}
        arguments = strict["schema"]
        if arguments["type"] == "dataclass-args":
            arguments["extra_behavior"] = "forbid"
            held = {one.name for one in fields(schema["cls"])} - {one.name for one in _written_fields(schema["cls"])}
            for one in arguments["fields"]:
                if one["name"] in held:
                    one["init"] = False  # it gets its default; in the data it is an unknown field
                elif one["name"] not in optional and one["schema"]["type"] == "default":
                    one["schema"] = one["schema"]["schema"]
            if derived := getattr(schema["cls"], "DERIVED", ()):
                strict["schema"] = {"type": "function-before", "function": _without(derived), "schema": arguments}
    return strict


def _without(derived: tuple[str, ...]) -> dict[str, object]:
    def leave_out(data: object) -> object:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if name not in derived}

    return {"type": "no-info", "function": leave_out}
