"""A refusal for the length of the context is told from any other, in the words of the servers there are."""

import pytest

from turnwise.runners.models.sampler import is_overflow


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
        "exceed_context_size_error the request has 9000 tokens",
        "Requested tokens (3000) exceed context window of 2048",
        "`inputs` must have less than 1024 tokens. Given: 2000",
        "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        "Range of input length should be [1, 30720]",
        "Your request exceeded model token limit: 8192",
        "Input tokens exceed the configured limit of 272000 tokens.",
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
