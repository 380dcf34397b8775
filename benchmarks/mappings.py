"""Yaml files that users write, each a mapping: what is wrong with one is said in a sentence, with line and remedy.

Such a file may be somebody else's: only plain values are made of it, and its size, its aliases and what they expand
to are bounded.
"""

from pathlib import Path
from typing import Any

import yaml

from turnwise.errors import TurnwiseError
from turnwise.texts import printable

_LARGEST = 2**20  # bytes
_MOST_ALIASES = 100
_MOST_VALUES = 100_000  # aliases expanded
_LONGEST_NUMBER = 400  # characters


def read_mapping(path: Path, what: str, *, otherwise: str, remedy: str) -> dict[object, object]:
    """Return the mapping in the yaml file ``path``; it is text from outside, so check its keys and values.

    Raises TurnwiseError that says ``what`` the file is, why it cannot be used (``otherwise`` where it is no
    mapping), and the ``remedy``.
    """
    try:
        data = _load(path)
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        reason = "is no yaml (it is not UTF-8)"
    except RecursionError:
        reason = "is no yaml (it is nested too deeply)"
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        reason = f"is no yaml ({line}{printable(str(error.problem), limit=200)})"
    except (ValueError, TypeError, OverflowError, yaml.YAMLError) as error:
        reason = f"is no yaml ({printable(' '.join(str(error)[:1000].split()), limit=200)})"
    else:
        if isinstance(data, dict):
            return data
        reason = otherwise
    raise TurnwiseError(f"{what} {str(path)!r} {reason}: {remedy}.")


def _load(path: Path) -> object:
    with path.open("rb") as file:  # a pipe is as good
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST // 2**20} MiB")
    data = yaml.load(content.decode("utf-8"), _BoundedLoader)  # noqa: S506  # a SafeLoader
    _check_size(data)
    return data


class _BoundedLoader(yaml.SafeLoader):
    """Makes plain values alone, of few aliases."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Count an alias."""
        self._aliases += self.check_event(yaml.AliasEvent)
        if self._aliases > _MOST_ALIASES:
            raise ValueError(f"it has more than {_MOST_ALIASES} aliases")
        return super().compose_node(parent, index)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge the mappings that ``<<`` names, unless that makes too many keys."""
        super().flatten_mapping(node)
        if len(node.value) > _MOST_VALUES:
            raise ValueError(f"its aliases make more than {_MOST_VALUES} values of it")

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        """Return the value of ``node``; of what its tag does not fit PyYAML raises anything."""
        try:
            return super().construct_object(node, deep=deep)
        except (AttributeError, LookupError):
            problem = f"{printable(str(node.value), limit=80)!r} is no {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        """Return a text; one of digits without end is no number."""
        text = super().construct_scalar(node)
        is_number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        if is_number and len(text) > _LONGEST_NUMBER:
            raise ValueError(f"it has a number of {len(text)} digits")
        return text


def _check_size(data: object) -> None:
    """Raise ValueError for what aliases make huge, or endless since they contain themselves."""
    values, left = 0, [data]
    while left:
        value = left.pop()
        values += 1
        if values + len(left) > _MOST_VALUES:
            raise ValueError(f"its aliases make more than {_MOST_VALUES} values of it")
        if isinstance(value, dict):
            left += [*value, *value.values()]
        elif isinstance(value, list | tuple | set):
            left += value
