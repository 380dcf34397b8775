"""What reinforcement learning leaves: what a training is of, and a line for each iteration.

    OUT/rlef.json             what the training is of (RlefRecord); other settings, tasks or models are refused
    OUT/iterations.jsonl      a line for each iteration (LoggedIteration)
    OUT/rollouts/N.jsonl      the episodes of iteration N (training/episodes.py), until its update is saved
    OUT/evaluations/N         a run folder: the policy after N iterations, asked as any other model
    OUT/checkpoint-N          what training goes on from; whole once it holds training.json
    OUT/checkpoint            the policy of the end
    OUT/training.html         the curves, rewritten after each iteration

The maths is that of arXiv 2410.02089 (RLEF), section 2 and appendix A. The unit of a reward, a value and an advantage
is a call: one reply of the model. A turn has one, or two where a reasoning prompt is asked first.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.files import inside, read_whole, write_atomically
from turnwise.json_text import json_text
from turnwise.records.codec import from_json, if_set, reason_of, to_json
from turnwise.records.run_folder import TaskRecord
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings
from turnwise.texts import shown

FORMAT = 1
RLEF, ITERATIONS, ROLLOUTS, EVALUATIONS, PAGE = (
    "rlef.json",
    "iterations.jsonl",
    "rollouts",
    "evaluations",
    "training.html",
)
_LARGEST_RECORD, _LARGEST_LOG = 2**28, 2**32  # bytes
_LARGEST_NUMBER = 2**53


@dataclass(frozen=True, slots=True)
class RewardSettings:
    """What a dialogue earns: ``solved`` or ``failed`` at its end, ``invalid`` for an earlier turn without valid code.

    ``invalid_is`` says what that is: ``no_code``, or ``no_code_or_compile_error``. A last turn without valid code has
    ``failed`` alone (the paper leaves this open).
    """

    solved: float = 1.0
    failed: float = -1.0
    invalid: float = -0.2
    invalid_is: str = "no_code_or_compile_error"


@dataclass(frozen=True, slots=True)
class RlefSettings:
    """What decides a reinforcement learning besides model, tasks, dialogues and judge.

    An iteration samples ``rollouts`` dialogues, ``group`` of each problem, and learns each once, in ``minibatches``
    updates. ``value`` is where a value is learnt: at each ``turn`` (a call's last prompt token), each ``token``, or
    ``none`` (rewards to go, whitened). ``tokens_at_a_time`` are those of the rows, padded, that a device takes through
    the model at once. Learning rates rise over ``warmup_updates``. ``mask_cut`` learns nothing from replies that the
    token limit ended. Dialogues that the machine spoiled have no reward; more than ``most_spoiled`` of an iteration
    stop the training. ``rollout_batch`` dialogues are sampled at a time where the engine wants batches.
    """

    profile: str = "rlef-paper"
    iterations: int = 3000
    rollouts: int = 1024
    group: int = 1
    minibatches: int = 4
    learning_rate: float = 2e-7
    weight_decay: float = 0.1
    warmup_updates: int = 50
    beta: float = 0.05
    clip: float = 0.2
    gamma: float = 1.0
    gae_lambda: float = 1.0
    max_gradient_norm: float = 1.0
    value: str = "turn"
    mask_cut: bool = False
    max_length: int = 8192
    max_reply_tokens: int = 2048
    tokens_at_a_time: int = 16_384
    rollout_batch: int = 64
    most_spoiled: float = 0.05
    lora_rank: int = 0
    dtype: str = "bfloat16"
    save_iterations: int = 10
    evaluate_iterations: int = 200
    seed: int = 0
    rewards: RewardSettings = field(default_factory=RewardSettings)


@dataclass(frozen=True, slots=True)
class RlefRecord:
    """rlef.json: what a training is of; equal ones make equal weights on one CPU thread.

    ``dialogues`` are the settings of the rollouts, as a run's; ``model`` is what training begins with, ``rollouts``
    the engine that samples (``hf`` or ``vllm``), ``evaluation`` the settings and names of the tasks that measure it.
    """

    format: int = field(default=FORMAT, kw_only=True)
    turnwise: str
    command: str
    settings: RlefSettings
    model: Mapping[str, str]
    rollouts: str
    dialogues: RunSettings
    judge: JudgeRecord
    prompts: PromptsRecord
    tasks: tuple[TaskRecord, ...]
    evaluation: Mapping[str, RunSettings] = field(default_factory=dict)
    processes: int = 1
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TurnFigures:
    """One turn of an iteration's dialogues: how many had it, solved it and were invalid, and how programs failed.

    ``verdicts`` are counts; ``repaired`` of the ``repairable`` dialogues (wrong at the turn before) are right here;
    ``similarity`` is the mean of that of a program to the one before (0 to 1, difflib), None where there is none.
    """

    dialogues: int
    solved: int
    invalid: int
    verdicts: Mapping[str, int]
    repairable: int = 0
    repaired: int = 0
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class RolloutFigures:
    """What an iteration's dialogues showed; all but ``dialogues`` and ``dropped`` is of those that were not dropped.

    ``dropped`` are those without a reward, by reason: spoiled by the machine, or without a reply. Shares are None where
    there is nothing: ``solved``, ``public_only`` (passed the public tests and failed hidden ones) and ``guessed`` (the
    reward rests on a problem whose kind of answer is guessed: several may be right and one is accepted) of the
    dialogues, ``invalid`` of the turns, ``cut`` of the replies (the token limit ended them), ``drift`` of the later
    calls (they would have had other token ids, had the history been encoded again). ``mean_reward`` is that of the sum
    over a dialogue, ``reply_tokens`` the mean length of a reply. ``non_code`` is the mean over turns of the share of
    characters outside of code blocks; it and similarities are of ``compared`` dialogues, drawn by the seed.
    """

    dialogues: int
    dropped: Mapping[str, int]
    solved: float | None
    invalid: float | None
    public_only: float | None
    guessed: float | None
    mean_reward: float | None
    mean_turns: float | None
    reply_tokens: float | None
    non_code: float | None
    cut: float | None
    drift: float | None
    rows: int
    tokens: int
    sampled_tokens: int
    turns: tuple[TurnFigures, ...] = ()
    compared: int = 0


@dataclass(frozen=True, slots=True)
class UpdateFigures:
    """What an iteration's updates showed: means over their tokens or calls, before the gradient's step.

    ``kl`` is the mean log-ratio of a call (policy over reference), ``kl_tokens`` its sum over a dialogue's tokens.
    ``logprob_gap`` is the largest difference between a token's log-probability when sampled and when learnt.
    ``mean_advantage`` is before whitening; norms of gradients are before they are clipped.
    ``value_error`` is the mean squared difference of value and return, ``explained`` the share of the variance of the
    returns that values explain; both None without values.
    """

    updates: int
    learning_rate: float
    policy_loss: float
    value_loss: float | None
    kl: float
    kl_tokens: float
    entropy: float
    clipped: float
    weight: float
    value_error: float | None
    explained: float | None
    mean_advantage: float
    gradient_norm: float
    value_gradient_norm: float | None
    logprob_gap: float


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long an iteration took, in seconds of wall time; judging runs beside sampling where it can."""

    sampling: float
    judging: float
    update: float
    evaluation: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class LoggedIteration:
    """A line of iterations.jsonl; ``iteration`` is from 1.

    ``evaluations`` are the names of the run folders below OUT/evaluations that were made after it.
    """

    iteration: int
    rollouts: RolloutFigures
    update: UpdateFigures
    seconds: Seconds
    evaluations: tuple[str, ...] = if_set(())


def read_rlef(folder: Path) -> RlefRecord | None:
    """Return what the training in ``folder`` is of, None for none; raises TurnwiseError if it is unreadable."""
    path = inside(folder, RLEF)
    try:
        data = json.loads(read_whole(path, limit=_LARGEST_RECORD, follow=False))
        if isinstance(data, dict) and data.get("format") != FORMAT:
            number, version = shown(data.get("format")), shown(data.get("turnwise"), limit=80)
            raise ValueError(f"format {number} is unknown here; turnwise {version}, which wrote it, reads it")
        return from_json(RlefRecord, data)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise TurnwiseError(
            f"{str(path)!r} cannot be read ({reason_of(error)}): restore it, or give another --output_path."
        ) from None


def write_rlef(folder: Path, record: RlefRecord) -> None:
    """Write rlef.json, whole or not at all."""
    write_atomically(inside(folder, RLEF), json_text(to_json(record), indent=1, ensure_ascii=False) + "\n")


def read_iterations(folder: Path) -> list[LoggedIteration]:
    """Return the lines of iterations.jsonl in order, none where there are none; torn and impossible ones are left out.

    A training that went on from a checkpoint counts its iterations on from there: what stood behind it is not its own.
    """
    kept: list[LoggedIteration] = []
    for logged in _lines(inside(folder, ITERATIONS)):
        while kept and kept[-1].iteration >= logged.iteration:
            kept.pop()
        kept.append(logged)
    return kept


def _lines(path: Path) -> Iterator[LoggedIteration]:
    try:
        lines = read_whole(path, limit=_LARGEST_LOG, follow=False).splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise TurnwiseError(f"{str(path)!r} cannot be read ({reason_of(error)}): restore it.") from None
    for line in lines:
        try:
            data = json.loads(line)
            logged = from_json(LoggedIteration, data)
        except (ValueError, RecursionError):
            continue
        if logged.iteration > 0 and _has_numbers(data):
            yield logged


def _has_numbers(data: object) -> bool:
    """Return whether all numbers in ``data`` are such that sums and charts of them can be made."""
    if isinstance(data, dict):
        return all(map(_has_numbers, data.values()))
    if isinstance(data, list):
        return all(map(_has_numbers, data))
    if isinstance(data, int):
        return abs(data) <= _LARGEST_NUMBER
    return not isinstance(data, float) or (math.isfinite(data) and abs(data) <= _LARGEST_NUMBER)
