"""What a run was asked to do, as its user set it: from the options of a command to run.json and to every reader of it.

A setting is a field here, and nothing else has to be changed for a new one but what acts on it. Its ``option`` says how
the user gives it; run.json holds it under its name, in this order (one that is ``if_set`` only where it differs from
its default); whoever reads a run has it typed, and tables name it where it is set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_origin, get_type_hints

from turnwise.records.choices import FeedbackKind, TestsChoice
from turnwise.records.codec import if_set

NONE = "none"
# The names of what can be asked and told, in the order of the tables of arXiv 2410.08105.
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
DEFAULT_EXTRACTION = "last_program"
DEFAULT_MATCHER = "tokens"
# Outputs are compared with the expected ones, and nothing else is right.
EQUALITY = "equality"
DEFAULT_ANSWERS = "checkers-1"
DEFAULT_TESTS = TestsChoice.VALID.value
# Changes when another program may be found in the same reply (tasks/extraction.py).
EXTRACTION_VERSION = 1
# How many of a training problem's own solutions are judged, before it is asked.
DEFAULT_OWN_SOLUTIONS = 3
MOST_TURNS = 1000  # no run comes near it: it bounds what reading one of others can cost
OnError = Literal["raise", "skip"]
_OPTION = "option"


def prompts_name(reasoning: Sequence[str], instruction: str) -> str:
    """Return how the grid names these prompts: ``none+none``, ``self_reflection+weak_then_better``."""
    return "+".join([*(reasoning or (NONE,)), instruction or NONE])


@dataclass(frozen=True, slots=True)
class Option:
    """How the user gives a setting: by which option, and what a value has to be, ``bounds`` as in pydantic's Field.

    ``setting`` is the field, ``kind`` its type, ``given`` the type of what is written.
    """

    option: Literal["metadata", "gen_kwargs"]
    name: str = ""
    given: object = None
    bounds: Mapping[str, Any] = field(default_factory=dict)
    setting: str = ""
    kind: object = None

    def to_setting(self, value: object) -> object:
        """Return what was given as the setting has it: lists are tuples there."""
        if self.given is str and get_origin(self.kind) is tuple:
            return (value,)
        return tuple(value) if isinstance(value, list) else value


def by_metadata(default: object, *, given: object = None, is_new: bool = False, **bounds: object) -> Any:
    """Return a setting that is given by ``--metadata`` (and by the metadata of lm_eval).

    One that ``is_new`` is written only where it is set, so that older runs stay equal byte for byte.
    """
    option = Option("metadata", "", given, bounds)
    return if_set(default, option=option) if is_new else field(default=default, metadata={_OPTION: option})


def by_gen_kwargs(
    default: object, name: str = "", *, given: object = None, is_new: bool = False, **bounds: object
) -> Any:
    """Return a setting that is given by ``--gen_kwargs``, by lm_eval's ``name`` where that is another.

    ``is_new`` is as in ``by_metadata``.
    """
    option = Option("gen_kwargs", name, given, bounds)
    return if_set(default, option=option) if is_new else field(default=default, metadata={_OPTION: option})


def options_of(record: type[Any], option: str) -> dict[str, Option]:
    """Return the settings of ``record`` that ``option`` gives, by the names they have in it."""
    hints = get_type_hints(record)
    found = {}
    for one in fields(record):
        own = one.metadata.get(_OPTION)
        if own is not None and own.option == option:
            kind = hints[one.name]
            found[own.name or one.name] = replace(own, given=own.given or kind, setting=one.name, kind=kind)
    return found


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """One turn: reasoning prompts, an instruction (or ""), and the kind of feedback that opens it.

    With ``stops`` the dialogue ends after this turn if its program passes the public tests.
    """

    reasoning: tuple[str, ...] = ()
    instruction: str = ""
    feedback: str = DEFAULT_FEEDBACK
    stops: bool = True

    @property
    def name(self) -> str:
        """Its prompts as the grid names them, such as ``self_reflection+weak_then_better``."""
        return prompts_name(self.reasoning, self.instruction)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the model is asked to sample; None leaves a field to the model's server.

    ``others`` are what lm_eval told its model besides, by lm_eval's names.
    """

    temperature: float | None = by_gen_kwargs(None, ge=0, allow_inf_nan=False)
    top_p: float | None = by_gen_kwargs(None, gt=0, le=1)
    top_k: int | None = by_gen_kwargs(None, ge=1)
    max_tokens: int | None = by_gen_kwargs(None, "max_gen_toks", ge=1)
    stop: tuple[str, ...] = by_gen_kwargs((), "until", given=str, min_length=1)
    presence_penalty: float | None = by_gen_kwargs(None, is_new=True, ge=-2, le=2)
    others: Mapping[str, object] = if_set(dict)

    def told(self) -> dict[str, object]:
        """Return by name what the model was told: no field that was left to its server."""
        data = {name: getattr(self, name) for name in self.__slots__ if name != "others"}
        data["stop"] = list(self.stop)
        return {**{name: value for name, value in data.items() if value not in (None, [])}, **self.others}


