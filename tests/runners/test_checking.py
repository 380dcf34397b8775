"""Where equality does not accept an output, the problem's checker decides, and nothing else is taken for a pass."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.checkers.checker_sets import assemble
from turnwise.records.judgement import Judgement
from turnwise.records.problem import Checker, Flag, Limits, MatchRule, Measure, Problem, TestCase
from turnwise.records.report import Report, Verdict
from turnwise.records.settings import JudgeSettings
from turnwise.runners.execution.interface import Executor, Program, Session
from turnwise.runners.judging import checking
from turnwise.runners.judging.checking import Answer, Checkers, Word, constraints_broken
from turnwise.runners.judging.judge import NO_ANSWER_NOTE, UNREADABLE_NOTE, Judge
from turnwise.runners.judging.verdicts import SharedCache
from turnwise.runners.loading import Machine, as_judged
from turnwise.runners.work import judgement_of
from turnwise.tasks.feedback import feedback_text
from turnwise.tasks.prompts import PromptSet

SUM = Problem(
    id="codecontests/sum",
    benchmark="codecontests",
    split="test",
    statement="Print two numbers whose sum is n.",
    public_tests=(TestCase("3\n", "0 3\n"),),
    hidden_tests=(TestCase("5\n", "0 5\n"), TestCase("7\n", "0 7\n"), TestCase("-1\n", "0 -1\n")),
    limits=Limits(1.0, 256_000_000),
    generated_tests=2,
)
SUMS = """
from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(1, 100, "n")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    n = Reader(text, Invalid).integer(1, 100, "n")
    reader = Reader(output)
    total = sum(reader.integers(2, -100, 100, "a number"))
    reader.end()
    if total != n:
        reader.refuse(f"the sum is {total}, not {n}")
"""
OTHER = "n = int(input())\nprint(1, n - 1)"
WRONG = "print(int(input()) == 3 and '1 2' or '1 1')"


@pytest.fixture(scope="module")
def checkers() -> Iterator[Checkers]:
    """One executor of checkers for all."""
    with Checkers() as found:
        yield found


def _with(source: str, problem: Problem = SUM) -> Problem:
    return replace(problem, checker=assemble(source, origin="a test"))


def _unscreened(body: str) -> Problem:
    """Return the problem with a checker that no set would hold."""
    ending = assemble(SUMS, origin="a test").source
    return replace(SUM, checker=Checker(f"{ending}\n\ndef check(text, output, expected):\n{body}\n", "a test"))


def _judge(executor: Executor, checkers: Checkers, problem: Problem, program: str) -> Report:
    with closing(Judge(executor, checkers=checkers)) as judge:
        return judge.judge(problem, program)


def test_another_right_output_passes_and_is_counted(executor: Executor, checkers: Checkers) -> None:
    """By equality the program fails; the judgement says how many tests passed by the checker alone."""
    problem = replace(_with(SUMS), hidden_tests=SUM.hidden_tests[:2])
    report = _judge(executor, checkers, problem, OTHER)
    assert report.passed and report.checked == 3
    place = ("task", problem.id, 0, 0, "hash")
    judgement = judgement_of(place, report, key="k")
    assert judgement.passed and not judgement.passed_by_equality and judgement.checked == 3
    assert _judge(executor, checkers, replace(problem, checker=None), OTHER).verdict is Verdict.WRONG_ANSWER
    equal = _judge(executor, checkers, problem, "print(0, input())")
    assert equal.passed and equal.checked == 0


def test_a_wrong_output_is_wrong_and_the_reason_is_told_of_public_tests_alone(
    executor: Executor, checkers: Checkers
) -> None:
    """Nothing of a hidden test is in a report."""
    report = _judge(executor, checkers, _with(SUMS), "print(1, 1)")
    assert [one.verdict for one in report.public] == [Verdict.WRONG_ANSWER]
    assert report.public[0].note == "the sum is 2, not 3"
    report = _judge(executor, checkers, _with(SUMS), WRONG)
    assert report.hidden is not None and report.hidden[-1].verdict is Verdict.WRONG_ANSWER
    assert report.hidden[-1].note == ""


@pytest.mark.parametrize(
    "output",
    ["", "1", "1 2 3", "+1 2", "01 2", "1.0 2", "1 2\0", "\u0661 \u0662", "nan 3", "9" * 5000, "(" * 5000, "right"],
)
def test_an_odd_output_is_wrong(output: str, executor: Executor, checkers: Checkers) -> None:
    """Whatever it is: never accepted, never missing."""
    assert _judge(executor, checkers, _with(SUMS), f"print({output!r})").verdict is Verdict.WRONG_ANSWER


@pytest.mark.parametrize(
    "body",
    [
        "    if output != expected: raise KeyError(output)",
        "    while output != expected: pass",
        "    if output != expected: [0] * 10**10",
        "    if output != expected: print(1 / 0)",
    ],
)
@pytest.mark.parametrize("of", ["output", "reference"])
def test_a_checker_without_an_answer(
    body: str, of: str, executor: Executor, checkers: Checkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the output alone it is the output's fault; on the expected output, too, nobody's: the test is missing."""
    monkeypatch.setattr(checking, "CHECKER_LIMITS", replace(checking.CHECKER_LIMITS, time_limit_seconds=0.5))
    problem = _unscreened(body if of == "output" else body.replace("!= expected", "!= ''"))
    (result,) = _judge(executor, checkers, problem, "print(1, 2)").public
    if of == "output":
        assert result.verdict is Verdict.WRONG_ANSWER and result.note.startswith(UNREADABLE_NOTE)
    else:
        assert result.verdict is Verdict.INFRASTRUCTURE_FAILURE and result.note.startswith(NO_ANSWER_NOTE)


