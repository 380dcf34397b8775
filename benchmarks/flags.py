"""What a row gives away about its problem: several valid answers, interaction with a judge, contradictions.

No data set marks the first two. Where nobody has read the statement (checkers/kinds.csv), both are guessed from its
wording; they are flags for a reader of scores ("with and without"), and only interaction forbids scoring.

A row that asks for two different programs is contradictory, since no program can be judged by it: the functions below
return the end of a sentence that says why, or nothing.

>>> contradiction_of_starter("def add(a, b):", called="")
'its starter code defines add, which its tests do not call'

Only the row's form is looked at, as text: no program is compiled or run. Whether a canonical solution gives results at
all shows when expected outputs are computed (turnwise.runners.judging.expected).
"""

import re
from collections.abc import Iterable

from turnwise.benchmarks.matching import output_matches
from turnwise.records.problem import Limits, MatchRule, TestCase
from turnwise.texts import shown

_ANSWER = r"(?:answers?|solutions?|ways?|options?|variants?|possibilities|configurations|sequences|arrays|such)"
_OBJECT = r"(?:sequence|graph|string|array|permutation|number|matrix|table|set|tree|path|partition|grid)"
_SHOW = r"(?:print|output|find|report|give|display|return|construct)"
_MULTIPLE_ANSWERS = re.compile(
    rf"\b{_SHOW}\b[^.]{{0,60}}\bany of (?:them|these|those)\b|\bany of (?:them|these) (?:is|are|will be|would be)\b"
    rf"|\b(?:multiple|several|many|more than one|various)\b[^.]{{0,60}}\b{_ANSWER}\b[^.]{{0,80}}\b(?:any|arbitrary)\b"
    rf"|\b{_SHOW}\b[^.]{{0,40}}\bany (?:valid|correct|suitable|possible|optimal|such|one)\b"
    rf"|\b{_SHOW} any (?:[\w-]+ ){{0,2}}{_OBJECT}\b"
    rf"|\bany (?:valid|correct|suitable|possible|optimal)? ?{_ANSWER} (?:will be|is|are) (?:accepted|fine|ok|allowed)"
    rf"|\b(?:print|output)\b[^.]{{0,60}}\bin any order\b",
    re.IGNORECASE,
)
_INTERACTIVE = re.compile(
    r"\bthis (?:is an?|problem is) interactive\b|\binteractive problem\b|\binteraction protocol\b",
    re.IGNORECASE,
)
_DEFINED = re.compile(r"^\s*(?:async\s+def|def|class)\s+(\w+)", re.MULTILINE)
_SHOWN_NAMES = 3
_LEAST_SECONDS = 1e-3
_LEAST_BYTES = 2**20


def admits_multiple_answers(statement: str) -> bool:
    """Return whether the statement says that any of several answers is accepted."""
    return _MULTIPLE_ANSWERS.search(statement) is not None


def is_interactive(statement: str) -> bool:
    """Return whether the statement says that the program talks with a judge."""
    return _INTERACTIVE.search(statement) is not None


def contradiction_of_starter(starter_code: str, *, called: str) -> str:
    """Return how the code a model is given contradicts the function that is ``called`` (empty: none is)."""
    defined = list(dict.fromkeys(_DEFINED.findall(starter_code)))
    if not defined or called in defined:
        return ""
    names = ", ".join(shown(name).strip("'") for name in defined[:_SHOWN_NAMES])
    return f"its starter code defines {names}, which its tests do not call"


def contradiction_of_solution(program: str, *, called: str) -> str:
    """Return how the canonical solution contradicts the function that is ``called``."""
    name = re.escape(called)
    bound = rf"^\s*(?:async\s+def|def|class)\s+{name}\b|^\s*{name}\s*(?::[^=\n]*)?=(?!=)|\bimport\b[^\n]*\b{name}\b"
    return "" if re.search(bound, program, re.MULTILINE) else f"its canonical solution does not define {shown(called)}"


def contradiction_of_limits(limits: Limits) -> str:
    """Return how limits contradict that there is a program: no interpreter starts within them."""
    if limits.time_limit_seconds < _LEAST_SECONDS:
        return f"its time limit of {limits.time_limit_seconds:g} s is less than any program takes"
    if limits.memory_limit_bytes < _LEAST_BYTES:
        return f"its memory limit of {limits.memory_limit_bytes} bytes is less than any program takes"
    return ""


def contradiction_of_tests(tests: Iterable[TestCase], rule: MatchRule) -> str:
    """Return how tests contradict each other: two outputs are demanded of one input, and neither is as good."""
    demanded: dict[str, TestCase] = {}
    for number, test in enumerate(tests, 1):
        before = demanded.setdefault(test.input, test)
        if test.output is not None and before.output != test.output and not _agree(before, test, rule):
            return f"its test {number} demands another output of an input that stands twice"
    return ""


def _agree(one: TestCase, other: TestCase, rule: MatchRule) -> bool:
    pairs = ((one, other), (other, one))
    return any(
        expected.output is None
        or given.output is None
        or output_matches(rule, expected, given.output.encode("utf-8", "surrogatepass"))
        for expected, given in pairs
    )