@dataclass(frozen=True, slots=True)
class DecoySource:
    """Where the programs of the feedback random came from: how many, to how many problems, and their digest."""

    source: str
    problems: int
    programs: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What decides the dialogues of a run, besides the model and the prompts.

    ``samples`` names, by task, the problems to ask (numbers among the scorable ones, or ids); ``n_at_k`` the pass
    n@k to report beside the turn budgets. ``turns`` are those of a strategy of the user's own, called ``strategy``;
    else that is a known one, or "" for what task, reasoning and instruction mean. Of training tasks those problems are
    asked whose first ``own_solutions`` the judge accepts, with 0 all. ``decoys`` are those of each task;
    ``chat_template`` and ``seeds_sent`` say of a run of lm_eval what it did.
    """

    profile: str = by_metadata("default", min_length=1)
    samples_per_problem: int = by_metadata(1, ge=1)
    seed: int = 0
    strategy: str = by_metadata("")
    turns: tuple[TurnPlan, ...] = ()
    reasoning: tuple[str, ...] = by_metadata((), given=str | list[str])
    instruction: str = by_metadata("")
    feedback: str = by_metadata(DEFAULT_FEEDBACK)
    keep_reasoning: bool = by_metadata(True)
    extraction: str = by_metadata(DEFAULT_EXTRACTION)
    prefill: bool = by_metadata(False)
    system_instruction: str = ""
    max_turns: int | None = by_metadata(None, ge=1, le=MOST_TURNS)
    n_at_k: tuple[str, ...] = by_metadata((), given=list[str])
    sampling: Sampling = field(default_factory=Sampling)
    limit: float | None = None
    samples: Mapping[str, tuple[int | str, ...]] = field(default_factory=dict)
    on_error: OnError = "raise"
    strict_context: bool = if_set(False)
    own_solutions: int = by_metadata(DEFAULT_OWN_SOLUTIONS, is_new=True, ge=0, le=1000)
    extraction_version: int = EXTRACTION_VERSION
    decoys: Mapping[str, DecoySource] = if_set(dict)
    chat_template: bool | None = if_set(None)
    seeds_sent: bool | None = if_set(None)


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """What decides the verdicts of a run, besides the machine.

    ``interpreter`` is the Python that runs programs; with ``stub_imports`` those of HumanEval+ find the imports and
    helper functions of their stub. ``answers`` says which outputs are right: those that equal the expected one, or also
    those that a set of checkers accepts; ``tests`` whether inputs that break their statement judge programs.
    """

    matcher: str = DEFAULT_MATCHER
    time_factor: float = 1.0
    interpreter: str = ""
    stub_imports: bool = by_metadata(False)
    answers: str = by_metadata(DEFAULT_ANSWERS, min_length=1)
    tests: str = by_metadata(DEFAULT_TESTS, given=Literal["all", "valid"])


@dataclass(frozen=True, slots=True)
class RunConfig:
    """All settings of a run."""

    settings: RunSettings = field(default_factory=RunSettings)
    judge: JudgeSettings = field(default_factory=JudgeSettings)


@dataclass(frozen=True, slots=True)
class JudgeRecord:
    """Who judged, and how: of another tool's judge only ``executor``, its name, is known.

    ``judged_anew``: another judge than the one that gave the feedback judged every program. ``answers_sha256`` is the
    digest of the set of checkers ``answers``.
    """

    executor: str
    interpreter: str
    matcher: str
    time_factor: float
    stub_imports: bool = if_set(False)
    judged_anew: bool = if_set(False)
    answers: str = if_set(EQUALITY)
    answers_sha256: str = if_set("")
    tests: str = if_set(TestsChoice.ALL.value)


@dataclass(frozen=True, slots=True)
class PromptsRecord:
    """The name of a set of prompts, and the hash of each."""

    set: str
    hashes: Mapping[str, str]


# By the names that they have in the options.
METADATA = {**options_of(RunSettings, "metadata"), **options_of(JudgeSettings, "metadata")}


GEN_KWARGS = options_of(Sampling, "gen_kwargs")
