"""Learning from feedback in miniature: problems, a model of 0.1 million weights, and what it knows before it is tuned.

A problem says "mul 7", or "mul k" and leaves k to its test, so that feedback tells what the statement does not. The
model's tokenizer has the lines of our prompts as tokens, so that a real dialogue costs about 40. The prior has learnt
from a scripted writer to answer in the right form, and seldom to use what it is told.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from turnwise.records.run_folder import RunFolder
from turnwise.records.trajectory import Trajectory

OPERATIONS = {"add": "+", "sub": "-", "mul": "*"}
NUMBERS = range(1, 10)
OPENING, CLOSING = "```python\nprint(int(input())", ")\n```"
MARKS = ["<|user|>", "<|assistant|>", "<|end|>"]
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TURNS = 3


def write_problems(folder: Path) -> tuple[Path, Path]:
    """Write the problems as a benchmark for training and, the same ones, as one for testing; return their files."""
    rows = [_row(name, number, is_told) for is_told in (False, True) for name in OPERATIONS for number in NUMBERS]
    files = folder / "toy_train.jsonl", folder / "toy.jsonl"
    for file in files:
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return files


def _row(name: str, number: int, is_told: bool) -> dict[str, object]:
    calculate = {"add": lambda x: x + number, "sub": lambda x: x - number, "mul": lambda x: x * number}[name]
    tests = [{"input": str(x), "output": str(calculate(x))} for x in (int(name == "mul"), 2, 5, 8)]
    return {
        "name": _name(name, number, is_told),
        "statement": f"{name} {number if is_told else 'k'}",
        "public_tests": tests[:1],
        "hidden_tests": tests[1:],
        "time_limit_seconds": 2.0,
        "memory_limit_bytes": 2**28,
        "solutions": [f"print(int(input()){OPERATIONS[name]}{number})"],
    }


def _name(name: str, number: int, is_told: bool) -> str:
    return f"{name}-{number}-{'told' if is_told else 'hidden'}"


def write_answers(file: Path, *, samples: int, seed: int = 0, grounded: float = 0.12, invalid: float = 0.05) -> None:
    """Write what the scripted writer answers: its first guess, and others, ``grounded`` of which use the feedback."""
    draw = random.Random(seed)
    lines = []
    for is_told, name, number in product((False, True), OPERATIONS, NUMBERS):
        for _ in range(samples):
            turns = []
            for turn in range(TURNS):
                knows = is_told if turn == 0 else draw.random() < grounded
                turns.append(_answer(draw, name, number if knows else draw.choice(NUMBERS), invalid))
            problem = f"toy/{_name(name, number, is_told)}"
            lines.append(json.dumps({"problem": problem, "turns": turns}) + "\n")
    file.write_text("".join(lines))


def _answer(draw: random.Random, name: str, number: int, invalid: float) -> str:
    program = f"{OPENING}{OPERATIONS[name]}{number}{CLOSING}"
    if draw.random() >= invalid:
        return program
    return draw.choice(
        [f"{OPENING}{OPERATIONS[name]}{CLOSING}", program.replace("```python\n", "").removesuffix("```")]
    )


def write_incorrect_programs(file: Path) -> None:
    """Write two wrong programs for each problem, of which the feedback ``random`` is made."""
    lines = []
    for is_told, name, number in product((False, True), OPERATIONS, NUMBERS):
        for wrong in (number % 9 + 1, (number + 4) % 9 + 1):
            program = f"print(int(input()){OPERATIONS[name]}{wrong})"
            lines.append(json.dumps({"problem": _name(name, number, is_told), "program": program}) + "\n")
    file.write_text("".join(lines))


def trajectories_of(run: Path) -> list[Trajectory]:
    """Return the dialogues of a run's only task."""
    folder = RunFolder(run)
    return list(folder.trajectories(folder.record.tasks[0].task))


def make_tokenizer(dialogues: Sequence[Trajectory], folder: Path) -> None:
    """Write a tokenizer whose tokens are bytes, frequent pairs of them, and the lines that prompts have in common."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    texts = list(_texts(dialogues))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=380, show_progress=False, special_tokens=MARKS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(texts[:2000], trainer)
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in _pieces(texts)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)


def _texts(dialogues: Sequence[Trajectory]) -> Iterator[str]:
    for dialogue in dialogues:
        for turn in dialogue.turns:
            for call in turn.calls:
                yield from (message.content for message in call.messages)
                yield call.reply.text


def _pieces(texts: Sequence[str]) -> list[str]:
    """Return the lines that many texts have in common, numbers and statements left out, and the frame of a program."""
    counts = Counter(line for text in texts for line in text.splitlines(keepends=True))
    frequent = [line for line, count in counts.items() if count > len(texts) / 100 and len(line) > 6]
    fixed = [line for line in frequent if "input()" not in line and line.split()[0] not in OPERATIONS]
    return [OPENING, CLOSING, *sorted(fixed)]


def make_model(folder: Path, *, seed: int = 0) -> None:
    """Write a model of random weights beside the tokenizer in ``folder``."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0},
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
        initializer_range=0.1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def teach_prior(folder: Path, dialogues: Sequence[Trajectory], *, steps: int, seed: int = 0) -> float:
    """Teach the model in ``folder`` to answer as in ``dialogues``, each reply of them; return the last loss.

    Problems whose statements hold the number are shown less often, or the model would learn from them alone.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    shown = [dialogue for dialogue in dialogues if dialogue.problem.endswith("hidden") or dialogue.sample % 3 == 0]
    encoded = [_encode(tokenizer, dialogue) for dialogue in shown]
    rows = [row for row in encoded if len(row[0]) <= 70]
    torch.manual_seed(seed)
    draw, optimizer = random.Random(seed), torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    loss = 0.0
    for step in range(steps):
        batch = [rows[draw.randrange(len(rows))] for _ in range(64)]
        longest = max(len(token_ids) for token_ids, _ in batch)
        ids = torch.tensor([token_ids + [0] * (longest - len(token_ids)) for token_ids, _ in batch])
        labels = torch.tensor([learnt + [-100] * (longest - len(learnt)) for _, learnt in batch])
        mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one, _ in batch])
        found = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * max(0.1, 1 - step / steps)
        loss = found.item()
    model.save_pretrained(folder)
    return loss


def _encode(tokenizer: Any, dialogue: Trajectory) -> tuple[list[int], list[int]]:
    token_ids: list[int] = []
    labels: list[int] = []
    for turn in dialogue.turns:
        for call in turn.calls:
            asked = "\n\n".join(message.content for message in call.messages)
            prompt = tokenizer(f"<|user|>{asked}<|end|><|assistant|>")["input_ids"]
            reply = tokenizer(f"{call.reply.text}<|end|>")["input_ids"]
            token_ids += prompt + reply
            labels += [-100] * len(prompt) + reply
    return token_ids, labels
