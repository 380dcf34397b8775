"""Traces of failing programs: true values, bounded sizes; a hostile program gains nothing by them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from turnwise.benchmarks import values
from turnwise.benchmarks.catalog import load_problems
from turnwise.errors import InfrastructureError
from turnwise.records.codec import from_json, to_json
from turnwise.records.problem import Comparison, Limits, MatchRule, Problem, TestCase
from turnwise.records.report import BlockRun, Report, Verdict
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Ending, Execution, Executor, Program
from turnwise.runners.execution.tracing import TracedRun, trace_run
from turnwise.runners.judging.judge import Judge
from turnwise.tasks.feedback import FEEDBACK_CHARACTERS, feedback_kind, feedback_text
from turnwise.tasks.prompts import PromptSet

LOOP = "n = int(input())\ntotal = 0\nfor i in range(n):\n    total += i\nprint(total)\n"


def _trace(executor: Executor, source: str, stdin: str = "3\n") -> TracedRun | None:
    return trace_run(executor, Program(source.encode()), stdin.encode(), Limits(2.0))


def _cut(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:50]} ... {text[-50:]}"


def test_each_block_has_the_values_before_and_after_it(executor: Executor) -> None:
    """Straight lines, the head of the loop and its body are blocks; names without a value yet are left out."""
    traced = _trace(executor, LOOP)
    assert traced is not None and traced.executed == 9
    head = [({"n": "3"}, {"i": "0", "n": "3"}), ({"i": "0", "n": "3"}, {"i": "1", "n": "3"})]
    assert traced.runs[:4] == (
        BlockRun(1, 2, {}, {"n": "3", "total": "0"}),
        BlockRun(3, 3, *head[0]),
        BlockRun(4, 4, {"total": "0", "i": "0"}, {"total": "0", "i": "0"}),
        BlockRun(3, 3, *head[1]),
    )
    assert traced.runs[-1] == BlockRun(5, 5, {"total": "3"}, {"total": "3"})


def test_a_long_run_keeps_its_first_and_last_blocks(executor: Executor) -> None:
    """Five of each, found by a second run where the values of all would take too long."""
    traced = _trace(executor, LOOP, "60000\n")
    assert traced is not None and traced.executed == 120_003
    assert [run.line for run in traced.runs] == [1, 3, 4, 3, 4, 4, 3, 4, 3, 5]
    assert traced.runs[-1].before == {"total": str(sum(range(60000)))}
    assert traced.runs[-3].before["i"] == "59999"


def test_a_function_is_traced_in_its_call(executor: Executor) -> None:
    """Its own blocks and those of the functions it calls; loading the program is not shown."""
    source = "def half(x):\n    return x // 2\n\ndef f(a, *, b=2):\n    c = half(a)\n    if c > b:\n"
    source += "        c = b\n    return c\n"
    program = Program(source.encode(), entry_point="f")
    traced = trace_run(executor, program, values.dumps([9]).encode(), Limits(2.0))
    assert traced is not None
    assert [(run.line, run.last_line) for run in traced.runs] == [(5, 6), (2, 2), (7, 7), (8, 8)]
    assert traced.runs[0].after == {"c": "4", "a": "9", "b": "2"}


def test_what_cannot_be_handed_to_the_tracer_has_no_trace(executor: Executor) -> None:
    """Arguments as deep as values can be, a program in bytes of its own encoding, one that works on files."""
    deep = "[" * 100 + "]" * 100
    assert trace_run(executor, Program(b"def f(a):\n    return a", "f"), f"[{deep}]".encode(), Limits(2.0)) is None
    latin = "# coding: latin-1\nx = 'é'\n".encode("latin-1")
    assert trace_run(executor, Program(latin), b"", Limits(2.0)) is None
    assert trace_run(executor, Program(b"x = 1", input_file="in.txt"), b"", Limits(2.0)) is None


def test_methods_generators_recursion_and_threads_are_traced(executor: Executor) -> None:
    """What programs of contests are made of."""
    source = """
import sys, threading
class Node:
    def __init__(self, key):
        self.key = key
def walk(k):
    while k:
        yield k
        k -= 1
def depth(k):
    if k == 0:
        return 0
    return 1 + depth(k - 1)
def main():
    node = Node(depth(int(sys.stdin.readline())))
    print(node.key, list(walk(2)))
if __name__ == "__main__":
    threading.stack_size(1 << 26)
    thread = threading.Thread(target=main)
    thread.start()
