"""What llama.cpp, vLLM and transformers really answered (servers/), replayed by a live server: each is understood."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from http_layer import Exchange, HttpServer
from test_openai_faults import REQUEST, threaded_server

from turnwise.errors import TurnwiseError
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Message, Reply
from turnwise.runners.models.gate import Slot
from turnwise.runners.models.openai.errors import StatusError, sort_error
from turnwise.runners.models.openai.model import OpenAIModel
from turnwise.runners.models.openai.replies import read_stream
from turnwise.runners.models.openai.server import RequestFields, Server, ServerCounter
from turnwise.runners.models.openai.wire import Wire, context_length, served_models
from turnwise.runners.models.sampler import ContextOverflowError, Outcome, Request, RequestError

FILES = sorted((Path(__file__).parent / "servers").glob("*.json"))
EACH = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
# Of real answers, what each server says where the prompt outgrows its context; transformers takes any.
OVERFLOWS = {"llama-cpp-python": 2, "llama-server": 3, "transformers-serve": 0, "vllm": 3}


def _answers(file: Path) -> dict[str, dict[str, Any]]:
    return {answer["name"]: answer for answer in json.loads(file.read_text())["answers"]}


async def _send(answer: dict[str, Any], exchange: Exchange) -> None:
    body = answer["body"].encode("utf-8", "surrogateescape")
    lines = "".join(f"{name}: {text}\r\n" for name, text in answer["headers"].items() if name != "transfer-encoding")
    head = f"HTTP/1.1 {answer['status']} X\r\n{lines}"
    if "transfer-encoding" in answer["headers"]:
        chunks = [body[start : start + 50] for start in range(0, len(body), 50)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
        head += "transfer-encoding: chunked\r\n"
    else:
        head += f"content-length: {len(body)}\r\n"
    exchange._writer.write(head.encode("latin-1") + b"\r\n" + body)
    await exchange._writer.drain()


def _replay(ask: Callable[[OpenAIModel], Awaitable[Any]], respond: Callable[[Exchange], Any], **options: Any) -> Any:
    """Return what ``ask`` returns of a model whose server answers with what ``respond`` chooses."""

    async def handle(exchange: Exchange) -> None:
        await _send(respond(exchange), exchange)

    async def run() -> Any:
        server = HttpServer(handle)
        await server.start()
        place = f"http://127.0.0.1:{server.port}/v1"
        given = {"backoff": 0.001, "max_retries": 0, "concurrency": 2, **options}
        model = OpenAIModel(Server(place, "tiny", **given), Sampling(max_tokens=9))
        try:
            return await ask(model)
        finally:
            await model.close()
            await server.stop()

    return asyncio.run(run())


async def _outcome(model: OpenAIModel, request: Request = REQUEST) -> Outcome | TurnwiseError:
    try:
        return await model.generate(request)
    except (RequestError, ContextOverflowError, TurnwiseError) as error:
        return error


@EACH
def test_every_answer_of_a_real_server_is_an_outcome(file: Path) -> None:
    """A text is that reply; a prompt too long is the model's failure; a refusal is missing, with the server's words."""
    answers = _answers(file)
    asked = [one for one in answers.values() if one["method"] == "POST" and "chat" in one["path"]]
    whole = [one for one in asked if "event-stream" not in one["headers"]["content-type"]]
    current = [answers["plain"]]

    def respond(exchange: Exchange) -> dict[str, Any]:
        return answers["get /v1/models"] if exchange.path.endswith("/models") else current[0]

    async def ask_all(model: OpenAIModel) -> list[Outcome | TurnwiseError]:
        found = []
        for current[0] in whole:
            found.append(await _outcome(model))
        return found

    overflows = 0
    for answer, found in zip(whole, _replay(ask_all, respond), strict=True):
        name, status = answer["name"], answer["status"]
        if status == 200:
            choices = json.loads(answer["body"])["choices"]
            assert isinstance(found, Reply) and found.text == choices[0]["message"]["content"], name
            assert found.prompt_tokens and found.completion_tokens, name
        elif isinstance(found, ContextOverflowError):
            overflows += name.startswith("prompt beyond the context")
            assert "context" in name, name
        elif status == 404:
            assert isinstance(found, TurnwiseError) and "mend -a model=" in str(found), name
        else:
            assert isinstance(found, RequestError) and str(found).startswith(f"HTTP {status}: "), (name, found)
            assert not str(found).endswith(("no reason given", ": X")), name
    assert overflows == OVERFLOWS[file.stem]


@EACH
def test_a_real_stream_is_the_same_reply(file: Path) -> None:
    """With the same number of tokens, and their ids and log-probabilities where the server gives them."""
    answers = _answers(file)
    pairs = [("stream", "plain"), ("stream logprobs", "logprobs")]

    async def ask(streamed: dict[str, Any], whole: dict[str, Any]) -> tuple[Reply, Reply]:
        async def handle(exchange: Exchange) -> None:
            await _send(streamed if exchange.body["stream"] else whole, exchange)

        server = HttpServer(handle)
        await server.start()
        place = Server(f"http://127.0.0.1:{server.port}/v1", "tiny")
        wire, model = Wire(place), OpenAIModel(place, Sampling())
        try:
            chunks = wire.stream("/chat/completions", {"stream": True})
            found = await read_stream(chunks, on_first_token=lambda: None)
            return found, (await model._whole({"stream": False}))[0]
        finally:
            await wire.close()
            await model.close()
            await server.stop()

    for stream, plain in pairs:
        if answers[plain]["status"] == 200:
            found, reply = asyncio.run(ask(answers[stream], answers[plain]))
            assert (found.token_ids, found.logprobs) == (reply.token_ids, reply.logprobs)
            assert len(found.text) and found.prompt_tokens in (None, reply.prompt_tokens)
    tokens = {"llama-server": 7, "vllm": 8}.get(file.stem, 0)  # llama.cpp leaves out a token that ends inside a letter
    assert len(reply.token_ids or ()) == len(reply.logprobs or ()) == tokens


@EACH
def test_a_real_server_tells_its_context(file: Path) -> None:
    """Where it does: in its list of models, or on a page of its own; and counts tokens, or leaves it to guessing."""
    answers = _answers(file)
    pages = {answer["path"]: answer for answer in answers.values() if answer["path"] != "/v1/chat/completions"}

    async def handle(exchange: Exchange) -> None:
        await _send(pages[exchange.path], exchange)

    with threaded_server(handle) as base_url:
        server = Server(base_url, "tiny")
        served = served_models(server, timeout=10)
        length = context_length(server, served, timeout=10)
        counter = ServerCounter(base_url, "tiny")
    assert [one.name for one in served] == [json.loads(file.read_text())["model"]]
    assert length == (2048 if file.stem in ("llama-server", "vllm") else None)
    assert counter.is_exact == (file.stem == "vllm")


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "reply_tokens"])
def test_a_reply_that_is_asked_too_long_is_asked_for_what_fits(name: str) -> None:
    """vLLM's own words for it name its context, and are no overflow of the dialogue; under any name of the limit."""
    answers = _answers(FILES[-1])
    fields = RequestFields.parse("" if name == "max_tokens" else json.dumps({"max_tokens": {"as": name}}))

    def respond(exchange: Exchange) -> dict[str, Any]:
        return answers["max_tokens beyond the context" if name in exchange.body else "plain"]

    assert isinstance(_replay(_outcome, respond, fields=fields), Reply)


