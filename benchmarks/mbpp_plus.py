"""MBPP+: evalplus's release has the rows, with inputs that are something else than their JSON form says.

Those of about 60 tasks stand in the file as lists but mean tuples, sets, floats or complex numbers. The task
numbers are those of evalplus 0.3.1's deserialisation of MBPP+ v0.2.0; here each group is one shape of the argument
list. A converter maps one argument; a shape is a converter per argument, its last one repeated for the arguments
beyond.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from turnwise.benchmarks.benchmark import Benchmark, Split
from turnwise.benchmarks.evalplus import parse_evalplus, release_files
from turnwise.benchmarks.hub import read_release
from turnwise.benchmarks.oracles import ORACLE_BY_ENTRY_POINT
from turnwise.benchmarks.rows import Row
from turnwise.records.problem import Problem

_Converter = Callable[[Any], object]


def _same(value: object) -> object:
    return value


def _tuples(value: Any) -> list[object]:
    return [tuple(item) for item in value]


def _tuple_of_tuples(value: Any) -> tuple[Any, ...]:
    return tuple(tuple(item) for item in value)


def _tuple_with_inner_tuples(value: Any) -> tuple[object, ...]:
    return tuple(tuple(item) if isinstance(item, list) else item for item in value)


def _deep_tuple(value: object) -> object:
    return tuple(map(_deep_tuple, value)) if isinstance(value, list) else value


def _tuple_values(value: Any) -> dict[Any, object]:
    return {key: tuple(item) for key, item in value.items()}


def _sets(value: Any) -> list[object]:
    return [set(item) if isinstance(item, list | set) and item else {} for item in value]


_SHAPES: tuple[tuple[tuple[_Converter, ...], frozenset[int]], ...] = (
    (
        (tuple,),
        frozenset(
            (2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809)
        ),
    ),
    ((_tuples,), frozenset((63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780))),
    ((_tuples, _same), frozenset((75, 413, 444, 753))),
    ((_same, tuple), frozenset((106, 750))),
    ((tuple, _same), frozenset((250, 307, 405, 446, 617, 720, 763, 808))),
    ((_tuple_of_tuples,), frozenset((259, 401, 445))),
    ((_tuple_with_inner_tuples,), frozenset((278,))),
    ((_deep_tuple,), frozenset((580, 615, 791))),
    ((_tuple_values, _same), frozenset((722,))),
    ((_sets,), frozenset((115,))),
    ((float, complex), frozenset((124,))),
    ((complex,), frozenset((252,))),
)


def convert_arguments(task_id: str, arguments: Sequence[object]) -> list[object]:
    """Return ``arguments`` of task ``Mbpp/N`` as the types the task means.

    Raises TypeError or ValueError if they do not have the expected form.
    """
    number = int(task_id.rsplit("/", 1)[-1])
    shape = next((converters for converters, tasks in _SHAPES if number in tasks), (_same,))
    return [shape[min(index, len(shape) - 1)](argument) for index, argument in enumerate(arguments)]


def parse_mbpp_plus(row: Row, split: Split) -> Problem:
    """Return the problem of one row; those of the sample have no numbers of MBPP+."""
    convert = None if split.is_sample else convert_arguments
    return parse_evalplus(row, split, oracles=ORACLE_BY_ENTRY_POINT["mbpp_plus"], convert=convert)


MBPP_PLUS = Benchmark(
    name="mbpp_plus",
    description="MBPP+",
    parse=parse_mbpp_plus,
    folder="mbppplus",
    patterns=release_files("MbppPlus"),
    override_variable="MBPP_OVERRIDE_PATH",
    hub=partial(read_release, "mbpp_plus"),
)
