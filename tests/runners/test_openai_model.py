"""The OpenAI client against a server that commits every fault: the right outcome each time, nothing lost."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from chat_server import ChatServer, Completion, Fault

from turnwise.errors import TurnwiseError
from turnwise.records.codec import from_json, to_json
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Message, Reply
from turnwise.runners.models.openai.errors import TransientError, error_of_answer, sort_error
from turnwise.runners.models.openai.model import OpenAIModel
from turnwise.runners.models.openai.replies import MalformedError, read_replies, read_stream
from turnwise.runners.models.openai.server import Server
from turnwise.runners.models.openai.wire import served_models
from turnwise.runners.models.sampler import ContextOverflowError, Outcome, Request, RequestError

OVERFLOW = {"message": "This model's maximum context length is 64 tokens. However, you requested 90", "code": 400}


def _request(number: int = 0, *, turn: int = 0, prefill: bool = False) -> Request:
    messages = [
        Message("system", "system", "", "Be brief."),
        Message("user", "statement", "statement", f"Ask {number}"),
    ]
    messages += [Message("user", "instruction", "format_guide", "Write code.")]
    if prefill:
        messages.append(Message("assistant", "prefill", "prefill", "```python\n"))
    return Request("t", f"b/{number}", 0, turn, 0, tuple(messages), 7 + number)


def _ask(
    server: ChatServer, *requests: Request, sampling: Sampling | None = None, **options: Any
) -> tuple[list[Outcome | BaseException], OpenAIModel]:
    """Return the outcome of each request, asked together."""
    options = {"backoff": 0.01, "timeout": 20.0, **options}
    where = Server(server.base_url, "tiny", **options)

    async def ask() -> tuple[list[Outcome | BaseException], OpenAIModel]:
        model = OpenAIModel(where, sampling or Sampling())
        try:
            return await asyncio.gather(*map(model.generate, requests), return_exceptions=True), model
        finally:
            await model.close()

    return asyncio.run(ask())


def _failing_first(times: int, fault: Fault | Completion) -> Callable[[dict[str, Any]], Completion | Fault]:
    """Commit ``fault`` the first ``times`` that each prompt is asked."""
    asked: dict[str, int] = {}

    def answer(body: dict[str, Any]) -> Completion | Fault:
        prompt = json.dumps(body["messages"])
        asked[prompt] = asked.get(prompt, 0) + 1
        return fault if asked[prompt] <= times else Completion(f"answer to {body['messages'][-1]['content']}")

    return answer


def test_every_sampling_field_and_the_seed_are_sent() -> None:
    """What was not given is left to the server, and neighbours of one role are one message."""
    with ChatServer(lambda body: Completion("hello")) as server:
        sampling = Sampling(0.2, 0.95, 20, 64, ("END",), presence_penalty=-0.5)
        (reply,), _ = _ask(server, _request(), sampling=sampling)
        _ask(server, _request())
    assert reply == Reply("hello", "", "stop", 11, 1)
    full, bare = server.bodies
    assert full == {
        "model": "tiny",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Ask 0\n\nWrite code."},
        ],
        "seed": 7,
        "temperature": 0.2,
        "top_p": 0.95,
        "top_k": 20,
        "max_tokens": 64,
        "stop": ["END"],
        "presence_penalty": -0.5,
    }
    assert set(bare) == {"model", "messages", "seed"}


@pytest.mark.parametrize("concurrency", [0, 4])
def test_thinking_ids_and_logprobs_are_kept(concurrency: int) -> None:
    """Also where there is no content, and where the answer is streamed."""
    thought = Completion(None, "hm\nhm", "length", token_ids=(3, 5))
    with ChatServer(
        lambda body: thought if "Ask 0" in str(body) else Completion("yes", "so", token_ids=(8,))
    ) as server:
        replies, _ = _ask(server, _request(0), _request(1), logprobs=True, concurrency=concurrency)
    assert replies == [
        Reply("", "hm\nhm", "length", 11, 1, token_ids=(3, 5), logprobs=(-0.375, -0.625)),
        Reply("yes", "so", "stop", 11, 1, token_ids=(8,), logprobs=(-1.0,)),
    ]
    assert all(from_json(Reply, json.loads(json.dumps(to_json(one)))) == one for one in replies)


def test_a_probe_is_streamed_and_says_the_same() -> None:
    """Which requests are probes changes no reply."""
    with ChatServer(lambda body: Completion(f"a\nb {body['messages'][1]['content']}\n", seconds=0.05)) as server:
        requests = [_request(number) for number in range(70)]
        found, _ = _ask(server, *requests)
        bounded, _ = _ask(server, *requests, concurrency=100)
    assert sum(bool(body.get("stream")) for body in server.bodies) >= 1
    assert found == bounded


def test_a_server_that_does_not_stream_is_asked_without() -> None:
    """The first probe is asked again, whole; no other is made, and no dialogue is lost."""

    def answer(body: dict[str, Any]) -> Completion | Fault:
        if "stream_options" in body:
            return Fault("status", 400, error={"message": "Unknown parameter: stream_options"})
        return Completion("whole", seconds=0.01)

    with ChatServer(answer) as server:
        replies, model = _ask(server, *map(_request, range(200)))
    assert {one.text for one in replies} == {"whole"} and model.gate.limit == 64
    assert sum("stream_options" in body for body in server.bodies) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 500),
        Fault("status", 502, error={"message": "bad gateway"}),
        Fault("status", 429, "retry-after: 0.05\r\n"),
        Fault("status", 503, "retry-after-ms: 20\r\n"),
        Fault("status", 429),
        Fault("reset"),
        Fault("half"),
        Fault("not_json"),
        Fault("wrong_shape"),
        Completion("half an ans", finish_reason="abort"),
        Completion("half an ans", finish_reason="error"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}" if isinstance(fault, Fault) else fault.finish_reason,
)
def test_what_fails_for_now_is_asked_again(fault: Fault | Completion) -> None:
    """Two failures in a row, then the answer: nobody notices."""
    with ChatServer(_failing_first(2, fault)) as server:
        replies, _ = _ask(server, *map(_request, range(3)))
    assert [one.text for one in replies] == [f"answer to Ask {number}\n\nWrite code." for number in range(3)]
    assert len(server.bodies) >= 9


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 500),
        Fault("status", 429, "retry-after: 0.05\r\n"),
        Fault("reset"),
        Fault("half"),
        Fault("not_json"),
        Completion("half an ans", finish_reason="abort"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}" if isinstance(fault, Fault) else fault.finish_reason,
)
def test_a_probe_that_fails_is_asked_again(fault: Fault | Completion) -> None:
    """What is streamed fails as what is whole does: nothing is lost, and half an answer is none."""

    def answer(body: dict[str, Any]) -> Completion | Fault:
        is_broken = bool(body.get("stream")) and sum(bool(one.get("stream")) for one in server.bodies) <= 2
        return fault if is_broken else Completion(f"answer to {body['messages'][-1]['content']}", seconds=0.02)

    with ChatServer(answer) as server:
        replies, model = _ask(server, *map(_request, range(200)))
    assert [one.text for one in replies] == [f"answer to Ask {number}\n\nWrite code." for number in range(200)]
    assert sum(bool(one.get("stream")) for one in server.bodies) >= 2 and model.gate.in_flight == 0


@pytest.mark.parametrize("kind", ["trickle", "silence"])
def test_an_answer_that_takes_for_ever_is_given_up(kind: str) -> None:
    """The time limit is for the whole answer, not for each byte of it; the others are not kept waiting."""
    with ChatServer(lambda body: Fault(kind) if "Ask 0" in str(body) else Completion("quick")) as server:
        outcomes, _ = _ask(server, _request(0), _request(1), timeout=2.0)
    assert isinstance(outcomes[0], RequestError) and "no answer in time" in str(outcomes[0])
    assert outcomes[1].text == "quick"
    assert len(server.bodies) == 3


@pytest.mark.parametrize("fault", [Fault("status", 500), Fault("reset"), Fault("not_json"), Fault("half")])
def test_a_request_that_always_fails_fails_alone(fault: Fault) -> None:
    """After the retries that were asked for; the server is alive, so it is the request."""
    with ChatServer(lambda body: fault if "Ask 0" in str(body) else Completion("fine")) as server:
        outcomes, _ = _ask(server, _request(0), _request(1), max_retries=2)
    assert isinstance(outcomes[0], RequestError)
    assert outcomes[1].text == "fine"
    assert len(server.bodies) == 4


def test_a_refused_request_fails_at_once_and_says_why() -> None:
    """HTTP 400 says nothing about the model's answer and is not asked again."""
    with ChatServer(lambda body: Fault("status", 400, error={"message": "no such role"})) as server:
        (outcome,), _ = _ask(server, _request())
    assert isinstance(outcome, RequestError) and "no such role" in str(outcome)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "error",
    [
        OVERFLOW,
        {"message": "too much", "code": "context_length_exceeded"},
        {"message": "the request exceeds the available context size, try increasing it"},
        {"message": "The input (9000 tokens) is longer than the model's context length (8192 tokens)."},
        {"message": "Please reduce the length of the input prompt, the prompt is too long"},
    ],
)
def test_what_outgrows_the_context_is_an_outcome_of_the_model(error: dict[str, Any]) -> None:
    """Whatever words a server has for it."""
    with ChatServer(lambda body: Fault("status", 400, error=error)) as server:
        (outcome,), _ = _ask(server, _request())
    assert isinstance(outcome, ContextOverflowError)


