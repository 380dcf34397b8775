"""What the engines in this process share: their arguments, and counting by their templates."""

from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.runners.models.back_end import Arguments
from turnwise.runners.models.counters import TokenCounter

UNKNOWN_LENGTH = (
    "--model {back_end} is not loaded here, so give its context in --model_args ({name}=N): it stands in run.json."
)


class LocalArguments(Arguments):
    pretrained: str = ""
    tokenizer: str = ""
    revision: str = ""
    dtype: str = "auto"
    trust_remote_code: bool = False

    def name(self, back_end: str) -> str:
        """Return the model's name or folder; raises TurnwiseError if none is given."""
        if not (self.model or self.pretrained):
            raise TurnwiseError(f"--model {back_end} needs -a model=NAME_OR_FOLDER.")
        return self.model or self.pretrained


def count_by_template(given: LocalArguments, name: str, max_length: int | None) -> TokenCounter:
    """Return what counts with the tokenizer of the model ``name``; raises MissingExtraError without transformers."""
    from turnwise.runners.models.counters import TemplateCounter

    try:
        return TemplateCounter(name, tokenizer=given.tokenizer, revision=given.revision, max_length=max_length)
    except ImportError:
        raise MissingExtraError("Counting tokens", "transformers", "hf") from None