"""
    traced = _trace(executor, source)
    assert traced is not None and traced.executed == 15
    assert any("<Node key=3>" in run.after.values() for run in traced.runs)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("list(range(100))", _cut(repr(list(range(100))))),
        ("'x' * 10**6", _cut(repr("x" * 10**6))),
        ("{1: [2]}", "{1: [2]}"),
        ("2 ** 100000", "<integer of 100001 bits>"),
        ("(1,)", "(1,)"),
        ("set()", "set()"),
        ("float('nan')", "nan"),
        ("type('Odd', (), {'__repr__': lambda self: 1 / 0})()", "<Odd>"),
        ("type('List', (list,), {'__repr__': lambda self: 'forged'})([1])", "<List>"),
        ("'\\x1b[2J\\n'", "'\\x1b[2J\\n'"),
    ],
)
def test_values_are_shown_as_python_writes_them_within_limits(executor: Executor, expression: str, text: str) -> None:
    """Long ones by their ends; no code of the program is called for it."""
    traced = _trace(executor, f"a = {expression}\nprint(a)\n")
    assert traced is not None
    shown = traced.runs[0].after["a"]
    assert len(shown) <= 105 and shown == text


REACH = """
import sys
x, frame = 1, sys._getframe()
while "trace_program" not in frame.f_globals:
    frame = frame.f_back
"""
LOST = {
    "switched off": "import sys\nsys.settrace(None)\nx = 1\n",
    "replaced": "import sys\nsys.settrace(lambda *a: None)\nx = 1\n",
    "left at once": "import os\nx = 1\nos._exit(0)\n",
    "killed": "import ctypes\nx = 1\nctypes.string_at(0)\n",
    "busy": "x = 1\nwhile True:\n    x += 1\n",
    "asleep": "import time\nx = 1\ntime.sleep(60)\n",
    "flooding": "x = 1\nwhile True:\n    print('y' * 10**6)\n",
    "too deep for the tracer": "def f(k):\n    return f(k + 1)\ntry:\n    f(0)\nexcept RecursionError:\n    x = 1\n",
    "tracer reached by frames": f"{REACH}frame.f_globals['take'] = None\nx = 2\n",
    "channel forged": "import os\nx = 1\nfor d in range(4, 9):\n    try:\n        os.write(d, b'{}\\n')\n"
    "    except OSError:\n        pass\nos._exit(0)\n",
    "nothing to show": "print(1)\n",
}


@pytest.mark.parametrize("name", LOST)
def test_a_program_that_spoils_its_trace_only_loses_it(
    executor: Executor, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox goes on: the next program is traced as ever."""
    monkeypatch.setattr("turnwise.runners.execution.tracing.TRACE_SECONDS", 0.5)
    assert _trace(executor, LOST[name]) is None
    traced = _trace(executor, LOOP)
    assert traced is not None and traced.executed == 9


@pytest.mark.parametrize(
    "forged",
    [
        "[1, [[1, 1, {'a': 'x' * 10**6}, {}]] * 11]",
        "[1, [[0, 1, {}, {}]]]",
        "[1, [[1, 999, {}, {}]]]",
        "[1, [[1, 1, {'a b': 'x'}, {}]]]",
        "[1, [[1, 1, {'a': 1}, {}]]]",
        "[1, [[1, 1, [], {}]]]",
        "[-1, []]",
        "'trace'",
        "[1, [[1, 1, {'a' + str(i): 'x' for i in range(99)}, {}]]]",
    ],
)
def test_a_forged_trace_is_checked(executor: Executor, forged: str) -> None:
    """Whoever takes the place of the tracer can say what its program could print, in the tracer's form and bounds."""
    source = f"{REACH}frame.f_globals['Recorder'].to_list = lambda self: ({forged})[1]\n"
    assert _trace(executor, source) is None


def test_a_forged_value_is_cleaned(executor: Executor) -> None:
    """Its size and its control characters are bounded where it is read."""
    forged = r"[[1, 1, {'a': '\x1b[2J\n```' + 'x' * 10**6}, {}]]"
    source = f"{REACH}frame.f_globals['Recorder'].to_list = lambda self: {forged}\n"
    traced = _trace(executor, source)
    assert traced is not None
    text = traced.runs[0].before["a"]
    assert text.startswith("\\x1b[2J\\n```xx") and len(text) <= 105 and text.isprintable()


def _problem(public: tuple[TestCase, ...], *, entry_point: str = "") -> Problem:
    rule = MatchRule(Comparison.VALUE) if entry_point else MatchRule()
    hidden = (TestCase("hidden-input", "hidden-output"),)
    return Problem("b/p", "b", "test", "s", public, hidden, Limits(0.5), rule, entry_point)


def _traced(executor: Executor, problem: Problem, program: str) -> Report:
    return Judge(executor).judge(problem, program, hidden=False, traced=True)


def test_the_first_wrong_public_test_is_traced(executor: Executor) -> None:
    """Not one that passed, nor one that ran out of time; a program that passes is not traced."""
    problem = _problem((TestCase("1", "1"), TestCase("2", "3"), TestCase("4", "9")))
    report = _traced(executor, problem, "x = int(input())\nprint(x)\n")
    assert report.trace is not None and report.trace.test == 1
    assert report.trace.runs[0].after == {"x": "2"}
    assert from_json(Report, json.loads(json.dumps(to_json(report)))) == report
    plain = Judge(executor).judge(problem, "x = int(input())\nprint(x)\n", hidden=False)
    assert plain.trace is None and "trace" not in to_json(plain)
    for program in ("while True: pass", "x = (", "print({'1': 1, '2': 3, '4': 9}[input()])"):
        assert _traced(executor, problem, program).trace is None


