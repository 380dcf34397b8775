"""What lm_eval is told of a problem: what is known, never zero for what is not."""

import math
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.harness.results import judge_all, sampling_of, score
from turnwise.records.judgement import Judgement, program_hash
from turnwise.records.problem import Problem
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.run_folder import AskedProblem, TaskRecord
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Call, End, Reply, Trajectory, Turn

ENVIRONMENT = Environment("planned 1", "none", "CPython 3.11", "tokens")


def _record(*problems: str) -> TaskRecord:
    asked = tuple(AskedProblem(id=one) for one in problems)
    return TaskRecord(
        task="t", benchmark="b", split="test", max_turns=2, strategy="s", data_sha256="", loaded=len(asked), asked=asked
    )


def _dialogue(problem: str, word: str, *, sample: int = 0) -> Trajectory:
    """One turn whose program passes, fails or is not there; or a dialogue whose request failed."""
    if word == "lost":
        return Trajectory("t", problem, sample, 0, (), End.REQUEST_FAILED)
    verdict = {"pass": Verdict.PASSED, "fail": Verdict.WRONG_ANSWER, "none": Verdict.NO_CODE}[word]
    results = () if word == "none" else (TestResult(0, verdict),)
    program = None if word == "none" else word
    turn = Turn((Call((), Reply(word)),), program, Report(problem, verdict, results, None, ENVIRONMENT))
    return Trajectory("t", problem, sample, 0, (turn,), End.PUBLIC_PASSED if word == "pass" else End.TURN_LIMIT)


def _judgement(problem: str, *, sample: int = 0) -> Judgement:
    place = ("t", problem, sample, 0, program_hash("pass"))
    return Judgement(*place, Verdict.PASSED, True, 1, 0.0, "none", "k")


def _score(dialogues: list[Trajectory], judgements: list[Judgement], *problems: str, samples: int = 1) -> Any:
    known = {one.place: one for one in judgements}
    return score(_record(*problems), dialogues, known, samples=samples, n_at_k=("1@2",))


def test_a_missing_dialogue_leaves_its_problem_out_of_the_mean() -> None:
    """Its metrics are not there, its share of missing dialogues is; the other problem has all."""
    found = _score([_dialogue("a", "pass"), _dialogue("b", "lost")], [_judgement("a")], "a", "b")
    assert found["b"] == {"missing": 1.0}
    assert found["a"] == {
        "pass@1": 1.0,
        "1@2": 1.0,
        "solved_by_turn_1": 1.0,
        "solved_by_turn_2": 1.0,
        "no_code": 0.0,
        "missing": 0.0,
    }


def test_what_nobody_knows_is_no_number() -> None:
    """Where all is missing, each metric shows as unknown: on all ranks alike, and never as zero."""
    found = _score([_dialogue("a", "lost")], [], "a")
    assert found["a"].pop("missing") == 1.0
    assert found["a"] and all(math.isnan(value) for value in found["a"].values())


def test_a_program_that_could_not_be_judged_is_missing() -> None:
    """It passed the public tests, and the machine failed on the hidden ones."""
    found = _score([_dialogue("a", "pass"), _dialogue("b", "fail")], [], "a", "b")
    assert found["a"] == {"no_code": 0.0, "missing": 1.0} and found["b"]["pass@1"] == 0.0


@pytest.mark.parametrize(
    ("words", "share"), [(["none", "fail"], 0.5), (["none", "lost"], 1.0), (["pass", "fail"], 0.0)]
)
def test_no_code_is_a_share_of_what_is_known(words: list[str], share: float) -> None:
    """Of the dialogues that ended, those whose last reply holds no program."""
    dialogues = [_dialogue("a", word, sample=number) for number, word in enumerate(words)]
    assert _score(dialogues, [_judgement("a")], "a", samples=2)["a"]["no_code"] == share


def test_what_the_machine_spoiled_has_no_judgement() -> None:
    """So that it is missing in every score, in place of wrong."""

    class Spoiled:
        """Fails on every program but the first."""

        def judge_many(self, requests: list[Any]) -> list[Report]:
            """Return what became of each."""
            verdicts = [Verdict.PASSED] + [Verdict.INFRASTRUCTURE_FAILURE] * (len(requests) - 1)
            return [Report(one, verdict, (), (), ENVIRONMENT) for one, verdict in zip("ab", verdicts, strict=True)]

        def key(self, problem: Any, program: str) -> str:
            """Return the same key for all."""
            return "k"

    problems = {name: Problem(name, "b", "test", "", (), ()) for name in "ab"}
    dialogues = [_dialogue("a", "pass"), _dialogue("b", "pass")]
    found = judge_all(Spoiled(), problems, dialogues)  # type: ignore[arg-type]  # of a Judge it takes no more than this
    assert [one.problem for one in found.values()] == ["a"]
    scored = _score(dialogues, list(found.values()), "a", "b")
    assert scored["a"]["pass@1"] == 1.0 and "pass@1" not in scored["b"] and scored["b"]["missing"] == 1.0


def test_only_what_passed_the_public_tests_is_judged() -> None:
    """A judge that is asked for nothing starts nothing."""

    class NoJudge:
        """Refuses every program."""

        def judge_many(self, requests: list[Any]) -> list[Any]:
            """Return no report."""
            assert requests == []
            return []

    judge: Any = NoJudge()
    assert judge_all(judge, {}, [_dialogue("a", "fail"), _dialogue("b", "none")]) == {}


def test_lm_evals_words_for_sampling_are_ours() -> None:
    """Its own fields are kept by its names, and vLLM's -1 for top_k is not refused."""
    told = {"temperature": 1, "top_k": -1, "max_gen_toks": 9, "until": "END", "do_sample": True}
    assert sampling_of(told) == Sampling(1.0, None, -1, 9, ("END",), others={"do_sample": True})
    assert sampling_of({"until": ["A", "B"]}) == Sampling(stop=("A", "B"))


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"temperature": "hot"}, "temperature is nothing to sample by (input should be a valid number, not 'hot')"),
        (
            {"presence_penalty": "abc"},
            "presence_penalty is nothing to sample by (input should be a valid number, not 'a",
        ),
        ({"max_gen_toks": 1.5}, "max_gen_toks is nothing to sample by (input should be a valid integer, not 1.5)"),
        ({"until": 5}, "until is nothing to sample by (input should be a valid tuple, not 5)"),
    ],
)
def test_what_no_field_can_hold_is_refused_before_it_is_asked(told: dict[str, object], reason: str) -> None:
    """It was asked, recorded, and then no reader took the run."""
    with pytest.raises(TurnwiseError) as caught:
        sampling_of(told)
    assert str(caught.value).startswith(f"--gen_kwargs {reason}")
