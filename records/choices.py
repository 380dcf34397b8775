"""The closed choices of the command line: what carries a choice out is keyed by it, and ``--help`` lists them.

Loads nothing, so that the help does without what the choices stand for. Files hold the values as plain text.
"""

from enum import StrEnum


class BackEndName(StrEnum):
    """What a model is asked by (runners/models/catalog.py)."""

    OPENAI = "openai"
    VLLM = "vllm"
    HF = "hf"
    REPLAY = "replay"


class ProfileName(StrEnum):
    """A named set of settings (tasks/plan.py)."""

    DEFAULT = "default"
    ZHENG = "zheng"
    RLEF = "rlef"


class Matcher(StrEnum):
    """How outputs are compared (benchmarks/matching.py)."""

    TOKENS = "tokens"
    EXACT = "exact"
    DEEPMIND = "deepmind"


class FeedbackKind(StrEnum):
    """What a turn is told of the program before it (tasks/feedback.py)."""

    BINARY = "binary"
    FAILED_TESTS = "failed_tests"
    FAILED_AND_PASSED = "failed_and_passed"
    LDB = "ldb"
    NONE = "none"
    RANDOM = "random"


class ClusterKind(StrEnum):
    """Where the workers of a submitted run run."""

    SLURM = "slurm"
    LOCAL = "local"
    DEBUG = "debug"
