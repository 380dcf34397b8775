"""Servers that say odd or hostile things: one answer is one outcome, in words, and breaks nothing after it."""

import asyncio
import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Completion, Fault
from http_layer import Exchange, HttpServer
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.errors import TurnwiseError
from turnwise.records.codec import from_json, to_json
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Message, Reply
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import find_back_end
from turnwise.runners.models.chat import to_chat
from turnwise.runners.models.openai.errors import error_in_document, error_of_answer
from turnwise.runners.models.openai.model import OpenAIModel
from turnwise.runners.models.openai.replies import MalformedError, read_document, read_replies
from turnwise.runners.models.openai.server import RequestFields, Server
from turnwise.runners.models.openai.wire import context_length, served_models
from turnwise.runners.models.sampler import ContextOverflowError, Outcome, Request, RequestError
from turnwise.tasks.catalog import TASKS

REQUEST = Request("t", "b/0", 0, 0, 0, (Message("user", "statement", "statement", "Ask"),), 7)
CODE = "```python\nprint(0)\n```"


def _ask_raw(
    handle: Callable[[Exchange], Awaitable[None]], sampling: Sampling | None = None, **options: Any
) -> Outcome | BaseException:
    """Return what comes of one request to a server that answers with ``handle``."""

    async def ask() -> Outcome | BaseException:
        server = HttpServer(handle)
        await server.start()
        options_ = {"backoff": 0.001, "max_retries": 0, "timeout": 10.0, "outage": 30.0, "concurrency": 2, **options}
        model = OpenAIModel(Server(f"http://127.0.0.1:{server.port}/v1", "tiny", **options_), sampling or Sampling())
        try:
            (found,) = await asyncio.gather(model.generate(REQUEST), return_exceptions=True)
            return found
        finally:
            await model.close()
            await server.stop()

    return asyncio.run(ask())


@contextmanager
def threaded_server(handle: Callable[[Exchange], Awaitable[None]]) -> Iterator[str]:
    """Yield the base URL of a server in a thread of its own."""
    loop, server = asyncio.new_event_loop(), HttpServer(handle)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(20)
        yield f"http://127.0.0.1:{server.port}/v1"
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _answer(data: bytes, *, status: int = 200, headers: str = "") -> Callable[[Exchange], Awaitable[None]]:
    async def handle(exchange: Exchange) -> None:
        if exchange.path.endswith("/models"):
            await exchange.send_json({"data": []})
        else:
            await exchange.send_bytes(data, status=status, headers=headers)

    return handle


def _completion(**choice: Any) -> bytes:
    message = choice.pop("message", {"content": "x"})
    usage = choice.pop("usage", {"prompt_tokens": 3, "completion_tokens": 1})
    return json.dumps({"choices": [{"index": 0, "message": message, **choice}], "usage": usage}).encode()


@pytest.mark.parametrize(
    "data",
    [
        _completion(token_ids=["x"]),
        _completion(token_ids=[10**30]),
        _completion(token_ids=[True]),
        _completion(usage={"prompt_tokens": 10**400}),
        _completion(usage={"prompt_tokens": -1}),
        _completion(usage={"prompt_tokens": "11"}),
        _completion(usage=[3]),
        _completion(message=3),
        _completion(message={"content": 3}),
        _completion(finish_reason={"a": 1}),
        _completion(finish_reason="x" * 1000),
        _completion(logprobs={"content": [{"logprob": "high"}]}),
        b'{"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{"logprob": 1e999}]}}]}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 1e999}}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": NaN}}',
        b'{"choices": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
        b'{"choices": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" + b"{}," * 2_500_000 + b"{}]",
        b'"\\' * 50_000,
        b"null",
        b"",
        b"\x00",
    ],
    ids=lambda data: repr(data[:60]),
)
def test_a_malformed_answer_is_one_failed_request(data: bytes) -> None:
    """Whatever is in it, and whether it is parsed or not."""
    found = _ask_raw(_answer(data))
    assert isinstance(found, RequestError) and "the answer cannot be read" in str(found)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"choices": "' + b"x" * (9 << 20) + b'"}', ""),
        (gzip.compress(bytes(200 << 20)), "content-encoding: gzip\r\n"),
        (b"no gzip", "content-encoding: gzip\r\n"),
        (b"anything", "content-encoding: zstd\r\n"),
    ],
    ids=["long", "bomb", "no gzip", "zstd"],
)
def test_a_body_is_read_up_to_a_limit(body: bytes, headers: str) -> None:
    """Counted after it is unpacked."""
    found = _ask_raw(_answer(body, headers=headers))
    assert isinstance(found, RequestError) and "the answer cannot be read" in str(found)


