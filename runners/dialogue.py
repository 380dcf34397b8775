"""One dialogue from the first prompt to the submission, synchronously: the loop of the first main job.

A turn asks for a program, runs it on the public tests, and ends the dialogue when they pass; else the
failing tests become the next message. Hidden tests are not touched here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from turnwise.benchmarks.records import Problem, Report
from turnwise.runners.judge import Judge
from turnwise.runners.sampler import Request, RequestError, Sampler
from turnwise.tasks.catalog import Task
from turnwise.tasks.extraction import extract_program
from turnwise.tasks.feedback import failed_tests, form_of
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.trajectory import Call, End, Message, Trajectory, Turn, dialogue_seed


@dataclass(frozen=True, slots=True)
class Conversation:
    """What stays the same over all dialogues of a run."""

    sampler: Sampler
    judge: Judge
    prompts: PromptSet
    seed: int


def run_dialogue(conversation: Conversation, task: Task, problem: Problem, sample: int) -> Trajectory:
    """Return the trajectory of one dialogue; a failing request ends it as missing."""
    turns: list[Turn] = []
    end = End.TURN_LIMIT
    history: list[Message] = []
    for index in range(task.max_turns):
        messages = _next_messages(conversation.prompts, problem, turns)
        history += messages
        seed = dialogue_seed(conversation.seed, problem.id, sample, index)
        try:
            reply = conversation.sampler.generate(Request(problem.id, sample, index, tuple(history), seed))
        except RequestError:
            end = End.REQUEST_FAILED
            break
        if reply is None:
            end = End.NO_MORE_ANSWERS if turns else End.REQUEST_FAILED
            break
        history.append(Message("assistant", "reply", "", reply.text))
        program = extract_program(reply.text)
        report = conversation.judge.judge(problem, program, hidden=False)
        turns.append(Turn((Call(messages, reply),), program, report))
        if report.public_passed:
            end = End.PUBLIC_PASSED
            break
    seed = dialogue_seed(conversation.seed, problem.id, sample, 0)
    return Trajectory(task.name, problem.id, sample, seed, tuple(turns), end)


def judge_submission(judge: Judge, problem: Problem, trajectory: Trajectory) -> Report | None:
    """Return the report of the submission on public and hidden tests, or None where the dialogue is missing."""
    if trajectory.is_missing:
        return None
    return judge.judge(problem, trajectory.turns[-1].program)


def _next_messages(prompts: PromptSet, problem: Problem, turns: list[Turn]) -> tuple[Message, ...]:
    return tuple(Message("user", kind, prompt_id, text) for kind, prompt_id, text in _texts(prompts, problem, turns))


def _texts(prompts: PromptSet, problem: Problem, turns: list[Turn]) -> Iterator[tuple[str, str, str]]:
    if not turns:
        yield "statement", "statement", render_statement(prompts, problem)
    elif turns[-1].program is None:
        yield "feedback", "no_code", prompts.render("no_code")
    else:
        yield "feedback", "failed_tests", failed_tests(problem, turns[-1].public_report, prompts)
    yield "instruction", "format_guide", prompts.render("format_guide", form=form_of(problem))


def render_statement(prompts: PromptSet, problem: Problem) -> str:
    """Return the first message's statement: never cut, nothing hidden in it."""
    return prompts.render(
        "statement",
        form=form_of(problem),
        statement=problem.statement.strip(),
        starter_code=problem.starter_code.strip("\n"),
        entry_point=problem.entry_point,
        method="class Solution" in problem.starter_code,
        input_file=problem.input_file,
        output_file=problem.output_file,
    )