def test_a_reply_that_fits_in_part_is_asked_for_with_what_room_there_is() -> None:
    """Servers refuse a prompt with more max_tokens than there is room for; in-process engines answer in that room."""

    def answer(body: dict[str, Any]) -> Completion | Fault:
        used = 90 if "Ask 1" in str(body) else 40
        if used + body.get("max_tokens", 1) > 64:
            return Fault("status", 400, error=OVERFLOW)
        return Completion("short", finish_reason="length")

    with ChatServer(answer) as server:
        outcomes, _ = _ask(server, _request(0), _request(1), sampling=Sampling(max_tokens=32))
    assert outcomes[0].text == "short" and isinstance(outcomes[1], ContextOverflowError)
    assert sorted(body.get("max_tokens", 0) for body in server.bodies) == [0, 0, 32, 32]


def test_a_rate_limit_slows_down_and_fails_nothing() -> None:
    """Fewer requests in flight than before, and every one answered in the end."""
    refused: list[float] = []

    def answer(body: dict[str, Any]) -> Completion | Fault:
        if server.now > 6:
            refused.append(time.monotonic())
            return Fault("status", 429, "retry-after: 0.02\r\n")
        return Completion("ok", seconds=0.01)

    with ChatServer(answer) as server:
        outcomes, model = _ask(server, *map(_request, range(80)))
    assert {one.text for one in outcomes} == {"ok"}
    assert refused and model.gate.limit < 64


