"""What training leaves: what stands in a folder of training data, and what a checkpoint says of itself.

    DATA/report.json          how the data were made, step by step (DataReport)
    DATA/train.jsonl          the dialogues as messages
    DATA/tokens.jsonl.gz      the same as rows of token ids and labels
    OUT/rft.json              what a fine-tuning is of (FineTuningRecord)
    MODEL/training.json       how a checkpoint was trained (TrainedModel); whoever samples from it records it

The folders may be somebody else's: their files are read up to a size, and what they hold has the types and the bounds
that readers rely on.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.files import inside, read_whole, write_atomically
from turnwise.json_text import json_text
from turnwise.records.codec import from_json, if_set, reason_of, to_json
from turnwise.records.contamination import Contamination
from turnwise.records.rlef import RlefSettings
from turnwise.records.settings import JudgeRecord, PromptsRecord
from turnwise.texts import printable, shown

FORMAT = 1
REPORT, MESSAGES, TOKENS = "report.json", "train.jsonl", "tokens.jsonl.gz"
TRAINING, FINE_TUNING = "training.json", "rft.json"
NOT_LEARNT = -100  # the label of a token that is not learnt
_LARGEST = 2**26  # bytes, of a record
_RIGHTS_REMEDY = "have its owner let you read it."
_LONGEST = 200  # characters, of a name in a sentence
_TRAINING_FIELDS = ("trained_by", "base_model", "trained_on", "training_data")
_RLEF_FIELDS = ("training_feedback", "training_value", "training_turns", "iteration")
_CHECKPOINT = re.compile("checkpoint-([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What decides which dialogues become training data, and how.

    ``turns`` are those of the dialogues: ``multi``, ``single`` or ``all``; ``learn`` which replies have labels: ``all``
    of a dialogue or the ``last``. Dialogues of more than ``max_length`` tokens are dropped. Programs of a problem are
    near copies from ``similarity`` (Jaccard) on, and ``most`` of each problem are kept. A problem is contaminated when
    its statement shares ``containment`` of the word 8-grams of the shorter one with a problem of ``against``.
    """

    turns: str = "multi"
    learn: str = "all"
    max_length: int = 8192
    similarity: float = 0.7
    most: int = 50
    against: tuple[str, ...] = ()
    containment: float = 0.5
    embed: str = ""
    train_on_test: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSource:
    """A run that the dialogues come from: its folder's name, its model, and the digests of what it holds.

    ``verdicts_sha256`` is that of its verdicts by dialogue and turn, in whichever order they were written.
    """

    name: str
    model: Mapping[str, str]
    record_sha256: str
    shards_sha256: str
    verdicts_sha256: str


@dataclass(frozen=True, slots=True)
class TokenizerRecord:
    """The tokenizer: its name as given, and the digest of its vocabulary, its special tokens and its chat template."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class StepCount:
    """What is left after a step, and what it dropped by reason; ``tokens`` None where they are not counted."""

    problems: int
    dialogues: int
    tokens: int | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataStep:
    """A step of making the data, of the dialogues of one turn and of those of several."""

    name: str
    single: StepCount
    multi: StepCount


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of the data: its digest, its rows, its tokens and those that have labels (0 where it holds messages)."""

    sha256: str
    rows: int
    tokens: int = 0
    labels: int = 0


@dataclass(frozen=True, slots=True)
class DataReport:
    """report.json: where training data come from and how they were made.

    ``tasks`` are those that were sampled, with the digests of their data, and ``loaded`` how many problems these have;
    ``asked`` counts the problems that the runs asked, each once.
    ``tokenizer`` is None where no tokens were made, ``contamination`` where nobody looked for it.
    """

    format: int = field(default=FORMAT, kw_only=True)
    turnwise: str
    command: str
    settings: DataSettings
    runs: tuple[RunSource, ...]
    tasks: Mapping[str, str]
    loaded: Mapping[str, int]
    asked: int
    judge: JudgeRecord
    prompts: PromptsRecord
    tokenizer: TokenizerRecord | None
    steps: tuple[DataStep, ...]
    contamination: Contamination | None
    files: Mapping[str, DataFile]

    @property
    def contaminated(self) -> Mapping[str, str]:
        """The problems that stand in a test set, too, each with a sentence."""
        return {} if self.contamination is None else self.contamination.problems


