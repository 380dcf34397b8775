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


class TrainingProfile(StrEnum):
    """A named set of settings of a fine-tuning (training/fine_tuning/settings.py)."""

    ZHENG_RFT = "zheng-rft"
    SMALL = "small"


class RlefProfile(StrEnum):
    """A named set of settings of reinforcement learning (training/rlef/settings.py)."""

    PAPER = "rlef-paper"
    SMALL = "small"


class ValueLevel(StrEnum):
    """Where reinforcement learning learns a value: at each call of the model, at each token it says, or nowhere."""

    TURN = "turn"
    TOKEN = "token"
    NONE = "none"


class RolloutEngine(StrEnum):
    """What samples the dialogues of reinforcement learning: the policy itself (transformers), or vLLM beside it."""

    HF = "hf"
    VLLM = "vllm"


class EngineName(StrEnum):
    """Another project's trainer, for which reinforcement learning is configured (training/engines)."""

    SKYRL = "skyrl"
    VERL = "verl"


class TrainingType(StrEnum):
    """The numbers that a model is multiplied in while it is trained."""

    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"


class Matcher(StrEnum):
    """How outputs are compared (benchmarks/matching.py)."""

    TOKENS = "tokens"
    EXACT = "exact"
    DEEPMIND = "deepmind"


class TestsChoice(StrEnum):
    """Which tests of a problem judge programs (benchmarks/checkers)."""

    ALL = "all"
    VALID = "valid"


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


class IsolationTier(StrEnum):
    """How programs are isolated (runners/execution/hardened.py)."""

    A = "A"
    B = "B"
    C = "C"


class FileFormat(StrEnum):
    """Whose files runs are exported to and imported from (turnwise/exchange/formats.py)."""

    LM_EVAL = "lm-eval"
    EVALPLUS = "evalplus"
    LIVECODEBENCH = "livecodebench"
    CSV = "csv"
    PARQUET = "parquet"


class PaperTable(StrEnum):
    """A table as a paper has it (leaderboard/paper_tables.py)."""

    GRID = "grid"
    FEEDBACK = "feedback"
    TURNS = "turns"
    COT_GAIN = "cot-gain"
    TACO = "taco"
    RLEF = "rlef"
    RFT = "rft"
    RLEF_ABLATION = "rlef-ablation"
    BEHAVIOUR = "behaviour"
    BEHAVIOUR_CHRF = "behaviour-chrf"


class ChartName(StrEnum):
    """A chart of the page (leaderboard/charts/specs.py)."""

    TURNS = "turns"
    N_AT_K = "n_at_k"
    PASS_AT_K = "pass_at_k"
    TOKENS = "tokens"
    DIFFICULTY = "difficulty"
    FAILURES = "failures"
    SIMILARITY = "similarity"
    PROSE = "prose"
    GRID = "grid"


class Over(StrEnum):
    """What an interval takes as drawn at random."""

    SAMPLES = "samples"
    PROBLEMS = "problems"
    CONTESTS = "contests"


class Parity(StrEnum):
    """An interval made as a paper made its own."""

    ZHENG = "zheng"
    ZHENG_WITH = "zheng-with-replacement"
    RLEF = "rlef"


class IntervalChoice(StrEnum):
    """What can stand beside a score: an interval over something, one of a paper's, or none."""

    SAMPLES = Over.SAMPLES
    PROBLEMS = Over.PROBLEMS
    CONTESTS = Over.CONTESTS
    ZHENG = Parity.ZHENG
    ZHENG_WITH = Parity.ZHENG_WITH
    RLEF = Parity.RLEF
    NONE = "none"


class By(StrEnum):
    """What the rows of a table are: tasks, their difficulties, or their turn budgets."""

    TASK = "task"
    DIFFICULTY = "difficulty"
    TURNS = "turns"


class Style(StrEnum):
    """What a table is written as."""

    TEXT = "text"
    GITHUB = "github"
    LATEX = "latex"
    CSV = "csv"
    JSON = "json"


class Along(StrEnum):
    """What a curve runs along."""

    TURNS = "turns"
    TOKENS = "tokens"
    K = "k"


class DataTurns(StrEnum):
    """Which dialogues become training data: those of one turn, those of more, or both (training/data/folder.py)."""

    MULTI = "multi"
    SINGLE = "single"
    ALL = "all"


class Learn(StrEnum):
    """Which replies of a dialogue are learnt (training/data/token_rows.py)."""

    ALL = "all"
    LAST = "last"