def test_a_machine_that_fails_is_not_taken_for_a_lost_trace() -> None:
    """The dialogue would be told something else than on a sound machine: it is missing instead, and not cached."""
    failing = _FailingAfter(1)
    problem = _problem((TestCase("2", "3"),))
    report = Judge(failing).judge(problem, "print(2)", hidden=False, traced=True)
    assert (report.verdict, failing.opened) == (Verdict.INFRASTRUCTURE_FAILURE, 3)


class _FailingAfter:
    """An executor that runs so many programs, which print 2, and then fails."""

    name, tier, interpreter = "failing 1", "none", "no Python"

    def __init__(self, sound: int) -> None:
        self.sound, self.opened = sound, 0

    def open(self, program: Program, language: str, limits: Limits) -> "_FailingAfter":
        """Count a program."""
        self.opened += 1
        return self

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        """Print 2, or fail."""
        for _ in inputs:
            yield Execution(Ending.FINISHED, b"2") if self.opened <= self.sound else Execution(Ending.INFRASTRUCTURE)

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> "_FailingAfter":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_only_a_public_input_is_in_the_tracers_reach(executor: Executor) -> None:
    """A program that searches all objects of its process finds its input there, and no expected or hidden text."""
    hunt = """
import gc
look = lambda: sorted({w for t in gc.get_objects() if type(t) in (dict, list, tuple) for o in
    (list(t.values()) if type(t) is dict else list(t)) if type(o) is str for w in
    [b[::-1] for b in ("tupni-cilbup", "tuptuo-cilbup", "tupni-neddih", "tuptuo-neddih")] if o.startswith(w)})
held = [input()]
seen = look()
print(seen)
"""
    report = _traced(executor, _problem((TestCase("public-input", "public-output"),)), hunt)
    assert report.trace is not None
    assert report.trace.runs[-1].after["seen"] == "['public-input']"


def test_the_feedback_shows_the_trace_within_its_size(executor: Executor) -> None:
    """The one test, the blocks around their code, how many are left out; without a trace it is failed_tests."""
    prompts = PromptSet.load()
    problem = _problem((TestCase("3", "5"), TestCase("4", "5")))
    report = _traced(executor, problem, LOOP)
    text = feedback_text("ldb", problem, report, prompts, program=LOOP)
    assert "Test 1\nInput:\n3\nExpected:\n5\nYour output:\n3\n" in text and "Test 2" not in text
    assert "# block 1, before: no values yet\nn = int(input())\ntotal = 0\n# after: n = 3, total = 0\n" in text
    assert "not shown" not in text and feedback_kind("ldb", report) == "ldb"
    wide = (
        LOOP.replace("total += i", "total += i  # " + "x" * 5000)
        + "a = b = c = d = e = 'y' * 1000\nprint(a, b, c, d, e)\n"
    )
    report = _traced(executor, _problem((TestCase("40", "5"),)), wide)
    text = feedback_text("ldb", problem, report, prompts, program=wide)
    assert (
        len(text) <= FEEDBACK_CHARACTERS
        and "blocks not shown)" in text
        and text.endswith("write the whole program again.")
    )
    assert feedback_kind("ldb", replace(report, trace=None)) == "failed_tests"


@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_programs_are_traced_in_each_tier(tier: str) -> None:
    """Large inputs and programs that import numpy, too."""
    try:
        executor = HardenedExecutor(tier=tier)
    except InfrastructureError as error:
        pytest.skip(str(error))
    with executor:
        traced = _trace(executor, "a = input()\nn = len(a)\nprint(n)\n", "1" * 2_000_000)
        assert traced is not None and traced.runs[0].after["n"] == "2000000"
        if "no numpy" not in executor.interpreter:
            traced = _trace(executor, "import numpy as np\na = np.arange(3) * 2\nprint(a)\n")
            assert traced is not None and traced.runs[0].after["a"] == "array([0, 2, 4])"


@pytest.mark.parametrize("benchmark", ["codecontests", "taco", "humaneval_plus", "mbpp_plus"])
def test_every_known_solution_of_the_sample_can_be_traced(executor: Executor, benchmark: str) -> None:
    """Programs, functions and methods of each data set's form."""
    for problem in load_problems(f"sample_{benchmark}").problems:
        if problem.input_file or problem.output_file:
            continue
        for solution in problem.solutions[:1]:
            program = Program(solution.encode(), problem.entry_point, problem.prelude)
            traced = trace_run(executor, program, problem.public_tests[0].input.encode(), problem.limits)
            assert traced is not None and traced.runs, (problem.id, Verdict.PASSED)