@dataclass(frozen=True, slots=True)
class FineTuningSettings:
    """What decides a fine-tuning, besides the data and the model; sequences and steps in tokens.

    ``tokens_per_step`` are met on average: a step has as many rows as hold so many. The learning rate rises over
    ``warmup_steps`` and falls as a cosine to ``final_rate`` of its peak. ``lora_rank`` 0 trains all weights.
    """

    profile: str = "zheng-rft"
    learning_rate: float = 2e-6
    steps: int = 545
    max_length: int = 8192
    tokens_per_step: int = 524_288
    warmup_steps: int = 10
    final_rate: float = 0.1
    weight_decay: float = 0.0
    rows_per_device: int = 1
    lora_rank: int = 0
    dtype: str = "bfloat16"
    save_steps: int = 50
    seed: int = 0


@dataclass(frozen=True, slots=True)
class BaseModelRecord:
    """The model that a training begins with: its name, and the digest of its weights or its commit on the hub."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class FineTuningRecord:
    """rft.json: what a fine-tuning is of.

    Equal settings, data, model and rows a step make equal weights on one CPU thread; ``versions`` are those of the
    packages that began it.
    """

    format: int = field(default=FORMAT, kw_only=True)
    turnwise: str
    command: str
    settings: FineTuningSettings
    model: BaseModelRecord
    data_sha256: str
    rows_per_step: int
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LoggedStep:
    """A line of log.jsonl: a step, and the seconds that training had taken by its end.

    ``tokens`` and ``labels`` are those of its rows, ``gradient_norm`` that before it was cut.
    """

    step: int
    loss: float
    learning_rate: float
    tokens: int
    labels: int
    gradient_norm: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """training.json of a checkpoint: what it was made of, and how.

    ``method`` is ``rft`` or ``rlef``; ``data_sha256`` the digest of the report of the data, or of the problems that
    were asked; ``tasks`` those that were trained on, ``train_on_test`` those of them that are tests. ``step`` counts
    the steps, of ``rlef`` the iterations; ``feedback`` and ``turns`` are those of its dialogues.
    """

    format: int = field(default=FORMAT, kw_only=True)
    turnwise: str
    method: str
    base_model: str
    data_sha256: str
    tasks: tuple[str, ...]
    train_on_test: tuple[str, ...]
    settings: FineTuningSettings | RlefSettings
    step: int
    command: str
    feedback: str = if_set("")
    turns: int = if_set(0)


def read_report(folder: Path) -> DataReport:
    """Return the report on the training data in ``folder``; raises TurnwiseError if there is none that can be read."""
    path = inside(folder, REPORT)
    try:
        data = json.loads(read_whole(path, limit=_LARGEST, follow=False))
        _check_format(data)
        return from_json(DataReport, data)
    except (FileNotFoundError, NotADirectoryError):
        raise TurnwiseError(
            f"{str(folder)!r} holds no training data, since there is no {REPORT}: name a folder that turnwise rft-data "
            "wrote."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        remedy = _RIGHTS_REMEDY if isinstance(error, PermissionError) else "make the data again."
        raise TurnwiseError(f"{str(path)!r} cannot be read ({reason_of(error)}): {remedy}") from None


def write_report(folder: Path, report: DataReport) -> None:
    """Write report.json, whole or not at all."""
    write_atomically(inside(folder, REPORT), json_text(to_json(report), indent=1, ensure_ascii=False) + "\n")


def read_fine_tuning(folder: Path) -> FineTuningRecord | None:
    """Return what the training in ``folder`` is of, None for none; raises TurnwiseError if it is unreadable."""
    path = inside(folder, FINE_TUNING)
    try:
        data = json.loads(read_whole(path, limit=_LARGEST, follow=False))
        _check_format(data)
        return from_json(FineTuningRecord, data)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise TurnwiseError(
            f"{str(path)!r} cannot be read ({reason_of(error)}): "
            + (_RIGHTS_REMEDY if isinstance(error, PermissionError) else "restore it, or give another --output_path.")
        ) from None


def write_fine_tuning(folder: Path, record: FineTuningRecord) -> None:
    """Write rft.json, whole or not at all."""
    write_atomically(inside(folder, FINE_TUNING), json_text(to_json(record), indent=1, ensure_ascii=False) + "\n")


def read_trained_model(folder: Path) -> TrainedModel | None:
    """Return what the model in ``folder`` says of its training, None for one that turnwise did not train.

    Raises TurnwiseError if that cannot be read.
    """
    path = folder / TRAINING
    try:
        data = json.loads(read_whole(path, limit=_LARGEST))  # the hub's folders hold links
        _check_format(data)
        return from_json(TrainedModel, data)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise TurnwiseError(
            f"{str(path)!r} cannot be read ({reason_of(error)}): without it nobody knows what the model was trained "
            f"on; {_RIGHTS_REMEDY if isinstance(error, PermissionError) else 'restore it.'}"
        ) from None


def write_trained_model(folder: Path, trained: TrainedModel) -> None:
    """Write training.json of a checkpoint."""
    write_atomically(inside(folder, TRAINING), json_text(to_json(trained), indent=1, ensure_ascii=False) + "\n")


def describe_training(name: str) -> dict[str, str]:
    """Return what run.json says of the training of the model ``name``: nothing, unless it is a folder that tells.

    Raises TurnwiseError if that cannot be read.
    """
    trained = read_trained_model(Path(name))
    return {} if trained is None else describe_trained(trained)


def describe_trained(trained: TrainedModel) -> dict[str, str]:
    """Return what run.json says of the training of a model that was trained so."""
    found = {
        "trained_by": trained.method,
        "base_model": trained.base_model,
        "trained_on": ",".join(trained.tasks),
        "training_data": trained.data_sha256[:12],
    }
    if isinstance(trained.settings, RlefSettings):
        value, turns = trained.settings.value, str(trained.turns)
        found |= dict(zip(_RLEF_FIELDS, (trained.feedback, value, turns, str(trained.step)), strict=True))
    return {**found, "trained_on_test": ",".join(trained.train_on_test)} if trained.train_on_test else found


def recorded_training(model: Mapping[str, str]) -> dict[str, str]:
    """Return what the ``model`` of a run's record says of its training, as ``describe_training`` told it."""
    return {name: model[name] for name in (*_TRAINING_FIELDS, *_RLEF_FIELDS, "trained_on_test") if name in model}