def test_an_answer_is_one_of_three_words(checkers: Checkers) -> None:
    """Said on the judge's channel: what a checker prints, returns besides, or ends with is none."""
    for value in ("'right'", "['right']", "['Right', '']", "['right', 1]", "None", "True", "['right', '', '']"):
        checker = Checker(f"def turnwise_verdict(*texts):\n    print('right')\n    return {value}", "a test")
        with checkers.open(checker) as session:
            assert session.ask("1", "2", "3").word is None
    leaving = Checker("import os\ndef turnwise_verdict(*texts):\n    os._exit(0)", "a test")
    with checkers.open(leaving) as session:
        assert session.ask("1", "2", "3").word is None


def test_each_output_has_a_fresh_process_without_a_folder(checkers: Checkers) -> None:
    """Nothing that one check leaves is there for the next."""
    source = (
        "import os\nseen = []\ndef turnwise_verdict(text, output, expected):\n    seen.append(output)\n"
        "    try:\n        open('left', 'w').close()\n        return ['wrong', 'written']\n"
        "    except OSError:\n        return ['right' if len(seen) == 1 else 'wrong', str(os.getpid())]"
    )
    with checkers.open(Checker(source, "a test")) as session:
        answers = [session.ask("1", "2", "3") for _ in range(3)]
    assert [one.word for one in answers] == [Word.RIGHT] * 3


def test_no_checker_runs_where_programs_do(executor: Executor, checkers: Checkers) -> None:
    """Programs get inputs alone, in the executor of programs; the checker has one of its own."""
    seen: list[object] = []

    class Recorder:
        name, tier, interpreter = executor.name, executor.tier, executor.interpreter

        def open(self, program: Program, language: str, limits: Limits) -> Session:
            session: Any = executor.open(program, language, limits)
            run = session.run
            session.run = lambda inputs: run([*(seen.append(one) or one for one in inputs)])
            seen.append(program)
            return cast("Session", session)

        def close(self) -> None: ...

    problem = replace(_with(SUMS), hidden_tests=(TestCase("5\n", "-95 100\n"),))
    assert _judge(Recorder(), checkers, problem, OTHER).passed
    assert checkers.executor is not executor
    assert seen == [Program(OTHER.encode()), b"3\n", b"5\n"]


def test_an_invalid_input_leaves_the_decision_to_equality(executor: Executor, checkers: Checkers) -> None:
    """With all tests; it makes no program missing."""
    program = "n = int(input())\nprint(1, n - 1) if n > 0 else print(0, n)"
    assert _judge(executor, checkers, _with(SUMS), program).passed
    report = _judge(executor, checkers, _with(SUMS), OTHER)
    assert report.hidden is not None
    assert [one.verdict for one in report.hidden] == [*[Verdict.PASSED] * 2, Verdict.WRONG_ANSWER]
    assert "breaks the statement" in report.hidden[-1].note


def test_valid_tests_are_told_once(checkers: Checkers, tmp_path: Path) -> None:
    """What breaks which constraint is kept; a changed validator asks again."""
    checker = _with(SUMS).checker
    assert checker is not None
    tests = SUM.public_tests + SUM.hidden_tests
    found = constraints_broken(checker, tests, checkers, tmp_path)
    assert found == ["", "", "", "n is -1, not from 1 to 100"]
    (kept,) = tmp_path.iterdir()
    kept.write_text(json.dumps(["", "", "", "kept"]))
    assert constraints_broken(checker, tests, checkers, tmp_path)[-1] == "kept"
    kept.write_text("torn")
    assert constraints_broken(checker, tests, checkers, tmp_path) == found
    other = replace(checker, source=checker.source.replace('100, "n"', '6, "n"'))
    assert constraints_broken(other, tests, checkers, tmp_path)[2] == "n is 7, not from 1 to 6"


def test_leaving_tests_out_counts_them() -> None:
    """Generated ones are told from the others, and a problem without hidden tests cannot be scored."""
    fewer = SUM.without_tests({3})
    assert (len(fewer.hidden_tests), fewer.generated_tests, fewer.invalid_tests, fewer.is_scorable) == (2, 1, 1, True)
    none = SUM.without_tests({1, 2, 3})
    assert none.flags == (Flag.NO_HIDDEN_TESTS,) and not none.is_scorable and none.generated_tests == 0


