"""An answer of another tool as a dialogue of one turn, with the judgement of the judge that it came with.

That no public test is recorded as failed makes an answer pass them, as far as is known; a status that says otherwise
is taken. An answer without a program is no code. Judges nothing.
"""

from dataclasses import replace

from turnwise.exchange.contents import Answer, Dialogue
from turnwise.exchange.imported_record import UNKNOWN
from turnwise.records.judgement import Judgement, program_hash
from turnwise.records.report import Environment, Report, Verdict
from turnwise.records.trajectory import Call, End, Reply, Trajectory, Turn
from turnwise.tasks.extraction import extract_program

Key = tuple[str, str, int]  # task, problem, sample


def with_stub(answer: Answer, stub: str) -> Answer:
    """Return the answer with a whole program: one that continues the ``stub`` of its problem has it before it."""
    if not answer.continues_stub or answer.program is None:
        return answer
    return replace(answer, program=stub + answer.program)


def dialogue_of(answer: Answer, key: Key, *, max_turns: int, judge: str) -> Dialogue:
    """Return the dialogue of an answer to a task of ``max_turns``, judged by ``judge`` where it has a verdict."""
    task, problem, sample = key
    program = extract_program(answer.text) if answer.is_reply else answer.program
    found = answer.found if program is not None else None
    verdict = Verdict.PASSED
    if program is None:
        verdict = Verdict.NO_CODE
    elif found is not None and found.verdict is not None and not found.public_passed:
        verdict = found.verdict
    environment = Environment(judge or UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
    turn = Turn((Call((), Reply(answer.text)),), program, Report(problem, verdict, (), None, environment))
    end = End.TURN_LIMIT if max_turns == 1 else End.NO_MORE_ANSWERS
    end = End.PUBLIC_PASSED if turn.public_report.public_passed else end
    judgements: tuple[Judgement, ...] = ()
    if program is not None and found is not None and found.verdict is not None:
        place = (task, problem, sample, 0, program_hash(program))
        judgements = (Judgement(*place, found.verdict, found.public_passed, 0, 0.0, UNKNOWN, judge),)
    return Dialogue(answer.origin, Trajectory(task, problem, sample, 0, (turn,), end), judgements)
