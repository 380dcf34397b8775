"""What is sent to the driver and logged: a request a problem, its opening messages, its submissions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lm_eval.api.instance import Instance

from turnwise.harness.driver import REQUEST_TYPE, TaskWork
from turnwise.harness.rendering import to_plain
from turnwise.json_text import json_text
from turnwise.records.codec import to_json
from turnwise.records.judgement import Judgement, Place, places_of
from turnwise.records.trajectory import Trajectory
from turnwise.runners.models.chat import to_chat
from turnwise.tasks.dialogue import Ask, Dialogue


@dataclass
class DialogueRequest(Instance):  # type: ignore[misc]  # lm_eval is untyped
    """All dialogues about one problem, ``repeats`` of them; ``work`` is what the driver needs beside."""

    problem: str = ""
    work: TaskWork | None = field(default=None, repr=False)


def request_for(problem: str, doc: Mapping[str, Any], work: TaskWork, place: tuple[str, int, int]) -> DialogueRequest:
    """Return the request for all dialogues about ``problem``; ``place`` is lm_eval's task, document and repeats.

    Its arguments are what lm_eval logs: the first messages and how the model is told to sample.
    """
    ask = Dialogue(work.problems[problem], 0, work.plan).next_step()
    if not isinstance(ask, Ask):
        raise RuntimeError("a dialogue begins with a question")
    opening = json_text(to_chat(ask.messages)) if work.chat else to_plain(ask.messages)
    arguments = (opening, dict(work.generation))
    return DialogueRequest(REQUEST_TYPE, doc, arguments, 0, place, problem=problem, work=work)


def submission(trajectory: Trajectory, judgements: Mapping[Place, Judgement]) -> str:
    """Return what lm_eval logs as a dialogue's filtered answer: its program and the judgements, as JSON."""
    turn = trajectory.submission_turn
    program = "" if turn is None else trajectory.turns[turn].program
    found = [judgements[place] for place in places_of(trajectory) if place is not None and place in judgements]
    return json_text({"program": program, "judgements": [to_json(one) for one in found]})