def test_a_body_without_end_is_not_read_to_it() -> None:
    """Neither a reply's nor an error's, whole or streamed."""

    async def endless(exchange: Exchange) -> None:
        if exchange.path.endswith("/models"):
            await exchange.send_json({"data": []})
            return
        await exchange.begin_stream()
        while True:
            await exchange.send_event('"' + "x" * 500_000)

    assert isinstance(_ask_raw(endless), RequestError)


def test_a_packed_reply_is_unpacked() -> None:
    """As proxies send them."""
    found = _ask_raw(_answer(gzip.compress(_completion()), headers="content-encoding: gzip\r\n"))
    assert found == Reply("x", "", "stop", 3, 1)


@pytest.mark.parametrize(("status", "place"), [(307, "http://localhost:9/v1"), (302, "https://elsewhere.example/x")])
def test_a_redirect_to_another_host_is_refused(status: int, place: str) -> None:
    """The key goes to the server that was named alone."""
    found = _ask_raw(_answer(b"", status=status, headers=f"location: {place}\r\n"))
    assert isinstance(found, RequestError) and "redirects to another one" in str(found)


def test_a_redirect_on_the_same_host_is_followed() -> None:
    """With the same request."""

    async def handle(exchange: Exchange) -> None:
        if exchange.path == "/v1/chat/completions":
            await exchange.send_bytes(b"", status=308, headers="location: /v2/chat\r\n")
        else:
            await exchange.send_json(json.loads(_completion(message={"content": exchange.body["model"]})))

    assert _ask_raw(handle) == Reply("tiny", "", "stop", 3, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"error": "no such thing"},
        {"error": {"message": "no such thing", "code": 7}},
        [{"error": {"message": "no such thing", "status": "INVALID_ARGUMENT"}}],
        {"detail": "no such thing"},
        {"detail": [{"loc": ["body", "seed"], "msg": "no such thing", "type": "extra_forbidden"}]},
        {"message": "no such thing"},
        {"object": "error", "message": "no such thing"},
        {"error": {"error": {"message": "no such thing"}}},
        {"error": {"message": "Provider returned error", "metadata": {"raw": "no such thing"}}},
        {"errors": [{"message": "no such thing"}]},
        {"code": 1113, "msg": "no such thing"},
        {"choices": None, "base_resp": {"status_code": 1004, "status_msg": "no such thing"}},
        "no such thing",
    ],
    ids=json.dumps,
)
def test_an_errors_own_words_are_shown(body: Any) -> None:
    """In all the usual forms."""
    found = _ask_raw(_answer(json.dumps(body).encode(), status=400))
    assert isinstance(found, RequestError) and "HTTP 400" in str(found) and "no such thing" in str(found)


def test_a_page_in_place_of_an_answer_is_shown() -> None:
    """Its words say what stands there, such as a proxy that wants a login."""
    found = _ask_raw(_answer(b"<html><title>t</title><body>Please\n<b>sign in</b></body></html>"))
    assert isinstance(found, RequestError) and str(found).endswith(": t Please sign in")


