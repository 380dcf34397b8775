"""Rows of token ids and labels: which tokens are learnt, what stays one row, what stays as it was sampled."""

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.records.training import NOT_LEARNT, read_report
from turnwise.records.trajectory import Message
from turnwise.training.data.conversations import Conversation, Exchange
from turnwise.training.data.token_rows import TokenRows

pytest.importorskip("transformers", reason="transformers is not installed: pip install 'turnwise[hf]'")

APPENDS = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}"
    "{% if not loop.last or not continue_final_message %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
# Leaves thinking out of what was said before, and opens it for the reply.
THINKS = APPENDS.replace("{{ message.content }}", "{{ message.content.split('</think>')[-1] }}").replace(
    "%}<|assistant|>{%", "%}<|assistant|><think>\n{%"
)
REFUSES = "{{ raise_exception('no such role') }}"


@pytest.fixture(scope="module")
def tokenizer(make_tokenizer: Callable[..., Any]) -> Any:
    """A tokenizer of bytes whose template only ever appends."""
    return make_tokenizer(APPENDS)


def conversation_of(*replies: str, parts: Sequence[Sequence[int] | None] = ()) -> Conversation:
    """Return a dialogue of a turn for each reply; ``parts`` are the recorded ids of the first ones."""
    messages: list[Message] = []
    exchanges = []
    for number, reply in enumerate(replies):
        messages.append(Message("user", "statement", "", f"Question {number}?"))
        ids = parts[number] if number < len(parts) else None
        exchanges.append(Exchange(tuple(messages), reply, None if ids is None else (tuple(ids),)))
        messages.append(Message("assistant", "reply", "", reply.split("</think>")[-1]))
    return Conversation("t", "b/p", 3, "run", tuple(exchanges))


def rows_in(folder: Path) -> list[dict[str, list[int]]]:
    with gzip.open(folder / "tokens.jsonl.gz", "rt", encoding="ascii") as lines:
        return [json.loads(line) for line in lines]


def learnt(tokenizer: Any, row: Any) -> str:
    return str(tokenizer.decode([label for label in row.labels if label != NOT_LEARNT]))


REPLIES = ("print(1)\n\tx", "no\n\n\n", "  print('é 中 🎈')")


def test_all_replies_or_the_last_one_are_learnt_and_nothing_else(tokenizer: Any) -> None:
    """A dialogue is one row, whose labels are those of the replies with the token that ends each."""
    conversation = conversation_of(*REPLIES)
    (row,) = TokenRows(tokenizer).rows_of(conversation)
    whole = "".join(
        f"<|user|>Question {number}?<|end|><|assistant|>{reply}<|end|>" for number, reply in enumerate(REPLIES)
    )
    assert tokenizer.decode(row.input_ids) == whole
    assert learnt(tokenizer, row) == "".join(f"{reply}<|end|>" for reply in REPLIES)
    assert all(label in (NOT_LEARNT, token) for token, label in zip(row.input_ids, row.labels, strict=True))
    (last,) = TokenRows(tokenizer, learn="last").rows_of(conversation)
    assert last.input_ids == row.input_ids
    assert learnt(tokenizer, last) == REPLIES[-1] + "<|end|>"


def test_sampled_ids_are_never_encoded_again(tokenizer: Any) -> None:
    """What a model sampled byte by byte stays so, with its own end or the template's; ids of others are not taken."""
    text = "print(int)"
    sampled = [tokenizer.convert_tokens_to_ids(one) for one in text]
    encoded = tokenizer(text)["input_ids"]
    assert sampled != encoded
    end = tokenizer.convert_tokens_to_ids("<|end|>")
    for ids in (sampled, [*sampled, end]):
        (row,) = TokenRows(tokenizer).rows_of(conversation_of(text, "ok", parts=[ids]))
        start = row.labels.index(sampled[0])
        assert row.labels[start : start + len(sampled) + 1] == [*sampled, end]
        assert row.labels.count(end) == 2
    for other in (sampled[:-1], [10**6], [-1], [*encoded[:-1], 0]):
        (row,) = TokenRows(tokenizer).rows_of(conversation_of(text, "ok", parts=[other]))
        assert learnt(tokenizer, row) == f"{text}<|end|>ok<|end|>"
        assert row.labels[row.labels.index(encoded[0]) :][: len(encoded)] == encoded


def test_ids_of_a_thought_and_a_reply_are_joined_as_their_texts_are(tokenizer: Any) -> None:
    """The ids of a turn's calls stay as sampled, without the thought's end and with a blank line between."""
    thought, reply = ([tokenizer.convert_tokens_to_ids(one) for one in text] for text in ("int", "print"))
    end = tokenizer.convert_tokens_to_ids("<|end|>")
    exchange = Exchange(
        (Message("user", "statement", "", "Question?"),), "int\n\nprint", ((*thought, end), (*reply, end))
    )
    (row,) = TokenRows(tokenizer).rows_of(Conversation("t", "b/p", 0, "run", (exchange,)))
    assert [label for label in row.labels if label != NOT_LEARNT] == [
        *thought,
        *tokenizer("\n\n")["input_ids"],
        *reply,
        end,
    ]


