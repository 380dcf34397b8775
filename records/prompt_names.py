"""The names of what can be asked and told, in the order of the tables of arXiv 2410.08105."""

from collections.abc import Sequence

from turnwise.records.choices import FeedbackKind

NONE = "none"
REASONING = (
    "self_reflection",
    "explain_io",
    "problem_tag",
    "difficulty",
    "natural_language_solution",
    "multiple_solutions",
    "helper_docstring",
    "intermediate_variables",
)
INSTRUCTIONS = (
    "helper_functions",
    "double_check",
    "line_comments",
    "docstrings",
    "weak_then_better",
    "step_by_step",
)
GUIDELINES = "guidelines"
# Two programs in one answer: only the last block is the answer.
LAST_BLOCK_INSTRUCTIONS = frozenset({"weak_then_better"})
FEEDBACK_KINDS = tuple(kind.value for kind in FeedbackKind)
DEFAULT_FEEDBACK = FeedbackKind.FAILED_TESTS.value


def prompts_name(reasoning: Sequence[str], instruction: str) -> str:
    """Return how the grid names these prompts: ``none+none``, ``self_reflection+weak_then_better``."""
    return "+".join([*(reasoning or (NONE,)), instruction or NONE])
