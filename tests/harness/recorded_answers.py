"""A model for the test's server that answers from a file of recorded dialogues of the bundled sample."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from chat_server import Completion

from turnwise.benchmarks.catalog import BENCHMARKS, load_problems
from turnwise.runners.models.replay import ReplaySampler
from turnwise.runners.models.sampler import Request
from turnwise.tasks.dialogue import dialogue_seed

ANSWERS = Path(str(resources.files("turnwise.benchmarks"))) / "sample" / "answers"


def turn_of(body: dict[str, Any]) -> int:
    """Return how many replies went before what a request asks."""
    return sum(message["role"] == "assistant" for message in body.get("messages", ()))


def text_of(body: dict[str, Any]) -> str:
    """Return all that was said so far in the dialogue of a request."""
    if "prompt" in body:
        return str(body["prompt"])
    return "\n".join(str(message["content"]) for message in body["messages"])


def recorded(
    model: str, benchmarks: tuple[str, ...], *, samples: int = 2, seed: int = 0
) -> Callable[[dict[str, Any]], Completion]:
    """Return answers from the recording of ``model``: the problem by its statement, the sample by the seed."""
    sampler = ReplaySampler(ANSWERS / f"{model}.jsonl", benchmarks=benchmarks)
    statements = {
        problem.statement.strip(): problem.id
        for name in benchmarks
        for problem in load_problems(BENCHMARKS[name].name).scorable
    }

    def answer(body: dict[str, Any]) -> Completion:
        problem = next(one for statement, one in statements.items() if statement in text_of(body))
        of_sample = {dialogue_seed(seed, "", sample, turn_of(body), 0): sample for sample in range(samples)}
        sample = of_sample.get(body.get("seed", 0), 0)
        reply = sampler.answer(Request("", problem, sample, turn_of(body), 0, (), 0))
        return Completion("I have nothing more to say." if reply is None else reply.text)

    return answer