@pytest.mark.parametrize(
    ("name", "text", "seconds"),
    [
        ("retry-after", "7", 7.0),
        ("retry-after", "0.5", 0.5),
        ("retry-after-ms", "250", 0.25),
        ("retry-after", "-3", 0.0),
        ("retry-after", "86400", 3600.0),
        ("retry-after", "inf", None),
        ("retry-after", "nan", None),
        ("retry-after", "soon", None),
        ("other", "7", None),
    ],
)
def test_the_wait_is_what_the_server_asks_for(name: str, text: str, seconds: float | None) -> None:
    """An hour at most; without a number that can be waited for, what we would wait ourselves."""
    assert _sorted_refusal({name: text}).wait_seconds == seconds


def test_a_date_to_come_back_at_is_understood() -> None:
    """Retry-After may be an HTTP date; one that is past waits for nothing."""
    for seconds, shortest, longest in ((300, 200, 301), (-300, 0, 0)):
        wait = _sorted_refusal({"retry-after": formatdate(time.time() + seconds, usegmt=True)}).wait_seconds
        assert wait is not None and shortest <= wait <= longest


def _sorted_refusal(headers: dict[str, str]) -> TransientError:
    refusal = error_of_answer(429, "Too Many Requests", headers, b"slow down")
    found = sort_error(refusal, Server("http://127.0.0.1/v1", "tiny"))
    assert isinstance(found, TransientError) and found.is_busy
    return found


def test_a_stream_that_ends_before_the_answer_is_no_reply() -> None:
    """Its text so far may look whole."""

    async def read(*chunks: dict[str, Any]) -> Reply:
        async def stream() -> AsyncIterator[dict[str, Any]]:
            for chunk in chunks:
                yield chunk

        return await read_stream(stream(), on_first_token=lambda: None)

    begun = {"choices": [{"delta": {"content": "```python\nprint(1)\n```"}, "finish_reason": None}]}
    ended = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    assert asyncio.run(read(begun, ended)).text == "```python\nprint(1)\n```"
    for chunks in (
        (begun,),
        (),
        (begun, {"choices": [{"delta": {}, "finish_reason": "abort"}]}),
        (begun, {"choices": 3}),
    ):
        with pytest.raises(MalformedError):
            asyncio.run(read(*chunks))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("status", 401, error={"message": "wrong key"}), "set OPENAI_API_KEY"),
        (Fault("status", 404, error={"message": "no model"}), "mend -a model= or base_url="),
        (Fault("status", 429, error={"message": "pay", "code": "insufficient_quota"}), "top it up"),
    ],
)
def test_what_no_dialogue_can_get_past_stops_the_run(fault: Fault, words: str) -> None:
    """With what to do."""
    with ChatServer(lambda body: fault) as server:
        (outcome,), _ = _ask(server, _request())
    assert isinstance(outcome, TurnwiseError) and words in str(outcome)