@pytest.mark.parametrize(
    ("rule", "output", "passes"),
    [
        (MatchRule(any_number=True, tolerance=1e-4), "100.009", True),
        (MatchRule(any_number=True, tolerance=1e-4, measure=Measure.ABSOLUTE), "100.009", False),
        (MatchRule(any_number=True, tolerance=1e-4, measure=Measure.ABSOLUTE), "100.00009", True),
        (MatchRule(any_number=True, tolerance=1e-4, measure=Measure.RELATIVE), "100.009", True),
        (MatchRule(any_number=True, tolerance=1e-4), "100.0", True),
    ],
)
def test_a_stated_tolerance_decides(rule: MatchRule, output: str, passes: bool, executor: Executor) -> None:
    """In place of the data set's own, which is counted as equality."""
    tests = (TestCase("", "100"),)
    problem = replace(SUM, public_tests=tests, hidden_tests=tests, stated=rule)
    report = Judge(executor).judge(problem, f"print({output})")
    assert report.passed is passes and report.checked == (2 if passes else 0)


def test_a_verdict_rests_on_the_checker(executor: Executor, checkers: Checkers, tmp_path: Path) -> None:
    """Another checker's verdict in the cache is not taken for this one's; the cache keeps what was checked."""
    problem = replace(_with(SUMS), hidden_tests=SUM.hidden_tests[:2])
    stricter = _with(SUMS.replace("total != n", "total != n or output[0] == '1'"), problem)
    with closing(SharedCache(tmp_path)) as cache:
        judge = Judge(executor, cache=cache, checkers=checkers)
        keys = {judge.key(one, OTHER) for one in (problem, stricter, replace(problem, checker=None))}
        assert len(keys) == 3
        assert judge.judge(problem, OTHER).passed
        assert judge.judge(stricter, OTHER).verdict is Verdict.WRONG_ANSWER
    with closing(SharedCache(tmp_path)) as cache:
        assert Judge(executor, cache=cache, checkers=checkers).judge(problem, OTHER).checked == 3


def test_feedback_speaks_of_one_right_answer(executor: Executor, checkers: Checkers) -> None:
    """Where a checker decides; elsewhere, and in turnwise-1, the words are as they were."""
    report = _judge(executor, checkers, _with(SUMS), "print(1, 1)")
    prompts, earlier = PromptSet.load(), PromptSet.load(Path("turnwise-1"))
    assert (prompts.name, earlier.name) == ("turnwise-2", "turnwise-1")
    text = feedback_text("failed_tests", _with(SUMS), report, prompts)
    plain = feedback_text("failed_tests", SUM, report, prompts)
    assert "One right answer:\n0 3" in text and "Expected:" not in text
    assert plain == text.replace("One right answer:", "Expected:")
    assert {feedback_text("failed_tests", one, report, earlier) for one in (SUM, _with(SUMS))} == {plain}
    assert {name for name in prompts.hashes if prompts.hashes[name] != earlier.hashes[name]} == {"feedback/_tests"}


def test_problems_are_as_the_settings_judge_them(executor: Executor, checkers: Checkers, tmp_path: Path) -> None:
    """Equality has no checkers and no stated rules; valid tests are told by the same validators under either."""
    planting = load_problems("sample_codecontests").find("sample_D. Ring of Beds")
    broken = replace(planting, hidden_tests=(*planting.hidden_tests, TestCase("0\n", "\n")), stated=MatchRule())
    machine = Machine(executor, tmp_path, checkers=checkers)
    found = {
        (answers, tests): as_judged("task", [broken], machine, JudgeSettings(answers=answers, tests=tests))[0]
        for answers in ("equality", "checkers-1")
        for tests in ("all", "valid")
    }
    assert {key for key, one in found.items() if one.is_checked} == {("checkers-1", "all"), ("checkers-1", "valid")}
    assert {key for key, one in found.items() if one.stated is None} == {("equality", "all"), ("equality", "valid")}
    assert {key for key, one in found.items() if one.invalid_tests == 1} == {
        ("equality", "valid"),
        ("checkers-1", "valid"),
    }


def test_a_judgement_cannot_have_checked_more_than_it_ran() -> None:
    """So that a hostile file does not."""
    from turnwise.records.codec import to_json
    from turnwise.records.judgement import read_judgement

    judgement = Judgement("t", "p", 0, 0, "h", Verdict.PASSED, True, 3, 0.0, "A", "k", checked=3)
    assert read_judgement(to_json(judgement)) == judgement
    with pytest.raises(ValueError, match="out of bounds"):
        read_judgement({**to_json(judgement), "checked": 4})


def test_an_answer_has_a_short_reason(checkers: Checkers) -> None:
    """However long the output is that it quotes."""
    source = SUMS.replace('f"the sum is {total}, not {n}"', '"x" * 10**6')
    with checkers.open(assemble(source, origin="a test")) as session:
        assert session.ask("3", "1 1", "0 3") == Answer(Word.WRONG, "x" * 200)
