"""Feedback shows failing public tests, within its sizes, and nothing else."""

import pytest

from turnwise.benchmarks import values
from turnwise.records.problem import Comparison, Limits, MatchRule, Problem, TestCase
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.tasks.feedback import (
    FEEDBACK_CHARACTERS,
    feedback_text,
    form_of,
    shorten_traceback,
    shown_expected,
    shown_input,
)
from turnwise.tasks.prompts import PromptSet

ENVIRONMENT = Environment("reference 1", "none", "CPython 3.11", "tokens")
PROMPTS = PromptSet.load()


def _problem(*tests: tuple[str, str], entry_point: str = "", rule: MatchRule | None = None) -> Problem:
    return Problem(
        "b/p",
        "b",
        "test",
        "",
        tuple(TestCase(*test) for test in tests),
        (TestCase("hidden input", "hidden output"),),
        Limits(2.0, 256_000_000),
        rule or MatchRule(),
        entry_point,
    )


def _feedback(problem: Problem, *results: TestResult, error: str = "", kind: str = "failed_tests") -> str:
    report = Report("b/p", Verdict.WRONG_ANSWER, results, (), ENVIRONMENT, error)
    return feedback_text(kind, problem, report, PROMPTS)


def test_a_wrong_answer_shows_input_expected_and_output() -> None:
    """Passing tests and hidden tests are not shown."""
    problem = _problem(("1 2", "3"), ("5 5", "10"))
    text = _feedback(
        problem, TestResult(0, Verdict.PASSED, output="3"), TestResult(1, Verdict.WRONG_ANSWER, output="55\n")
    )
    assert text == (
        "Your code fails 1 of 2 example tests.\n\nTest 2\nInput:\n5 5\nExpected:\n10\nYour output:\n55\n\n"
        "Please correct it and write the whole program again."
    )


def test_the_other_kinds_show_nothing_or_all() -> None:
    """binary says only that it is wrong; failed_and_passed shows passing tests, too."""
    problem = _problem(("1 2", "3"), ("5 5", "10"))
    results = TestResult(0, Verdict.PASSED, output="3"), TestResult(1, Verdict.WRONG_ANSWER, output="55")
    binary = _feedback(problem, *results, kind="binary")
    assert binary.startswith("Your code is wrong") and not any(digit in binary for digit in "1235")
    both = _feedback(problem, *results, kind="failed_and_passed")
    assert "Test 1 (passed)\nInput:\n1 2\nExpected:\n3\n\nTest 2\nInput:\n5 5\n" in both


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.TIME_LIMIT, "It took too long: the limit is 2 seconds."),
        (Verdict.MEMORY_LIMIT, "It used too much memory: the limit is 256 MB."),
        (Verdict.OUTPUT_LIMIT, "It wrote far too much output."),
        (Verdict.RUNTIME_ERROR, "It stopped with an error:\nZeroDivisionError: division by zero"),
    ],
)
def test_each_way_to_fail_has_its_words(verdict: Verdict, words: str) -> None:
    """A failure is named, not only shown."""
    text = _feedback(_problem(("1", "1")), TestResult(0, verdict, error="ZeroDivisionError: division by zero"))
    assert words in text


def test_a_program_that_does_not_compile_is_told_so() -> None:
    """The compiler's message is the feedback."""
    text = _feedback(_problem(("1", "1")), error="SyntaxError: invalid syntax")
    assert text.startswith("Your code could not be compiled:\n\nSyntaxError: invalid syntax\n")


@pytest.mark.parametrize("kind", ["failed_tests", "failed_and_passed"])
def test_a_test_that_the_machine_spoiled_is_not_spoken_of(kind: str) -> None:
    """It is neither shown nor counted; the others keep their numbers."""
    problem = _problem(("1 2", "3"), ("4 4", "8"), ("5 5", "10"))
    spoiled = TestResult(1, Verdict.INFRASTRUCTURE_FAILURE, error="fork: no memory")
    text = _feedback(problem, TestResult(0, Verdict.PASSED), spoiled, TestResult(2, Verdict.WRONG_ANSWER), kind=kind)
    without = _feedback(problem, TestResult(0, Verdict.PASSED), TestResult(2, Verdict.WRONG_ANSWER), kind=kind)
    assert text == without
    assert text.startswith("Your code fails 1 of 2 example tests.") and "\nTest 3\n" in text
    assert "4 4" not in text and "fork" not in text


def test_sizes_are_kept_and_what_is_left_out_is_counted() -> None:
    """One test takes about 512 characters, all of it at most 4,096, whatever was written."""
    problem = _problem(*[("9" * 5000, "8" * 5000)] * 20)
    results = [TestResult(index, Verdict.WRONG_ANSWER, output="7" * 4096) for index in range(20)]
    text = _feedback(problem, *results)
    assert len(text) <= FEEDBACK_CHARACTERS
    assert "fails 20 of 20" in text and "more tests are not shown.)" in text
    errors = [TestResult(index, Verdict.RUNTIME_ERROR, error="E" * 4096 + "\nlast line") for index in range(20)]
    text = _feedback(problem, *errors)
    assert len(text) <= FEEDBACK_CHARACTERS and "last line" in text


def test_a_long_traceback_keeps_its_first_line_and_its_last_lines() -> None:
    """Whole lines; a last line that is too long for that is cut in the middle."""
    frames = "".join(f'  File "solution.py", line {number}, in f\n    f({number})\n' for number in range(50))
    text = f"Traceback (most recent call last):\n{frames}RecursionError: too deep"
    short = shorten_traceback(text, 256)
    assert len(short) <= 256 and short.startswith("Traceback (most recent call last):\n  ...\n")
    assert short.endswith('  File "solution.py", line 49, in f\n    f(49)\nRecursionError: too deep')
    assert set(short.splitlines()) - set(text.splitlines()) == {"  ..."}
    assert shorten_traceback("short\nerror", 256) == "short\nerror"
    long = shorten_traceback("Traceback:\n" + "x" * 5000 + "end", 256)
    assert len(long) <= 256 and long.startswith("Traceback:\nx") and long.endswith("xend")


def test_calls_are_shown_as_calls() -> None:
    """Arguments and results read as Python; TACO's one-element list around a result is taken off."""
    test = TestCase(values.dumps([(1, "a"), 2.5]), values.dumps([[3]]))
    problem = _problem((test.input, test.output or ""), entry_point="f", rule=MatchRule(Comparison.VALUE))
    assert (shown_input(problem, test), shown_expected(problem, test)) == ("f((1, 'a'), 2.5)", "[3]")
    assert form_of(problem) == "function"


def test_forms_follow_the_problem() -> None:
    """A stub to complete, a function to write, a program."""
    assert form_of(_problem(("1", "1"))) == "program"
