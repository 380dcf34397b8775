"""Prompts that begin with the token ids that a model had and sampled before, by templates as models have them."""

import logging
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers", reason="transformers is not installed: pip install 'turnwise[hf]'")

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from turnwise.records.trajectory import Context, Message
from turnwise.runners.models.chat import ChatTemplate, Prompt
from turnwise.runners.models.sampler import ContextOverflowError

LLAMA = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n"
    "{{ message.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
QWEN = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QWEN_THINKING = (
    "{% for message in messages %}{% set content = message.content %}"
    "{% if message.role == 'assistant' and '</think>' in content %}"
    "{% set content = content.split('</think>')[-1].lstrip('\n') %}{% endif %}"
    "<|im_start|>{{ message.role }}\n{{ content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% for message in messages %}"
    "<start_of_turn>{{ 'model' if message.role == 'assistant' else message.role }}\n"
    "{{ message.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}[INST] {{ message.content }}[/INST]"
    "{% else %} {{ message.content | trim }} {{ eos_token }}{% endif %}{% endfor %}"
)
DEEPSEEK = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}<|User|>{{ message.content }}"
    "{% else %}<|Assistant|>{{ message.content.split('</think>')[-1] }}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|Assistant|><think>\n{% endif %}"
)
GLM = (
    "{% for message in messages %}<|{{ message.role }}|>\n{{ message.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
COHERE = (
    "{% for message in messages %}<|START|>{{ message.role }}<|BEGIN|>{{ message.content }}<|STOP|><|END|>{% endfor %}"
    "{% if add_generation_prompt %}<|START|>assistant<|BEGIN|>{% endif %}"
)
# A template with its special tokens; the first of them ends a reply.
FAMILIES = {
    "llama": (LLAMA, ["<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<s>", "<|end_of_text|>"]),
    "qwen": (QWEN, ["<|im_end|>", "<|im_start|>", "<|endoftext|>"]),
    "qwen_thinking": (QWEN_THINKING, ["<|im_end|>", "<|im_start|>"]),
    "gemma": (GEMMA, ["<end_of_turn>", "<start_of_turn>", "<s>"]),
    "mistral": (MISTRAL, ["</s>", "<s>", "[INST]", "[/INST]"]),
    "deepseek": (DEEPSEEK, ["<|eos|>", "<s>", "<|User|>", "<|Assistant|>"]),
    "glm": (GLM, ["<|user|>", "<|assistant|>", "<|system|>"]),
}
APPEND_ONLY = [name for name in FAMILIES if name != "deepseek"]
CODE = "```python\n    print('é 中')\n```"


def _tokenizer(template: str, special: Sequence[str], *, eos: str = "") -> Any:
    """A tokenizer of bytes and of three longer pieces, so that a text has more than one split."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = ["pr", "in", "prin"]
    vocabulary = {piece: number for number, piece in enumerate([*alphabet, *pieces])}
    bpe = Tokenizer(models.BPE(vocab=vocabulary, merges=[("p", "r"), ("i", "n"), ("pr", "in")]))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.add_special_tokens([AddedToken(one, special=True, normalized=False) for one in special])
    bos = {"bos_token": "<s>"} if "<s>" in special else {}
    fast = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=eos or special[0], **bos)
    fast.chat_template = template
    return fast


def _template(name: str, **options: Any) -> tuple[ChatTemplate, Any]:
    template, special = FAMILIES[name]
    tokenizer = _tokenizer(template, special)
    return ChatTemplate(tokenizer, **{"max_length": 4096, "max_tokens": 64, **options}), tokenizer


def _ask(text: str) -> Message:
    return Message("user", "statement", "statement", text)


def _said(text: str) -> Message:
    return Message("assistant", "reply", "", text)


def _bytes(tokenizer: Any, text: str) -> tuple[int, ...]:
    """The ids of ``text``, a byte each, as no tokenizer with longer pieces would split it."""
    return tuple(one for character in text for one in tokenizer(character, add_special_tokens=False)["input_ids"])


def _go_on(template: ChatTemplate, replies: Iterable[tuple[str, tuple[int, ...]]]) -> list[tuple[Prompt, Context]]:
    """Every prompt of a dialogue with the context it was made after, and what came of its reply."""
    messages = [_ask("Print it.")]
    prompts: list[tuple[Prompt, Context]] = []
    after = None
    for text, token_ids in replies:
        prompt = template.render(messages, after)
        after = Context(tuple(prompt.token_ids), token_ids)
        prompts.append((prompt, after))
        messages += [_said(text), _ask(f"No: {text}")]
    prompt = template.render(messages, after)
    return [*prompts, (prompt, Context(tuple(prompt.token_ids), ()))]


@pytest.mark.parametrize("name", APPEND_ONLY)
def test_what_was_sampled_stays_as_it_was(name: str) -> None:
    """Also where it is not how the tokenizer splits the text; the text is that of a prompt encoded afresh."""
    template, tokenizer = _template(name)
    end = tokenizer.eos_token_id
    sampled = (*_bytes(tokenizer, CODE), end)
    assert sampled != template.complete([_ask("Print it.")], CODE)  # "prin" is a piece
    (first, _), *later = _go_on(template, [(CODE, sampled)] * 3)
    assert not first.continues and len(later) == 3
    before = (*first.token_ids, *sampled)
    for prompt, context in later:
        assert prompt.continues and tuple(prompt.token_ids[: len(before)]) == before
        before = (*prompt.token_ids, *context.reply)
    messages = [_ask("Print it."), *[_said(CODE), _ask(f"No: {CODE}")] * 3]
    fresh = template.render(messages)
    assert not fresh.continues and fresh.token_ids != later[-1][0].token_ids
    texts = [tokenizer.decode(ids) for ids in (fresh.token_ids, later[-1][0].token_ids)]
    assert texts[0].replace(" </s>", "</s>").replace("[/INST] ", "[/INST]") == texts[1]  # white space about a reply


@pytest.mark.parametrize("name", APPEND_ONLY)
@pytest.mark.parametrize("text", [CODE, "", " \n", f"\n {CODE} \n\n", "<|x|> </s", "\ufffd"])
def test_the_end_of_a_turn_stands_once(name: str, text: str) -> None:
    """A reply that was cut lacks it, and the template adds it; one that ends with it has it already."""
    template, tokenizer = _template(name)
    end = tokenizer.eos_token_id
    messages = [_ask("Print it."), _said(text), _ask("Go on.")]
    prompt = tuple(template.render(messages[:1]).token_ids)
    whole = template.complete(messages[:1], text)
    cut = whole[:-1]
    assert whole[-1] == end and tokenizer.decode(cut) == text
    ended, added = (template.render(messages, Context(prompt, reply)) for reply in (whole, cut))
    assert ended.continues and added.continues
    if name != "mistral":  # which writes white space before it
        assert ended.token_ids == added.token_ids
    assert ended.token_ids[len(prompt) + len(cut) :].count(end) == template.render(messages).token_ids.count(
        end
    ) - prompt.count(end)
    assert ended.token_ids[: len(prompt) + len(whole)] == [*prompt, *whole]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_completed_reply_is_what_the_template_itself_would_write(name: str) -> None:
    """Its text and the end of the model's turn; nothing of a thought that the template opens."""
    template, tokenizer = _template(name)
    opened = "<think>\n" if name == "deepseek" else ""
    ids = template.complete([_ask("Print it.")], f"{opened}{CODE}")
    assert tokenizer.decode(ids) == CODE + tokenizer.eos_token
    assert ids == template.complete([_ask("Another."), _said("x"), _ask("y")], f"{opened}{CODE}")


def test_a_turn_may_end_with_more_than_one_token() -> None:
    """Up to the tokenizer's own end; what a cut reply has of it is not said again."""
    tokenizer = _tokenizer(COHERE, ["<|STOP|>", "<|END|>", "<|START|>", "<|BEGIN|>"], eos="<|END|>")
    template = ChatTemplate(tokenizer, max_length=4096, max_tokens=None)
    messages = [_ask("Print it."), _said("x"), _ask("Go on.")]
    whole = template.complete(messages[:1], "x")
    assert tokenizer.decode(whole) == "x<|STOP|><|END|>"
    prompt = tuple(template.render(messages[:1]).token_ids)
    prompts = [template.render(messages, Context(prompt, whole[:length])) for length in (1, 2, 3)]
    assert all(one.continues and one.token_ids == template.render(messages).token_ids for one in prompts)


def test_a_reply_that_ends_otherwise_stays_and_is_ended() -> None:
    """With the end of a text, or in the middle of what looks like a turn: it is what the model said."""
    for name, token in (("llama", "<|end_of_text|>"), ("qwen", "<|endoftext|>"), ("qwen", "<|im_start|>")):
        template, tokenizer = _template(name)
        messages = [_ask("Print it."), _said("x"), _ask("Go on.")]
        reply = (*_bytes(tokenizer, "x"), tokenizer.convert_tokens_to_ids(token))
        prompt = template.render(messages, Context(tuple(template.render(messages[:1]).token_ids), reply))
        fresh = tokenizer.decode(template.render(messages).token_ids)
        end = f"x{tokenizer.eos_token}"
        assert prompt.continues and tokenizer.decode(prompt.token_ids) == fresh.replace(end, f"x{token}{end[1:]}", 1)


@pytest.mark.parametrize(
    ("sampled", "text", "goes_on"),
    [
        ("x STOP", "x", True),
        ("x STOP", "x ", True),
        (" \n", "", True),
        ("<think>Well.</think>x", "x", False),
        ("<think>\nWell", "", False),
        ("x<think>Well.</think>", "x", False),
        ("Well.</think>x", "x", False),
        ("y", "x", False),
        ("STOP", "", False),
    ],
)
def test_a_history_without_what_was_sampled_is_encoded_anew(sampled: str, text: str, goes_on: bool) -> None:
    """Its thinking, above all; what a stop cut off stays, since the model has said it, and its turn is ended."""
    template, tokenizer = _template("qwen")
    messages = [_ask("Print it."), _said(text), _ask("Go on.")]
    prompt = tuple(template.render(messages[:1]).token_ids)
    later = template.render(messages, Context(prompt, _bytes(tokenizer, sampled)))
    assert later.continues is goes_on
    assert (f"{sampled}<|im_end|>\n<|im_start|>user\nGo on." in tokenizer.decode(later.token_ids)) is goes_on
    assert goes_on or later == template.render(messages)


def test_a_template_that_ends_no_reply_only_goes_on() -> None:
    """The end token that the model said stays where it is."""
    source = "{% for message in messages %}### {{ message.role }}:\n{{ message.content }}\n{% endfor %}### assistant:\n"
    tokenizer = _tokenizer(source, ["</s>"])
    template = ChatTemplate(tokenizer, max_length=4096, max_tokens=None)
    messages = [_ask("Print it."), _said("x"), _ask("Go on.")]
    prompt = tuple(template.render(messages[:1]).token_ids)
    later = template.render(messages, Context(prompt, template.complete(messages[:1], "x")))
    assert later.continues and tokenizer.decode(later.token_ids[len(prompt) :]) == (
        "x</s>\n### user:\nGo on.\n### assistant:"
    )


def test_a_template_that_edits_what_was_said_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Its thoughts, and how it opens the answer; what it only trims stays."""
    template, tokenizer = _template("deepseek")
    replies = [(CODE, (*_bytes(tokenizer, CODE), tokenizer.eos_token_id))] * 2
    with caplog.at_level(logging.WARNING):
        template.render([_ask("x")])
        assert not caplog.records
        template.render([_ask("x"), _said("y"), _ask("z")])  # a thought was left out, so that nothing is to go on from
        assert len(caplog.records) == 1
        prompts = [prompt for prompt, _ in _go_on(template.with_max_tokens(3), replies)]
        prompts += [prompt for prompt, _ in _go_on(template, replies)]
    assert not any(prompt.continues for prompt in prompts)
    messages = [_ask("Print it."), _said(CODE), _ask(f"No: {CODE}")]
    assert prompts[-2].token_ids == template.render(messages).token_ids
    assert [record.message for record in caplog.records] == [
        "The chat template of '' edits what was said before, so the prompts of later turns are encoded anew: their "
        "token ids do not begin with those that were sampled."
    ]


def test_a_reply_that_the_template_edits_is_encoded_anew() -> None:
    """It names the end of a thought; the next reply, which does not, goes on from there."""
    template, tokenizer = _template("qwen_thinking")
    end = tokenizer.eos_token_id
    quoting = "It prints `</think>`."
    replies = [(quoting, (*_bytes(tokenizer, quoting), end)), (CODE, (*_bytes(tokenizer, CODE), end))]
    first, second, third = (prompt for prompt, _ in _go_on(template, replies))
    assert (first.continues, second.continues, third.continues) == (False, False, True)
    plain = [(CODE, (*_bytes(tokenizer, CODE), end))] * 2
    assert [prompt.continues for prompt, _ in _go_on(template, plain)] == [False, True, True]


def test_room_is_counted_in_the_ids_that_the_model_has() -> None:
    """A reply of single bytes takes more of the context than its text encoded afresh."""
    template, tokenizer = _template("qwen", max_length=120)
    text = "prin" * 20
    messages = [_ask("x"), _said(text), _ask("y")]
    prompt = template.render(messages[:1])
    reply = (*_bytes(tokenizer, text), tokenizer.eos_token_id)
    assert len(template.render(messages).token_ids) < 120
    after = Context(tuple(prompt.token_ids), reply)
    with pytest.raises(ContextOverflowError, match=r"1\d\d tokens leave no room for a reply in 120"):
        template.render(messages, after)
    exact = _template("qwen")[0].render(messages, after)
    assert exact.max_tokens == 64 and len(exact.token_ids) >= 120


# Of TRL's templates of models that are asked here: whether a plain dialogue only grows.
TRL = {
    "llama3": True,
    "llama3_1": True,
    "llama3_2": True,
    "qwen2_5": True,
    "qwen3": True,
    "qwen3_instruct_2507": True,
    "gemma": True,
    "gemma3": True,
    "phi3": True,
    "cohere": True,
    "glm4moe": False,
    "deepseekv3": False,
    "deepseek_r1_distill": False,
    "qwen3_5_think": False,
}


@pytest.mark.parametrize(("name", "is_append_only"), TRL.items())
def test_real_templates_are_understood(name: str, is_append_only: bool) -> None:
    """A template either keeps what was sampled, as its text says, or everything is encoded afresh."""
    found = find_spec("trl")
    if found is None or found.origin is None:
        pytest.skip("trl is not installed: pip install 'turnwise[train]'")
    source = Path(found.origin).with_name("chat_templates") / f"{name}.jinja"
    special = [
        "<|eot_id|>",
        "<|im_end|>",
        "<end_of_turn>",
        "<|end|>",
        "<|END_OF_TURN_TOKEN|>",
        "<|user|>",
        "<\N{FULLWIDTH VERTICAL LINE}end▁of▁sentence\N{FULLWIDTH VERTICAL LINE}>",
    ]
    special += ["<|start_header_id|>", "<|end_header_id|>", "<|im_start|>", "<start_of_turn>", "<s>", "<|assistant|>"]
    text = source.read_text()
    end = next(one for one in special if one in text or one == special[6])
    tokenizer = _tokenizer(text, special, eos=end)
    template = ChatTemplate(tokenizer, max_length=4096, max_tokens=64)
    ids = (*_bytes(tokenizer, CODE), tokenizer.eos_token_id)
    (first, _), (second, _), (third, _) = _go_on(template, [(CODE, ids)] * 2)
    assert (first.continues, second.continues, third.continues) == (False, is_append_only, is_append_only)
    assert template.complete([_ask("x")], CODE)[-1] == tokenizer.eos_token_id
    messages = [_ask("Print it."), _said(CODE), _ask(f"No: {CODE}"), _said(CODE), _ask(f"No: {CODE}")]
    assert tokenizer.decode(third.token_ids) == tokenizer.decode(template.render(messages).token_ids)
