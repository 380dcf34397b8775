"""The model that a training begins with, known before its weights are loaded: its digest, its size, its context."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.records.training import BaseModelRecord

LORA_ALPHA_PER_RANK = 2  # what adapters add is multiplied by alpha / rank
_PIECE = 2**22
_WEIGHTS = (".safetensors", ".bin", ".json")
_NOT_LOADED = ("training.json",)
_PATHS = ("/", "./", "../", "~")  # with which no name of the hub begins
# What transformers raises of a configuration that is none, or of code that it has not.
NOT_LOADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError)


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A folder, or a name of the hub, and how it is loaded."""

    name: str
    revision: str = ""
    trust_remote_code: bool = False

    @property
    def loading(self) -> dict[str, object]:
        """What transformers is told besides the name."""
        revision = {"revision": self.revision} if self.revision else {}
        return {"trust_remote_code": self.trust_remote_code, **revision}

    def config(self) -> Any:
        """Return the model's configuration; raises TurnwiseError if there is no such model."""
        import transformers

        if self.name.startswith(_PATHS) and not Path(self.name).exists():  # which the hub calls a bad name
            raise self.not_loadable(OSError("there is no such folder"))
        try:
            return transformers.AutoConfig.from_pretrained(self.name, **self.loading)
        except NOT_LOADABLE as error:
            raise self.not_loadable(error) from None

    def not_loadable(self, error: Exception) -> TurnwiseError:
        """Return what to say of a model that cannot be loaded."""
        reason = " ".join(str(error).split())[:300]
        return TurnwiseError(f"The model {self.name!r} cannot be loaded ({reason}): mend -a model=.")

    def record(self) -> BaseModelRecord:
        """Return what tells these weights from others; raises TurnwiseError if there is no such model."""
        if not (folder := Path(self.name)).is_dir():
            return BaseModelRecord(self.name, getattr(self.config(), "_commit_hash", None) or self.revision or "main")
        if not (folder / "config.json").is_file():
            raise TurnwiseError(
                f"The model {self.name!r} cannot be loaded (the folder holds no config.json): mend -a model=."
            )
        digest = hashlib.sha256()
        for piece in _pieces(folder):
            digest.update(piece)
        return BaseModelRecord(self.name, digest.hexdigest())

    def check_weights(self) -> None:
        """Raise TurnwiseError for a folder without weights, or with such as are cut off; a name is left to the hub."""
        from safetensors import SafetensorError, safe_open

        if not (folder := Path(self.name)).is_dir():
            return
        if not any(path.suffix in _WEIGHTS[:2] for path in folder.iterdir()):
            raise self.not_loadable(OSError("the folder holds no weights"))
        for path in sorted(folder.glob("*.safetensors")):
            try:
                with safe_open(path, framework="np"):
                    pass
            except (OSError, SafetensorError) as error:
                raise self.not_loadable(OSError(f"{path.name}: {error}")) from None

    def shape(self, *, lora_rank: int) -> "ModelShape":
        """Return the model's size, from its configuration alone; raises TurnwiseError for what is no language model."""
        import torch
        import transformers

        config = self.config()
        try:
            with torch.device("meta"):
                model = transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=self.trust_remote_code)
        except NOT_LOADABLE as error:
            raise self.not_loadable(error) from None
        head = model.get_output_embeddings()
        linear = [one for one in model.modules() if isinstance(one, torch.nn.Linear) and one is not head]
        adapters = sum(lora_rank * (one.in_features + one.out_features) for one in linear)
        text = config.get_text_config()
        parameters = sum(one.numel() for one in model.parameters())
        hidden = int(text.hidden_size)
        return ModelShape(
            parameters=parameters,
            trained=adapters if lora_rank else parameters,
            layers=int(text.num_hidden_layers),
            hidden=hidden,
            intermediate=int(getattr(text, "intermediate_size", None) or 4 * hidden),
            vocabulary=int(text.vocab_size),
            context=getattr(text, "max_position_embeddings", None),
            cached=2 * _width_of_keys(text),
        )


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The size of a model: its parameters, those that are trained, and what decides its activations.

    ``cached`` numbers are kept of each token by each layer while the model goes on writing: keys and values.
    """

    parameters: int
    trained: int
    layers: int
    hidden: int
    intermediate: int
    vocabulary: int
    context: int | None = None
    cached: int = 0

    @property
    def has_adapters(self) -> bool:
        """Whether others are trained than the model's own."""
        return self.trained != self.parameters


def _width_of_keys(text: Any) -> int:
    """Return how many numbers a token's keys of one layer are."""
    heads = int(getattr(text, "num_attention_heads", None) or 1)
    size = int(getattr(text, "head_dim", None) or text.hidden_size // heads)
    return size * int(getattr(text, "num_key_value_heads", None) or heads)


def _pieces(folder: Path) -> Iterator[bytes]:
    """Yield the files that are loaded, with their names and sizes before them."""
    for path in sorted(folder.iterdir()):
        if path.suffix in _WEIGHTS and path.name not in _NOT_LOADED and path.is_file():
            yield f"{path.name} {path.stat().st_size}\n".encode()
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield piece