def test_an_answer_that_begins_with_what_was_begun_is_taken_without_it() -> None:
    """llama.cpp repeats the prefill; the program would hold it twice."""
    answers = _answers(Path(__file__).parent / "servers" / "llama-server.json")
    begun = Message("assistant", "prefill", "prefill", "def")
    request = Request("t", "b/0", 0, 0, 0, (*REQUEST.messages, begun), 7)
    found = _replay(lambda model: _outcome(model, request), lambda exchange: answers["continue_final_message"])
    whole = json.loads(answers["continue_final_message"]["body"])["choices"][0]["message"]["content"]
    assert whole.startswith("def") and found.text == whole.removeprefix("def")


def test_a_stream_that_says_nothing_is_asked_for_whole() -> None:
    """llama-cpp-python streams nothing, with status 200, where it would refuse: the refusal is then heard."""
    answers = _answers(Path(__file__).parent / "servers" / "llama-cpp-python.json")
    names = {True: "prompt beyond the context, streamed", False: "prompt beyond the context"}
    asked = []

    def respond(exchange: Exchange) -> dict[str, Any]:
        asked.append(bool(exchange.body.get("stream")))
        return answers[names[asked[-1]]]

    async def probe(model: OpenAIModel) -> Any:
        try:
            return await model._probe({"model": "tiny"}, Slot(model.gate, 0, 1))
        except StatusError as error:
            return sort_error(error, Server("http://server", "tiny"))

    found = _replay(probe, respond)
    assert isinstance(found, ContextOverflowError) and asked == [True, False]