def test_a_page_in_place_of_an_error_is_read_as_text() -> None:
    """Without its tags, and on one printable line."""
    page = b"<html><head><title>t</title></head><body><h1>413 Too\x1b[31m large</h1>\n&amp; more</body></html>"
    found = _ask_raw(_answer(page, status=413))
    assert str(found) == "HTTP 413: 413 Too\\x1b[31m large & more"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"choices": None, "error": {"code": 429, "message": "slow down"}}, 429),
        ({"error": {"code": "429", "message": "slow down"}}, 429),
        ({"error": {"code": "rate_limit_exceeded", "message": "slow down"}}, 429),
        ({"error": {"type": "overloaded_error", "message": "later"}}, 503),
        ({"error": {"code": "context_length_exceeded", "message": "too much"}}, 400),
        ({"error": {"message": "This model's maximum context length is 5 tokens"}}, 400),
        ({"error": "something broke"}, 500),
        ({"object": "error", "message": "bad", "code": 400}, 400),
        ([{"error": {"code": 503, "message": "x"}}], 503),
        ({"error": {"type": "authentication_error", "message": "x"}}, 401),
        ({"choices": [{}], "error": None}, None),
        ({"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "x"}}]}, 502),
        ({"choices": [{"error": {"code": 429, "message": "x"}, "message": {"content": ""}}]}, 429),
        ({"choices": [{"finish_reason": "error", "delta": {}}], "error": {"code": 503, "message": "x"}}, 503),
        ({"choices": [{"finish_reason": "stop", "error": {"code": 502}}], "error": {"code": 502}}, None),
        ({"choices": 3, "error": {"code": 502}}, None),
        ({"code": 500, "msg": "no such thing", "success": False}, 500),
        ({"code": 200, "msg": "ok", "data": [{"id": "tiny"}]}, None),
        ({"base_resp": {"status_code": 0, "status_msg": "x"}}, None),
        ({"choices": None, "base_resp": {"status_code": 1004, "status_msg": "x"}}, 500),
        ({"choices": []}, None),
    ],
    ids=json.dumps,
)
def test_an_error_object_is_an_error_of_its_status(body: Any, status: int | None) -> None:
    """Whatever HTTP said."""
    found = error_in_document(body)
    assert (found and found.status) == status


def test_a_rate_limit_in_a_200_is_waited_for() -> None:
    """And not counted as a failure."""
    answers = [{"choices": None, "error": {"code": 429, "message": "slow down"}}, json.loads(_completion())]

    async def handle(exchange: Exchange) -> None:
        await exchange.send_json(answers.pop(0))

    assert _ask_raw(handle) == Reply("x", "", "stop", 3, 1)


def test_an_overflow_in_a_200_is_the_models() -> None:
    """As in a 400."""
    body = json.dumps({"error": {"code": "context_length_exceeded", "message": "too long"}}).encode()
    assert isinstance(_ask_raw(_answer(body)), ContextOverflowError)


@pytest.mark.parametrize(
    ("message", "end", "reply"),
    [
        ({"content": None}, "stop", Reply("", "", "stop")),
        ({"content": [{"type": "text", "text": "a"}, "b"]}, "stop", Reply("ab", "", "stop")),
        ({"content": {"type": "text", "text": "a"}}, "stop", Reply("a", "", "stop")),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"text": "a"}]},
            "stop",
            Reply("a", "hm", "stop"),
        ),
        ({"content": "\ud83d\ude00"}, "stop", Reply("\U0001f600", "", "stop")),
        ({"content": "\ud83d!"}, "stop", Reply("\ud83d!", "", "stop")),
        (None, "content_filter", Reply("", "", "content_filter", withheld="content_filter")),
        ({"content": ""}, "content_filter", Reply("", "", "content_filter", withheld="content_filter")),
        (
            {"content": None, "refusal": "No."},
            "stop",
            Reply("", "", "stop", withheld="refusal", withheld_content="No."),
        ),
        (
            {"content": None, "tool_calls": [{"id": 1}]},
            "tool_calls",
            Reply("", "", "tool_calls", withheld="tool_calls", withheld_content='[[{"id": 1}]]'),
        ),
        ({"content": "a", "tool_calls": [{"id": 1}]}, "stop", Reply("a", "", "stop")),
    ],
    ids=str,
)
def test_legal_contents_are_read_and_withheld_ones_are_named(message: Any, end: str, reply: Reply) -> None:
    """The trajectory keeps them as they are."""
    (found,) = read_replies({"choices": [{"index": 0, "message": message, "finish_reason": end}]})
    assert found == reply
    assert from_json(Reply, json.loads(json.dumps(to_json(found)))) == found


def test_a_filter_that_refuses_with_an_error_withholds() -> None:
    """As hosted services do: an outcome, with its words."""
    body = {"error": {"code": "content_filter", "message": "The response was filtered"}}
    found = _ask_raw(_answer(json.dumps(body).encode(), status=400))
    assert isinstance(found, Reply) and found.withheld == "content_filter" and "filtered" in found.withheld_content


def test_half_a_character_is_replaced_where_it_is_sent() -> None:
    """And two halves side by side are that character."""
    messages = [Message("assistant", "reply", "", "a\ud83d b \ud83d\ude00")]
    assert to_chat(messages)[0]["content"] == "a\ufffd b \U0001f600"


