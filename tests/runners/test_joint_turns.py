"""First turns asked jointly: each dialogue gets its own choice, and a server that has none is asked one by one."""

import asyncio
from typing import Any

import pytest
from chat_server import ChatServer, Completion, Fault

from turnwise.errors import InfrastructureError
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Message, Reply
from turnwise.runners.models.openai.model import OpenAIModel
from turnwise.runners.models.openai.server import Server
from turnwise.runners.models.sampler import ContextOverflowError, Outcome, Request, RequestError
from turnwise.tasks.dialogue import dialogue_seed

SAMPLES = 5


def _request(sample: int, *, problem: str = "b/1", turn: int = 0) -> Request:
    seed = dialogue_seed(3, problem, sample, turn)
    return Request("t", problem, sample, turn, 0, (Message("user", "statement", "statement", f"Ask {problem}"),), seed)


def _ask(server: ChatServer, *requests: Request, first_turns: int = 2) -> list[Outcome | BaseException]:
    where = Server(server.base_url, "tiny", backoff=0.01, max_retries=1, first_turns=first_turns)

    async def ask() -> list[Outcome | BaseException]:
        model = OpenAIModel(where, Sampling(temperature=0.8), samples=SAMPLES, run_seed=3)
        try:
            return await asyncio.gather(*map(model.generate, requests), return_exceptions=True)
        finally:
            await model.close()

    return asyncio.run(ask())


def _say(body: dict[str, Any]) -> Completion:
    """As many choices as asked for, each naming the seed and its place."""
    texts = [f"{body['seed']} {place}" for place in range(body.get("n", 1))]
    return Completion(texts[0], others=tuple(texts[1:]))


def _texts(replies: list[Outcome | BaseException]) -> list[str]:
    return [one.text if isinstance(one, Reply) else repr(one) for one in replies]


def test_each_dialogue_takes_its_own_choice_of_a_fixed_group() -> None:
    """Five samples by twos: two requests for two choices, in whatever order they are asked, and one alone."""
    seeds = [dialogue_seed(3, "b/1", sample, 0) for sample in range(SAMPLES)]
    expected = [f"{seeds[0]} 0", f"{seeds[0]} 1", f"{seeds[2]} 0", f"{seeds[2]} 1", f"{seeds[4]} 0"]
    with ChatServer(_say) as server:
        forwards = _ask(server, *map(_request, range(SAMPLES)))
        backwards = _ask(server, *map(_request, reversed(range(SAMPLES))))
        resumed = _ask(server, _request(3))
    assert _texts(forwards) == expected and _texts(backwards) == expected[::-1] and _texts(resumed) == expected[3:4]
    assert sorted(body.get("n", 1) for body in server.bodies) == [1, 1, 2, 2, 2, 2, 2]


def test_only_first_turns_of_one_problem_are_joined() -> None:
    """A follow-up depends on its own dialogue, another problem is another prompt."""
    with ChatServer(_say) as server:
        found = _ask(server, _request(0), _request(1, turn=1), _request(1, problem="b/2"))
    assert [body.get("n") for body in server.bodies].count(None) == 1
    assert len(set(_texts(found))) == 3


@pytest.mark.parametrize("refusal", [Fault("status", 400, error={"message": "n is not supported"}), None])
def test_a_server_without_choices_is_asked_one_by_one(refusal: Fault | None) -> None:
    """Whether it refuses ``n`` or gives one choice all the same, every dialogue has its reply."""

    def answer(body: dict[str, Any]) -> Completion | Fault:
        return refusal if refusal and body.get("n") else Completion(f"seed {body['seed']}")

    with ChatServer(answer) as server:
        replies = _ask(server, *map(_request, range(4)))
    assert len(set(_texts(replies))) == 4 and all(text.startswith("seed") for text in _texts(replies))


def test_what_a_joint_request_meets_all_its_dialogues_meet() -> None:
    """A prompt that is too long is too long for each; a request refused for good is refused alone too."""

    def answer(body: dict[str, Any]) -> Completion | Fault:
        message = "maximum context length is 4" if "b/1" in str(body) else "no such thing"
        return Fault("status", 400, error={"message": message})

    with ChatServer(answer) as server:
        first, second, third, fourth = _ask(
            server, _request(0), _request(1), _request(0, problem="b/2"), _request(1, problem="b/2")
        )
    assert isinstance(first, ContextOverflowError) and isinstance(second, ContextOverflowError)
    assert isinstance(third, RequestError) and isinstance(fourth, RequestError)


def test_the_tokens_of_all_choices_are_shared_out() -> None:
    """The server counts them together: the shares add up to that, longer replies having more."""
    with ChatServer(lambda body: Completion("x" * 9, others=("y" * 90,))) as server:
        one, other = _ask(server, _request(0), _request(1))
    assert isinstance(one, Reply) and isinstance(other, Reply)
    assert one.completion_tokens is not None and other.completion_tokens is not None
    assert one.completion_tokens + other.completion_tokens == 99 // 4
    assert 0 < one.completion_tokens < other.completion_tokens
    assert one.prompt_tokens == other.prompt_tokens == 10


def test_a_server_that_repeats_itself_stops_the_run() -> None:
    """Copies of one reply are no samples; ten groups in a row are no chance."""
    with ChatServer(lambda body: Completion("same", others=("same",) * (body.get("n", 1) - 1))) as server:
        requests = [_request(sample, problem=f"b/{number}") for number in range(9) for sample in (0, 1)]
        assert set(_texts(_ask(server, *requests))) == {"same"}
        requests += [_request(sample, problem="b/9") for sample in (0, 1)]
        stopped = [one for one in _ask(server, *requests) if isinstance(one, InfrastructureError)]
    assert len(stopped) == 2 and "leave out first_turns" in str(stopped[0])