def test_many_failures_in_a_row_stop_the_run() -> None:
    """A server that refuses everything is not asked 33,000 times."""
    with ChatServer(lambda body: Fault("status", 400)) as server:
        outcomes, _ = _ask(server, *map(_request, range(30)), concurrency=1)
    stops = [one for one in outcomes if isinstance(one, TurnwiseError)]
    assert stops and "all failed" in str(stops[0]) and "something broke" in str(stops[0])


def test_a_server_that_is_gone_stops_the_run() -> None:
    """After its outage has lasted long enough, with how to go on."""
    with ChatServer(lambda body: Completion("ok")) as server:
        pass
    (outcome,), _ = _ask(server, _request(), max_retries=1, outage=0.3)
    assert isinstance(outcome, TurnwiseError) and outcome.exit_status == 3
    assert "does not answer" in str(outcome) and "run the same line again" in str(outcome)


class AliveModel(OpenAIModel):
    """Asks whether the server is alive only at moments at which it is."""

    async def _is_alive(self) -> bool:
        return True


@pytest.mark.parametrize("kind", [OpenAIModel, AliveModel])
def test_a_server_that_comes_back_is_waited_for(kind: type[OpenAIModel]) -> None:
    """A restart costs time and no dialogue, at whatever moment the server is there again."""
    with ChatServer(lambda body: Completion("before")) as server:
        pass

    async def ask() -> Reply:
        model = kind(Server(server.base_url, "tiny", backoff=0.02, max_retries=1), Sampling())
        asking = asyncio.create_task(model.generate(_request()))
        await asyncio.sleep(0.3)
        with ChatServer(lambda body: Completion("back"), port=server.port):
            reply = await asking
            await model.close()
        return reply

    assert asyncio.run(ask()).text == "back"


def test_a_prefill_is_continued() -> None:
    """The fields with which vLLM and SGLang continue the last message."""
    with ChatServer(lambda body: Completion("    return 1\n```")) as server:
        _ask(server, _request(prefill=True))
    (body,) = server.bodies
    assert body["messages"][-1] == {"role": "assistant", "content": "```python\n"}
    assert body["continue_final_message"] is True and body["add_generation_prompt"] is False


def test_a_template_without_a_system_role_gets_none() -> None:
    """Its text opens the first message of the user."""
    with ChatServer(lambda body: Completion("x")) as server:
        _, model = _ask(server, _request(), system_role=False)
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "Be brief.\n\nAsk 0\n\nWrite code."}]
    assert model.description == {"back_end": "openai", "model": "tiny", "system_role": "user"}


def test_the_only_model_served_need_not_be_named() -> None:
    """A wrong name is refused, with those there are."""
    with ChatServer(lambda body: Completion("x")) as server:
        where = Server(server.base_url, "")
        served = [one.name for one in served_models(where, timeout=10)]
    assert where.with_model(served).model == "tiny"
    with pytest.raises(TurnwiseError, match=r"has no model 'huge' .it serves tiny.: mend -a model="):
        replace(where, model="huge").with_model(served)
    with pytest.raises(TurnwiseError, match=r"give -a model=NAME\."):
        where.with_model(())
    with pytest.raises(TurnwiseError, match="does not answer"):
        served_models(where, timeout=2)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "'choices' is missing or unknown"),
        ([], "a value in it is of another kind than it has to be"),
        ({"choices": [{"message": {"content": 3}}]}, "a value in it is of another kind than it has to be"),
        ({"choices": []}, "it has no choices"),
    ],
    ids=str,
)
def test_what_is_no_completion_is_told_in_words(answer: Any, why: str) -> None:
    """To people who know neither our code nor Python."""
    with pytest.raises(MalformedError) as raised:
        read_replies(answer)
    assert str(raised.value) == f"it is no chat completion ({why})"