def test_a_key_stands_in_no_error() -> None:
    """Although the server repeats it."""
    found = _ask_raw(_answer(b'{"error": "wrong key sk-very-secret"}', status=401), api_key="sk-very-secret")
    assert isinstance(found, TurnwiseError) and "***" in str(found) and "secret" not in str(found)


def test_request_fields_are_added_renamed_and_left_out() -> None:
    """As docs/models.md says."""
    fields = RequestFields.parse('{"max_tokens": {"as": "max_completion_tokens"}, "seed": null, "min_p": 0.05}')
    sent = fields.apply({"model": "m", "max_tokens": 64, "seed": 7})
    assert sent == {"model": "m", "max_completion_tokens": 64, "min_p": 0.05}
    assert fields.limit_of(64) == 64 and fields.limit_of(None) is None
    assert RequestFields.parse('{"max_completion_tokens": 32}').limit_of(None) == 32
    assert RequestFields.parse('{"max_tokens": null}').limit_of(64) is None


@pytest.mark.parametrize(
    "given",
    ['{"messages": []}', '{"model": "x"}', '{"n": 2}', '{"stream": true}', '{"x": {"as": "n"}}', '{"api_key": "s"}',
     '{"a": [{"b": {"Api_Key": "s"}}]}', '{"seed": {"as": "Authorization"}}',
     '{"seed": 3}', "[1]", "{", '{"a": NaN}', '{"a": [1e999]}', '{"a": 1, "b": {"as": "a"}}',
     '{"max_tokens": {"az": "max_completion_tokens"}}', '{"temperature": {"as": 1}}', '{"presence_penalty": {}}'],
)  # fmt: skip
def test_fields_that_cannot_be_changed_are_refused(given: str) -> None:
    """With one sentence."""
    with pytest.raises(TurnwiseError, match="--model_args request"):
        RequestFields.parse(given)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "error", "code", "usage", "prompt_tokens", "index", "finish_reason",
                 "token_ids", "logprobs", "detail", "text", "type", "tool_calls", "refusal", "loc", "delta"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


def _read_anything(data: bytes) -> None:
    """Read ``data`` as an answer and as an error; only what callers expect may be raised, and replies are readable."""
    assert error_of_answer(500, "X", {}, data).words
    try:
        document = read_document(data)
        if error_in_document(document) is not None:
            return
        replies = read_replies(document)
    except MalformedError:
        return
    for reply in replies:
        assert from_json(Reply, json.loads(json.dumps(to_json(reply), allow_nan=False))) == reply


@given(_JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_answer_is_a_reply_or_a_failed_request(data: bytes) -> None:
    """Made of the words that answers are made of."""
    _read_anything(data)


@pytest.mark.long
@given(_JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200))
@settings(max_examples=20_000, deadline=None)
def test_very_many_answers_are_replies_or_failed_requests(data: bytes) -> None:
    """The same, for longer."""
    _read_anything(data)


def _run(
    tmp_path: Path, cache_dir: Path, server: ChatServer, *options: str, arguments: str = "", status: int = 0
) -> str:
    command = [sys.executable, "-m", "turnwise", "run", "-M", "openai", "-o", str(tmp_path / "run")]
    command += ["-t", "sample_mbpp_plus_multiturn", "-L", "2", "-a", f"base_url={server.base_url}{arguments}", *options]
    environment = dict(os.environ, TURNWISE_CACHE=str(cache_dir))
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == status and "Traceback" not in ran.stderr, ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.slow
def test_odd_replies_leave_a_folder_that_can_be_read(tmp_path: Path, cache_dir: Path) -> None:
    """Half an emoji goes through all turns; what was withheld and cut is named in the table; resuming works."""

    def answer(body: dict[str, Any]) -> Completion:
        return Completion(f"{CODE} \ud83d" if len(body["messages"]) == 1 else None, finish_reason="content_filter")

    with ChatServer(answer) as server:
        arguments = ',request={"seed": null, "max_tokens": {"as": "max_completion_tokens"}, "min_p": 0.1}'
        said = _run(tmp_path, cache_dir, server, "--gen_kwargs", "max_gen_toks=64", arguments=arguments)
        assert said.count("\N{DAGGER}") >= 2 and "2 content_filter" in said
        _run(tmp_path, cache_dir, server, "--gen_kwargs", "max_gen_toks=64", arguments=arguments)
        estimate = _run(
            tmp_path / "dry", cache_dir, server, "--gen_kwargs", "max_gen_toks=64", "--dry-run", arguments=arguments
        )
    assert "Completion tokens: at most 384." in estimate
    assert all("seed" not in body and body["max_completion_tokens"] == 64 for body in server.bodies)
    assert any("\ufffd" in message["content"] for body in server.bodies for message in body["messages"])
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert json.loads(record["model"]["request"])["min_p"] == 0.1


