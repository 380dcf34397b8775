"""What a statement gives away about a problem: several valid answers, interaction with a judge.

No data set marks these, and no checkers are published, so both are read off the wording; they are
flags for a reader of scores ("with and without"), and only interaction forbids scoring.
"""

import re

# Interactive problems of the CodeContests test split that their public form does not always reveal.
INTERACTIVE_CODECONTESTS = ("1586_D", "1599_H", "1617_D2")

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


def admits_multiple_answers(statement: str) -> bool:
    """Return whether the statement says that any of several answers is accepted."""
    return _MULTIPLE_ANSWERS.search(statement) is not None


def is_interactive(statement: str) -> bool:
    """Return whether the statement says that the program talks with a judge."""
    return _INTERACTIVE.search(statement) is not None