def test_a_template_that_edits_history_makes_a_row_of_each_call(make_tokenizer: Callable[..., Any]) -> None:
    """Where earlier thinking is left out, each reply is learnt after the prompt that the model then reads."""
    tokenizer = make_tokenizer(THINKS)
    replies = ("<think>\nhm\n</think>\n\nfirst", "<think>\nso\n</think>\n\nlast")
    rows = TokenRows(tokenizer).rows_of(conversation_of(*replies))
    assert [learnt(tokenizer, row) for row in rows] == [
        "hm\n</think>\n\nfirst<|end|>",
        "so\n</think>\n\nlast<|end|>",
    ]
    assert "hm" not in tokenizer.decode(rows[1].input_ids)
    assert tokenizer.decode(rows[1].input_ids).count("<think>") == 1
    (last,) = TokenRows(tokenizer, learn="last").rows_of(conversation_of(*replies))
    assert learnt(tokenizer, last) == "so\n</think>\n\nlast<|end|>"


def test_a_reply_that_is_lost_and_a_template_that_refuses_are_named(make_tokenizer: Callable[..., Any]) -> None:
    """The first dialogue that cannot be encoded ends the command with the dialogue and the remedy."""
    lossy = make_tokenizer(APPENDS)
    from tokenizers import normalizers

    lossy.backend_tokenizer.normalizer = normalizers.Lowercase()
    with pytest.raises(TurnwiseError, match=r"about b/p, sample 3 of the run 'run' back as it was"):
        TokenRows(lossy).rows_of(conversation_of("fine", "Not fine"))
    with pytest.raises(TurnwiseError, match=r"refuses the dialogue about b/p.*no such role"):
        TokenRows(make_tokenizer(REFUSES)).rows_of(conversation_of("fine"))


def test_files_hold_rows_of_the_model_to_train(
    write_run: Callable[..., Path], rft_data: Callable[..., tuple[int, str]], tmp_path: Path, tokenizer: Any
) -> None:
    """With a tokenizer there are rows of ids and labels; longer dialogues are dropped whole and counted, never cut."""
    model = tmp_path / "model"
    tokenizer.save_pretrained(model)
    run = write_run()
    status, said = rft_data(run, "-o", "data", "--tokenizer", model)
    assert (status, "Next: turnwise rft" in said) == (0, True), said
    report = read_report(tmp_path / "data")
    rows = rows_in(tmp_path / "data")
    messages = [json.loads(line) for line in (tmp_path / "data" / "train.jsonl").read_text().splitlines()]
    assert len(rows) == len(messages) == report.files["tokens.jsonl.gz"].rows == 12
    for row, of in zip(rows, messages, strict=True):
        text = "".join(f"<|{one['role']}|>{one['content']}<|end|>" for one in of["messages"])
        assert tokenizer.decode(row["input_ids"]) == text
    lengths = [len(row["input_ids"]) for row in rows]
    file = report.files["tokens.jsonl.gz"]
    assert file.tokens == report.steps[-1].multi.tokens == sum(lengths)
    assert file.labels == sum(label != NOT_LEARNT for row in rows for label in row["labels"])
    assert report.tokenizer is not None and report.tokenizer.name == str(model)
    longest = sorted(lengths)[5]
    status, said = rft_data(run, "-o", "short", "--tokenizer", model, "--max-length", longest, "--learn", "last")
    assert status == 0, said
    short = read_report(tmp_path / "short")
    kept = rows_in(tmp_path / "short")
    fitting = [row["input_ids"] for row in rows if len(row["input_ids"]) <= longest]
    assert [row["input_ids"] for row in kept] == fitting
    assert short.steps[-1].multi.dropped == {"too_long": 12 - len(fitting)}
    assert short.steps[-2].multi.tokens == sum(lengths)
    assert short.files["train.jsonl"].rows == len(fitting)
    assert short.files["tokens.jsonl.gz"].labels < file.labels


def test_a_tokenizer_that_loses_a_reply_leaves_nothing_behind(
    write_run: Callable[..., Path],
    rft_data: Callable[..., tuple[int, str]],
    tmp_path: Path,
    make_tokenizer: Callable[..., Any],
) -> None:
    """What is found only on the way is refused as what is found before: one sentence, and no folder."""
    make_tokenizer(REFUSES).save_pretrained(tmp_path / "model")
    status, said = rft_data(write_run(), "-o", "data", "--tokenizer", tmp_path / "model")
    assert (status, "refuses the dialogue about sums_train/add 0, sample 0" in said) == (2, True), said
    assert not (tmp_path / "data").exists()
