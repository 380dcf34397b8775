"""Ask a real server everything that a run may ask, and things it should not, and keep what it answers.

    python record.py http://127.0.0.1:8000 tiny 2048 "vllm 0.32.0" vllm.json

The arguments: the server without /v1, its model's name, its context in tokens, what it is, where to write. Only
Python's own library is needed. What would name a machine, a day or a request is left out or replaced.
"""

import http.client
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHAT = "/v1/chat/completions"
_DROPPED = re.compile(r"date|x-request-id|.*-ms|.*process-time|connection|keep-alive|server-timing", re.IGNORECASE)
_REPLACED = (
    (re.compile(r'("created"\s*:\s*)[\d.]+'), r"\g<1>0"),
    (re.compile(r'("id"\s*:\s*")((?:chatcmpl|cmpl|req|modelperm|gen)[-_]?)[\w-]+'), r"\g<1>\g<2>0"),
    (re.compile(r"\b((?:chatcmpl|cmpl|req)[-_])[0-9a-f-]{16,}"), r"\g<1>0"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "0"),
    (re.compile(r'("(?:[a-z_]+_ms|[a-z_]+_per_second)"\s*:\s*)[\d.e+-]+'), r"\g<1>1.0"),
    (re.compile(r"(/[\w.+-]+){2,}/([\w.+-]+\.(?:gguf|py|so|jinja))"), r"\g<2>"),
)


def exchanges(model: str, context: int) -> Iterator[tuple[str, str, str, Any]]:
    """Yield name, method, path and body (a document, or bytes as they are) of each request."""
    user = [{"role": "user", "content": "Write a program."}]
    plain = {"model": model, "messages": user, "max_tokens": 8, "seed": 7, "temperature": 0.5}
    long = [{"role": "user", "content": "words " * context}]
    near = [{"role": "user", "content": "x" * (context - 60)}]
    for path in ("/v1/models", "/props", "/health", "/version", "/v1/nowhere"):
        yield f"get {path}", "GET", path, None
    yield "get of a post", "GET", CHAT, None
    yield "tokenize", "POST", "/tokenize", {"model": model, "messages": user}
    yield "plain", "POST", CHAT, plain
    yield "stream", "POST", CHAT, {**plain, "stream": True, "stream_options": {"include_usage": True}}
    details = {"logprobs": True, "return_token_ids": True}
    yield "logprobs", "POST", CHAT, {**plain, **details}
    yield (
        "stream logprobs", "POST", CHAT,
        {**plain, **details, "stream": True, "stream_options": {"include_usage": True}},
    )  # fmt: skip
    more = {
        "three choices": {"n": 3},
        "no choices": {"n": 0},
        "greedy": {"temperature": 0},
        "top_k and top_p": {"top_k": 20, "top_p": 0.9},
        "stop": {"stop": ["a", "e", "\n"]},
        "stop of forty": {"stop": [f"stop {number}" for number in range(40)]},
        "largest seed": {"seed": 2**31 - 1},
        "seed beyond 64 bits": {"seed": 2**70},
        "seed is null": {"seed": None},
        "min_p": {"min_p": 0.1},
        "unknown field": {"no_such_field": 1},
        "max_completion_tokens": {"max_tokens": None, "max_completion_tokens": 4},
        "max_tokens 0": {"max_tokens": 0},
        "max_tokens negative": {"max_tokens": -5},
        "max_tokens beyond the context": {"max_tokens": 10 * context},
        "max_tokens is a text": {"max_tokens": "many"},
        "temperature is a text": {"temperature": "hot"},
        "temperature too high": {"temperature": 50.0},
        "unknown model": {"model": "no-such-model"},
        "no messages": {"messages": []},
        "unknown role": {"messages": [{"role": "nobody", "content": "x"}]},
        "system role": {"messages": [{"role": "system", "content": "Be brief."}, *user]},
        "two turns": {"messages": [*user, {"role": "assistant", "content": "pass"}, *user]},
        "assistant last": {"messages": [*user, {"role": "assistant", "content": "def"}]},
        "continue_final_message": {
            "messages": [*user, {"role": "assistant", "content": "def"}],
            "continue_final_message": True,
            "add_generation_prompt": False,
        },
        "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Write a program."}]}]},
        "content is null": {"messages": [{"role": "user", "content": None}]},
        "content is a number": {"messages": [{"role": "user", "content": 3}]},
        "beyond the basic plane": {"messages": [{"role": "user", "content": "\U0001f600 \u0416 \x00 \x1b"}]},
        "prompt beyond the context": {"messages": long},
        "prompt beyond the context, streamed": {"messages": long, "stream": True},
        "prompt beyond the context without max_tokens": {"messages": long, "max_tokens": None},
        "prompt fits, reply does not": {"messages": near, "max_tokens": 500},
    }
    for name, fields in more.items():
        body = {key: value for key, value in {**plain, **fields}.items() if value is not None or key == "seed"}
        yield name, "POST", CHAT, body
    half = {**plain, "messages": [{"role": "user", "content": "\ud83d"}]}
    yield "half a character", "POST", CHAT, json.dumps(half).encode()
    yield "no JSON", "POST", CHAT, b'{"model": "tiny", "messages": ['
    yield "no UTF-8", "POST", CHAT, b'{"model": "tiny", "messages": [{"role": "user", "content": "\xff\xfe"}]}'
    yield "a list", "POST", CHAT, b"[1, 2]"
    yield "empty body", "POST", CHAT, b""
    yield "plain once more", "POST", CHAT, plain


def scrub(text: str, host: str) -> str:
    """Return ``text`` without what names a machine, a day or a request."""
    text = text.replace(host, "server:8000")
    for pattern, instead in _REPLACED:
        text = pattern.sub(instead, text)
    return text


def ask(address: str, method: str, path: str, body: Any) -> dict[str, Any]:
    """Return what the server answers: status, headers, body."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", "authorization": "Bearer EMPTY"}
    try:
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        answer = response.read()
    except (http.client.HTTPException, OSError) as error:
        return {"broken_off": type(error).__name__}
    finally:
        connection.close()
    kept = {name.lower(): scrub(value, parts.netloc) for name, value in response.getheaders()}
    kept = {name: value for name, value in sorted(kept.items()) if not _DROPPED.fullmatch(name)}
    kept.pop("content-length", None)  # the body may be another one now
    text = scrub(answer.decode("utf-8", "surrogateescape"), parts.netloc)
    return {"status": response.status, "headers": kept, "body": text}


def shortened(body: Any) -> Any:
    """Return a request as it is kept: long texts by their beginning."""
    if isinstance(body, bytes):
        return {"bytes": body.decode("utf-8", "backslashreplace")}
    if isinstance(body, dict):
        return {name: shortened(value) for name, value in body.items()}
    if isinstance(body, list):
        return [shortened(value) for value in body]
    return f"{body[:20]}... ({len(body)} characters)" if isinstance(body, str) and len(body) > 200 else body


def main(address: str, model: str, context: str, server: str, output: str) -> None:
    """Write everything that the server answers to ``output``."""
    answers = []
    for name, method, path, body in exchanges(model, int(context)):
        answer = ask(address, method, path, body)
        answers.append({"name": name, "method": method, "path": path, "request": shortened(body), **answer})
    with Path(output).open("w", encoding="utf-8") as file:
        json.dump({"server": server, "model": model, "context": int(context), "answers": answers}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
