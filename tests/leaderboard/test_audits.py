"""An audit as text: rates with their intervals, published rates, problems worst first, disagreements, the judge."""

from turnwise.leaderboard.audits import audit_document, interval_of, render_audit
from turnwise.records.audit import Audit, Disagreement, Disagreements, Misjudged, ProblemAudit, Rate, Truth, Unit
from turnwise.records.codec import from_json, to_json
from turnwise.records.settings import JudgeRecord

RATES = (
    Rate("solutions of the data set", Truth.RIGHT, Unit.PROGRAMS, 9, 1),
    Rate("models", Truth.WRONG, Unit.PROGRAMS, 0, 0, 2),
)
AUDIT = Audit(
    turnwise="0",
    task="t_singleturn",
    benchmark="b",
    split="test",
    data_sha256="0" * 64,
    judge=JudgeRecord("hardened 1", "CPython 3.12", "tokens", 1.0, tests="valid", answers_sha256="1" * 64),
    tier="A",
    problems=12,
    rates=RATES,
    by_problem=(
        ProblemAudit(
            "b/worst",
            4,
            2,
            3,
            1,
            misjudged=(
                Misjudged("0" * 16, "models", Truth.WRONG),
                Misjudged("1" * 16, "labels", Truth.RIGHT, "public test 2", "wrong_answer", "the sum\u202e is 3"),
            ),
        ),
        *(ProblemAudit(f"b/{number}", 1, 0, 0, 0, mutants=5, unnoticed=1) for number in range(10)),
    ),
    unknown=1,
    left_out=2,
    mutants=50,
    disagreements=Disagreements(
        3, 4, 1, 2, 7, 60, 2, (Disagreement("b/worst", "a (labels)", "b (labels)", "1\\n2", "3", "4", "one is wrong"),)
    ),
)


def test_the_text_says_all_that_the_audit_found() -> None:
    """Nothing that was not judged has a rate, and what a checker said cannot turn the line."""
    text = render_audit(AUDIT)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for line in (
        "t_singleturn, test: 12 problems",
        "solutions of the data set right programs 9 1 0 TPR 90.00 % 59.6 to 98.2",
        "models wrong programs 0 0 2 - -",
        "1 program of unknown truth left out.",
        "2 labels left out: their problem or test is not judged here.",
        "Published: README of CodeContests-O, on 11 million labelled submissions; not measured here",
        "CodeContests+ 79.00 % 83.04 %",
        "b/worst 2 of 4 1 of 3 0 of 0 public test 2: wrong_answer: the sum\\u202e is 3",
        "b/0 0 of 1 0 of 0 1 of 5 -",
        "And 1 more problem.",
        "b/worst: a (labels), b (labels): one is wrong",
        "input: 1\\n2",
        "At least 2 of 7 programs are wrong although they pass: false positives on 3 problems, 60 inputs.",
        "Left out: 4 problems without a validator, 1 with several answers and no checker, "
        "2 with fewer than two passing programs.",
        "Judge: matcher tokens, time factor 1, answers equality, tests valid (sha256 111111111111), CPython 3.12, "
        "executor hardened 1 (isolation: A).",
    ):
        assert line in lines, line


def test_the_document_is_the_record_with_intervals() -> None:
    """What is added to the record stands beside its fields."""
    document = audit_document(AUDIT)
    rates = document.pop("rates")
    assert document.pop("published")
    assert from_json(Audit, {**document, "rates": [to_json(rate) for rate in RATES]}) == AUDIT
    first, second = (interval_of(rate) for rate in RATES)
    assert second is None and first is not None
    assert rates == [{**to_json(RATES[0]), "interval": to_json(first)}, {**to_json(RATES[1]), "interval": None}]