@pytest.mark.slow
@pytest.mark.parametrize("strict", [False, True])
def test_a_prompt_that_is_cut_silently_is_noticed(tmp_path: Path, cache_dir: Path, strict: bool) -> None:
    """Marked and counted; with --strict-context it outgrew the context."""
    with ChatServer(lambda body: Completion(CODE, prompt_tokens=11)) as server:
        said = _run(tmp_path, cache_dir, server, *(["--strict-context"] if strict else []))
    if strict:
        assert "2 of 2 dialogues outgrew the model's context" in said
    else:
        assert "in 2 of 2 dialogues the server cut the prompt" in said and "\N{DAGGER}" in said


@pytest.mark.slow
def test_failed_requests_are_told_each_once(tmp_path: Path, cache_dir: Path) -> None:
    """Those alike but for a number are alike."""
    reasons = iter(["no role 1", "no field", "no role 2", "no field"])
    with ChatServer(lambda body: Fault("status", 400, error={"message": next(reasons)})) as server:
        said = _run(tmp_path, cache_dir, server, "--metadata", '{"samples_per_problem": 2}', status=0)
    assert said.count("no role") == 1 and said.count("no field") == 1


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/v1/models", {"data": [{"id": "tiny", "max_model_len": 4096}]}),
        ("/v1/models", {"data": [{"id": "tiny", "meta": {"n_ctx": 4096}}]}),
        ("/props", {"default_generation_settings": {"n_ctx": 4096}}),
        ("/nowhere", {}),
    ],
    ids=str,
)
def test_the_length_of_the_context_is_read_where_it_is_told(path: str, page: Any) -> None:
    """In the list of models, or on llama.cpp's own page."""

    async def handle(exchange: Exchange) -> None:
        if exchange.path == path:
            await exchange.send_json(page)
        elif exchange.path == "/v1/models":
            await exchange.send_json({"data": [{"id": "tiny"}]})
        else:
            await exchange.send_json({"detail": "Not Found"}, status=404)

    with threaded_server(handle) as base_url:
        server = Server(base_url, "tiny")
        found = context_length(server, served_models(server, timeout=10), timeout=10)
    assert found == (None if path == "/nowhere" else 4096)


def test_a_served_model_whose_name_is_no_text_is_left_out() -> None:
    """Half a character in it would end the run where it is recorded."""

    async def handle(exchange: Exchange) -> None:
        await exchange.send_json({"data": [{"id": "\ud83d"}, {"id": "tiny"}]})

    with threaded_server(handle) as base_url:
        served = served_models(Server(base_url, ""), timeout=10)
    assert [one.name for one in served] == ["tiny"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("base_url=http://me:secret@[::1/v1?key=secret,model=tiny", r"base_url is '\[::1/v1', which is no address"),
        ("base_url=http://me:secret@host:99999/v1?key=secret,model=tiny", "is 'http://host:99999/v1', which is no"),
    ],
)
def test_an_address_that_is_none_is_one_sentence(arguments: str, words: str) -> None:
    """It is told before anything is asked, without what is secret in it."""
    with pytest.raises(TurnwiseError, match=words) as caught:
        find_back_end("openai").open(Wanted(arguments, tasks=[TASKS["sample_taco_multiturn"]]))
    assert "secret" not in str(caught.value)


def test_a_model_whose_name_is_no_text_is_refused() -> None:
    """It could neither be sent nor recorded."""
    with pytest.raises(TurnwiseError, match=r"model='m.udcff' holds what UTF-8 cannot"):
        Server("http://localhost/v1", "m\udcff").with_model([])


def test_a_page_in_place_of_the_models_is_another_address() -> None:
    """Something answers there, so starting the server is no remedy."""

    async def handle(exchange: Exchange) -> None:
        await exchange.send_bytes(b"<html>Welcome</html>")

    with (
        threaded_server(handle) as base_url,
        pytest.raises(TurnwiseError, match=r"no model's server answers .*Welcome.: mend base_url"),
    ):
        served_models(Server(base_url, ""), timeout=10)
