"""Golden texts: each template once, and whole dialogues over reasoning, instruction, feedback and kind of problem.

The files are read by people. In dialogues.txt a prompt whose whole text stands in templates.txt is named in angle
brackets; everything that depends on the problem or the program is written out. After a change of wording that was
read and meant, ``TURNWISE_ACCEPT=1 pytest tests/tasks/test_golden.py`` writes them anew.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, product
from pathlib import Path

from turnwise.benchmarks import values
from turnwise.records.problem import Comparison, Limits, MatchRule, Problem, TestCase
from turnwise.records.report import BlockRun, Environment, Report, TestResult, Trace, Verdict
from turnwise.records.settings import FEEDBACK_KINDS, GUIDELINES, INSTRUCTIONS, NONE, REASONING
from turnwise.records.trajectory import Reply
from turnwise.tasks.decoys import Decoy, DecoyPool
from turnwise.tasks.dialogue import Ask, Dialogue, DialoguePlan
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import build_strategy

GOLDEN = Path(__file__).with_name("golden")
PROMPTS = PromptSet.load()
ENVIRONMENT = Environment("planned", "none", "no Python", "tokens")
CALLS = tuple(TestCase(values.dumps([one]), values.dumps(one * 2)) for one in (3, 4))
TEXTS = (TestCase("3\n", "6\n"), TestCase("4\n", "8\n"))
PROGRAM = Problem("b/double", "b", "test", "Read a number and print its double.", TEXTS, (), Limits(2.0, 256_000_000))
FUNCTION = replace(
    PROGRAM,
    statement="Write a function that doubles a number.\nassert double(3) == 6",
    public_tests=CALLS,
    rule=MatchRule(Comparison.VALUE),
    entry_point="double",
)
PROBLEMS = {
    "program": PROGRAM,
    "files": replace(PROGRAM, input_file="in.txt", output_file="out.txt"),
    "function": FUNCTION,
    "method": replace(FUNCTION, starter_code="class Solution:\n    def double(self, n):\n"),
    "completion": replace(
        FUNCTION,
        rule=MatchRule(Comparison.EVALPLUS),
        starter_code='def double(n):\n    """Double a number.\n    >>> double(3)\n    6\n    """\n',
    ),
}
ERROR = (
    'Traceback (most recent call last):\n  File "solution.py", line 2, in <module>\n    print(n / 0)\n'
    "ZeroDivisionError: division by zero"
)
FAILURES = {
    "wrong output": TestResult(1, Verdict.WRONG_ANSWER, output="7"),
    "no output": TestResult(1, Verdict.WRONG_ANSWER),
    "exception": TestResult(1, Verdict.RUNTIME_ERROR, error=ERROR),
    "time": TestResult(1, Verdict.TIME_LIMIT),
    "memory": TestResult(1, Verdict.MEMORY_LIMIT),
}
REPLY = "```python\nn = int(input())\nprint(n + 3)\n```"
TRACE = Trace(1, 1, (BlockRun(1, 2, {}, {"n": "4"}),))
DECOY = replace(PROGRAM, id="b/other", public_tests=(TestCase("other input\n", "other output\n"),))
POOL = DecoyPool([Decoy(DECOY, "print()"), Decoy(replace(DECOY, id="b/third"), "print()")], source="b/test")


@dataclass(frozen=True)
class Case:
    """One dialogue: its prompts, what is told of its first program, and what it is about."""

    reasoning: str
    instruction: str
    feedback: str
    problem: str
    failure: str
    strategy: str

    def __str__(self) -> str:
        return ", ".join(
            (f"{self.reasoning}+{self.instruction}", self.feedback, self.problem, self.failure, self.strategy)
        )


@cache
def cases() -> tuple[Case, ...]:
    """Return 63 dialogues: each reasoning with each instruction, the rest turned so that all pairs of values occur."""
    chosen = []
    for (r, reasoning), (i, instruction) in product(enumerate((NONE, *REASONING)), enumerate((NONE, *INSTRUCTIONS))):
        feedback = (*FEEDBACK_KINDS, FEEDBACK_KINDS[r % 6])[(i + r) % 7]
        problem, failure = tuple(PROBLEMS)[(i + 2 * r) % 5], tuple(FAILURES)[(i + 3 * r) % 5]
        chosen.append(
            Case(reasoning, instruction, feedback, problem, failure, ("cot", "cot_every_turn")[(2 * i + r) % 3 > 0])
        )
    return tuple(chosen)


def _pairs(one: tuple[str, ...]) -> set[tuple[int, str, int, str]]:
    return {(i, a, j, b) for (i, a), (j, b) in combinations(enumerate(one), 2)}


def _report(problem: Problem, failure: str, *, traced: bool) -> Report:
    result = FAILURES[failure]
    results = (TestResult(0, Verdict.PASSED, output="6"), result)
    can_be_traced = result.verdict in (Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR)
    return Report(
        problem.id, result.verdict, results, None, ENVIRONMENT, trace=TRACE if traced and can_be_traced else None
    )


def _dialogue(case: Case) -> Iterator[Ask]:
    """Yield what is asked in the two turns of a dialogue."""
    prompts = {"reasoning": (case.reasoning,) if case.reasoning != NONE else ()}
    instruction = case.instruction if case.instruction != NONE else ""
    name = case.strategy if prompts["reasoning"] or instruction else ""
    strategy = build_strategy(name, max_turns=2, instruction=instruction, feedback=case.feedback, **prompts)
    problem = PROBLEMS[case.problem]
    dialogue = Dialogue(problem, 0, DialoguePlan("t", strategy, PROMPTS, decoys=POOL))
    while (step := dialogue.next_step()) is not None:
        if isinstance(step, Ask):
            yield step
            is_last = step.messages[-1].prompt_id == "format_guide"
            dialogue.reply(Reply(REPLY if is_last else "I think."))
        elif step.problem is not problem:
            wrong = TestResult(0, Verdict.WRONG_ANSWER, output="another program's output")
            dialogue.report(Report(step.problem.id, wrong.verdict, (wrong,), None, ENVIRONMENT))
        else:
            dialogue.report(_report(problem, case.failure, traced=step.traced))


def _templates() -> dict[str, str]:
    """Return the texts of the prompts that depend on nothing but the form and the turn, by name."""
    found = {}
    ids = [*(f"reasoning/{one}" for one in REASONING), *(f"instruction/{one}" for one in (*INSTRUCTIONS, GUIDELINES))]
    for prompt_id in (*ids, "write_program", "format_guide", "no_code"):
        for form, again, instruction in product(("program", "function"), (False, True), ("", "weak_then_better")):
            text = PROMPTS.render(prompt_id, form=form, again=again, instruction=instruction)
            if text not in found.values():
                found[f"{prompt_id} #{sum(name.startswith(f'{prompt_id} #') for name in found) + 1}"] = text
    return found


def _check(path: Path, text: str) -> None:
    if os.environ.get("TURNWISE_ACCEPT"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_each_template_reads_as_it_was_read() -> None:
    """Each prompt in each of its variants."""
    text = "".join(f"### {name}\n{text}\n\n" for name, text in _templates().items())
    _check(GOLDEN / "templates.txt", text)


def test_whole_dialogues_read_as_they_were_read() -> None:
    """Two turns each; what the model says is left out."""
    names = {text: name for name, text in _templates().items()}
    lines = []
    for case in cases():
        lines.append(f"##### {case}")
        told = 0
        for ask in _dialogue(case):
            lines.append(f"--- turn {ask.turn + 1}, call {ask.call + 1}")
            new = ask.messages[told:]
            lines += [f"<{names[one.content]}>" if one.content in names else one.content for one in new]
            told = len(ask.messages) + 1
        lines.append("")
    _check(GOLDEN / "dialogues.txt", "\n".join(lines))


def test_the_dialogues_cover_all_pairs() -> None:
    """Every value of reasoning, instruction, feedback, problem and failure with every value of the others."""
    seen = set().union(
        *(_pairs((one.reasoning, one.instruction, one.feedback, one.problem, one.failure)) for one in cases())
    )
    axes = ((NONE, *REASONING), (NONE, *INSTRUCTIONS), FEEDBACK_KINDS, tuple(PROBLEMS), tuple(FAILURES))
    every = {(i, a, j, b) for (i, one), (j, other) in combinations(enumerate(axes), 2) for a, b in product(one, other)}
    assert every - seen == set() and len(cases()) == 63


def test_no_dialogue_tells_of_a_hidden_test_or_a_known_solution() -> None:
    """Nor does one about another problem's program tell of the own one."""
    hidden = replace(PROGRAM, hidden_tests=(TestCase("secret-in", "secret-out"),), solutions=("secret-solution",))
    for kind in FEEDBACK_KINDS:
        strategy = build_strategy(max_turns=2, feedback=kind)
        dialogue = Dialogue(hidden, 0, DialoguePlan("t", strategy, PROMPTS, decoys=POOL))
        dialogue.reply(Reply(REPLY))
        dialogue.report(_report(hidden, "wrong output", traced=kind == "ldb"))
        if kind == "random":
            dialogue.report(Report("b/other", Verdict.PASSED, (TestResult(0, Verdict.PASSED),), None, ENVIRONMENT))
        step = dialogue.next_step()
        assert isinstance(step, Ask) and "secret" not in "".join(message.content for message in step.messages)
