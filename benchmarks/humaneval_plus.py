"""HumanEval+: programs go on with a stub, and evalplus's release has the rows."""

import re
from dataclasses import replace
from functools import partial

from turnwise.benchmarks.benchmark import Benchmark
from turnwise.benchmarks.evalplus import parse_evalplus, release_files
from turnwise.benchmarks.hub import read_release
from turnwise.benchmarks.oracles import ORACLE_BY_ENTRY_POINT
from turnwise.records.problem import Problem


def with_stub_imports(problem: Problem) -> Problem:
    """Return ``problem`` with programs that find the imports and helper functions of its stub.

    evalplus runs a program as it stands, so that one without them fails; this is for replies that were asked for the
    function alone.
    """
    start = re.search(rf"^(?:async )?def {re.escape(problem.entry_point)}\b", problem.starter_code, re.MULTILINE)
    return problem if start is None else replace(problem, prelude=problem.starter_code[: start.start()])


HUMANEVAL_PLUS = Benchmark(
    name="humaneval_plus",
    description="HumanEval+",
    parse=partial(parse_evalplus, oracles=ORACLE_BY_ENTRY_POINT["humaneval_plus"], is_completion=True),
    folder="humanevalplus",
    patterns=release_files("HumanEvalPlus"),
    override_variable="HUMANEVAL_OVERRIDE_PATH",
    hub=partial(read_release, "human_eval_plus"),
    with_stub_imports=with_stub_imports,
)
