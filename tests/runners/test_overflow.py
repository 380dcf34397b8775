"""A refusal for the length of the context is told from any other, in the words of the servers there are."""

import pytest

from turnwise.runners.sampler import is_overflow


@pytest.mark.parametrize(
    "refusal",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        "'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens",
        "The decoder prompt (length 9000) is longer than the maximum model length of 8192",
        "context_length_exceeded None",
        "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
        "the request exceeds the available context size, try increasing it",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1900 `inputs` tokens",
        "prompt is too long: 205000 tokens > 200000 maximum",
        "Please reduce the length: the input is too long for this model",
    ],
)
def test_a_dialogue_that_does_not_fit_is_the_models_failure(refusal: str) -> None:
    assert is_overflow(refusal)


@pytest.mark.parametrize(
    "refusal",
    [
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "max_tokens must be at least 1, got 0",
        "Invalid 'max_output_tokens': above the maximum value of 4096 tokens for a reply",
        "stop: the list is too long, at most 4 texts",
        "Too many tokens per minute",
        "unknown field",
    ],
)
def test_a_wrong_command_is_no_failure_of_the_model(refusal: str) -> None:
    """It leaves a gap, never a zero."""
    assert not is_overflow(refusal)