def model_label(model: Mapping[str, str], *, limit: int | None = None) -> str:
    """Return the name of the ``model`` of a run's record as outputs have it: with the test that it was trained on.

    With ``limit`` the name is printable and cut to about so many characters; what follows it is not cut off with it.
    """
    name = model.get("model", "")
    name = name if limit is None else printable(name, limit=limit)
    return f"{name} ({text})" if (text := _on_test(model)) else name


def training_text(model: Mapping[str, str]) -> list[str]:
    """Return what settings say of the training of the ``model`` of a run's record; nothing where it has none."""
    given = {name: printable(model.get(name, ""), limit=_LONGEST) for name in (*_TRAINING_FIELDS, *_RLEF_FIELDS)}
    text = "trained by {trained_by} from {base_model} on {trained_on} (data {training_data})".format(**given)
    if given["training_value"]:
        feedback = " turns, {training_feedback} feedback" if given["training_feedback"] else " turn"
        text += (
            f", iteration {{iteration}}, with at most {{training_turns}}{feedback} and value {{training_value}}"
        ).format(**given)
    return [*([text] if given["trained_by"] else []), *filter(None, [_on_test(model)])]


def _on_test(model: Mapping[str, str]) -> str:
    tasks = [one for one in model.get("trained_on_test", "").split(",") if one]
    names = printable(" and ".join(tasks), limit=_LONGEST)
    return f"trained on the test task{'s' if len(tasks) > 1 else ''} {names}" if tasks else ""


def checkpoints_in(folder: Path) -> list[int]:
    """Return the steps of the whole checkpoints of a training's folder, first to last."""
    try:
        names = [path.name for path in folder.iterdir() if (path / TRAINING).is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(match[1]) for name in names if (match := _CHECKPOINT.fullmatch(name)))


def _check_format(data: object) -> None:
    if isinstance(data, dict) and data.get("format") != FORMAT:
        number, version = shown(data.get("format")), shown(data.get("turnwise"), limit=80)
        raise ValueError(f"format {number} is unknown here; turnwise {version}, which wrote it, reads it")
