"""The options of commands, each with its name, its help and its default: what typer reads and what Python constructs.

    run_command(RunOptions(model=BackEndName.REPLAY, model_args="path=a.jsonl", tasks="taco_*", output_path=path), ...)

A record without arguments is a line without options; None, False and "" say that an option was not typed. Loads typer
alone, so that the help stays quick.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from turnwise.errors import TurnwiseError
from turnwise.records.choices import (
    BackEndName,
    ClusterKind,
    FeedbackKind,
    Matcher,
    ProfileName,
    TestsChoice,
)
from turnwise.records.settings import DEFAULT_ANSWERS, METADATA

Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, folders of them, or globs.")]
Tasks = Annotated[str, typer.Option("--tasks", "-t", help="Names or globs, separated by commas.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder with local data files (docs/data.md); default: TURNWISE_DATA, then the hub.",
    ),
]
Benchmark = Annotated[
    str,
    typer.Option(help="A benchmark of your own: a .jsonl or .py file, or an installed one's name (docs/data.md)."),
]
SkipBroken = Annotated[
    bool, typer.Option("--skip-broken-rows", help="Leave out rows that cannot be read instead of stopping.")
]
Interpreter = Annotated[str, typer.Option(help="The Python that runs programs; default: this one.")]
Workers = Annotated[int, typer.Option(help="Programs judged at a time; default: the usable cores.")]
MatcherOfProfile = Annotated[
    Matcher | None,
    typer.Option(
        "--matcher", help="How outputs are compared: tokens, exact or deepmind; default: that of the profile or run."
    ),
]
TimeFactorOfProfile = Annotated[
    float | None,
    typer.Option("--time-factor", help="Multiplies every time limit; recorded; default: that of the profile or run."),
]
StubImports = Annotated[
    bool,
    typer.Option("--stub-imports", help="HumanEval+: put the stub's imports and helper functions before each program."),
]
Answers = Annotated[
    str,
    typer.Option(
        help="Which outputs are right: equality (the expected one), checkers-1, or a folder of checkers "
        "(docs/checkers.md); default: that of the profile or run."
    ),
]
TestsOfProfile = Annotated[
    TestsChoice | None,
    typer.Option(
        "--tests", help="all, or valid: without those that break their statement; default: that of the profile or run."
    ),
]
Strategy = Annotated[
    str,
    typer.Option(help="single_turn, multi_turn, cot, cot_every_turn, cot_retry, or a yaml file (docs/strategies.md)."),
]
Reasoning = Annotated[str, typer.Option(help="A reasoning prompt, or several joined by +; none for none.")]
Instruction = Annotated[str, typer.Option(help="An instruction prompt; none for none.")]
Feedback = Annotated[
    FeedbackKind | None,
    typer.Option(help="What a turn is told: binary, failed_tests, failed_and_passed, ldb, none or random."),
]
IncorrectPrograms = Annotated[
    Path | None,
    typer.Option(help="For feedback random: JSON lines of {problem, program}; default: the data set's own."),
]
SystemInstruction = Annotated[str | None, typer.Option(help="A system message said before everything.")]
Prompts = Annotated[Path | None, typer.Option(help="A folder of prompts in place of the bundled set.")]
ClusterProfileFile = Annotated[
    Path | None,
    typer.Option("--cluster-profile", "-p", help="A yaml file about the cluster's jobs (docs/slurm.md)."),
]
Force = Annotated[bool, typer.Option(help="Submit though jobs of this run are still there.")]
NAtK = Annotated[str, typer.Option("--n-at-k", help="More pass n@k to report, such as 1@3,10@100.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@dataclass(frozen=True, slots=True)
class DialogueOptions:
    """What decides dialogues and their judge, of runs and of training by them.

    ``SETTINGS`` are the options that set one by its name.
    """

    SETTINGS: ClassVar[tuple[str, ...]] = (
        "seed",
        "matcher",
        "time_factor",
        "limit",
        "system_instruction",
        "strict_context",
        "stub_imports",
        "answers",
        "tests",
    )

    model: Annotated[
        BackEndName | None,
        typer.Option("--model", "-M", help="The back end: openai (any compatible server), vllm, hf or replay."),
    ] = None
    model_args: Annotated[
        str,
        typer.Option(
            "--model-args",
            "-a",
            help="For openai: base_url=URL,model=NAME,request=FIELDS; for replay: path=FILE; see docs/models.md.",
        ),
    ] = ""
    tasks: Tasks = ""
    output_path: Annotated[
        Path | None, typer.Option("--output-path", "-o", help="The run folder; running again goes on in it.")
    ] = None
    metadata: Annotated[str, typer.Option(help=f"JSON settings: {', '.join(METADATA)}.")] = ""
    gen_kwargs: Annotated[str, typer.Option(help="Sampling, such as temperature=0.2,top_p=0.95,max_gen_toks=4096.")] = (
        ""
    )
    system_instruction: SystemInstruction = None
    prompts: Annotated[
        Path | None, typer.Option(help="A folder of prompts in place of the bundled set turnwise-2, or turnwise-1.")
    ] = None
    incorrect_programs: IncorrectPrograms = None
    limit: Annotated[
        float | None, typer.Option("--limit", "-L", help="Only the first N problems of a task, or a fraction.")
    ] = None
    samples: Annotated[
        str, typer.Option("--samples", "-E", help='JSON: which problems of a task, {"TASK": [0, 3, "ID"]}.')
    ] = ""
    seed: Annotated[int | None, typer.Option(help="The run's seed; default: 0.")] = None
    data_dir: DataDir = None
    benchmark: Benchmark = ""
    matcher: MatcherOfProfile = None
    time_factor: TimeFactorOfProfile = None
    interpreter: Interpreter = ""
    stub_imports: StubImports = False
    answers: Answers = ""
    tests: TestsOfProfile = None
    workers: Workers = 0
    strict_context: Annotated[
        bool, typer.Option("--strict-context", help="A prompt that the server cut without a word is context_overflow.")
    ] = False
    skip_broken_rows: SkipBroken = False

    @property
    def output(self) -> Path:
        """The folder to write, once it was checked that there is one."""
        return self.output_path or Path()

    def check_needed(self, sentence: str) -> None:
        """Raise TurnwiseError, the ``sentence`` about it, for an option without which nothing can be asked."""
        needed = {"--model": self.model, "--tasks": self.tasks, "--output_path": self.output_path}
        for option, value in needed.items():
            if not value:
                raise TurnwiseError(sentence.format(option))

    def given(self) -> dict[str, object]:
        """Return the settings that were typed, by name."""
        skipped = {"on_error": "skip"} if self.skip_broken_rows else {}
        return {**typed_options(self, self.SETTINGS), **skipped}


@dataclass(frozen=True, slots=True)
class CommonOptions(DialogueOptions):
    """What ``turnwise run`` and ``grid`` have in common."""

    profile: Annotated[ProfileName, typer.Option(help="Settings to begin with: default, zheng or rlef.")] = (
        ProfileName.DEFAULT
    )


@dataclass(frozen=True, slots=True)
class RunOptions(CommonOptions):
    """The options of ``turnwise run`` and ``sample``."""

    SETTINGS: ClassVar[tuple[str, ...]] = (
        *CommonOptions.SETTINGS,
        "strategy",
        "reasoning",
        "instruction",
        "feedback",
    )

    strategy: Strategy = ""
    reasoning: Reasoning = ""
    instruction: Instruction = ""
    feedback: Feedback = None
    predict_only: Annotated[
        bool, typer.Option("--predict-only", "-x", help="Sample only, as turnwise sample does.")
    ] = False
    # lm-eval's name for what is always done
    log_samples: Annotated[
        bool, typer.Option("--log-samples", "-s", help="Always on: the run folder keeps every dialogue.")
    ] = True
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check all, count prompts, estimate calls, tokens and time; then end."),
    ] = False
    calibrate: Annotated[int, typer.Option(help="With --dry-run: ask so many dialogues to estimate from.")] = 0
    throughput: Annotated[
        float, typer.Option(help="With --dry-run: completion tokens a second of the whole server.")
    ] = 0.0
    gpus: Annotated[int, typer.Option(help="With --dry-run: the accelerators that make this throughput.")] = 1

    def check(self, command: str) -> None:
        """Raise TurnwiseError for what ``command`` needs and lacks, and for numbers of a dry run that cannot be.

        What only an estimate takes is refused without ``dry_run``, before it begins the run that was to be estimated.
        """
        self.check_needed(f"turnwise {command} needs {{}}; turnwise demo runs the bundled sample without it.")
        if not self.dry_run:
            bare = RunOptions()
            for name in ("calibrate", "throughput", "gpus"):
                if (value := getattr(self, name)) != getattr(bare, name):
                    raise TurnwiseError(
                        f"--{name} is {value:g}, which --dry-run alone takes: add --dry-run, or leave it out."
                    )
        if self.calibrate < 0:
            raise TurnwiseError(f"--calibrate is {self.calibrate}: give a number of dialogues.")
        if not 0 <= self.throughput < math.inf:
            raise TurnwiseError(f"--throughput is {self.throughput:g}: give completion tokens a second.")
        if self.gpus < 1:
            raise TurnwiseError(f"--gpus is {self.gpus}: give at least 1.")


@dataclass(frozen=True, slots=True)
class SubmitOptions(RunOptions):
    """The options of ``turnwise submit``, which a submission keeps."""

    cluster: Annotated[
        ClusterKind, typer.Option(help="Where the workers run: slurm, local (a pool here) or debug (one, here).")
    ] = ClusterKind.SLURM
    cluster_profile: ClusterProfileFile = None
    force: Force = False


@dataclass(frozen=True, slots=True)
class GridOptions(CommonOptions):
    """The options of ``turnwise grid``: its axes as typed, values separated by commas."""

    cells: Annotated[
        str, typer.Option(help="Which of the 63 reasoning+instruction, such as self_reflection+*,none+none.")
    ] = "*"
    strategy: Annotated[str, typer.Option(help="Strategies or yaml files, separated by commas.")] = ""
    feedback: Annotated[str, typer.Option(help="Kinds of feedback, separated by commas.")] = ""
    temperatures: Annotated[str, typer.Option(help="Temperatures, separated by commas.")] = ""
    max_turns: Annotated[str, typer.Option(help="Turn limits, separated by commas.")] = ""
    metric: Annotated[str, typer.Option(help="What chooses the best cell; default: 1@T, or pass@1 for one turn.")] = ""
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Name the cells and run nothing.")] = False


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """The options of ``turnwise judge``."""

    output_path: Annotated[
        Path | None,
        typer.Option("--output-path", "-o", help="Judge anew in a copy of the run, with the settings given here."),
    ] = None
    data_dir: DataDir = None
    benchmark: Benchmark = ""
    matcher: MatcherOfProfile = None
    time_factor: TimeFactorOfProfile = None
    interpreter: Interpreter = ""
    stub_imports: StubImports = False
    answers: Answers = ""
    tests: TestsOfProfile = None
    workers: Workers = 0

    @property
    def judges_anew(self) -> bool:
        """Whether an option asks for another judge than the run's."""
        return bool(
            self.matcher or self.time_factor is not None or self.stub_imports or self.answers or self.tests is not None
        )


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of ``turnwise check``."""

    problem: Annotated[str, typer.Option(help="A problem's id, such as codecontests/1575_B. ...")] = ""
    tests: Annotated[
        str,
        typer.Option(
            help='A file: {"public": [{"input", "output"}], "hidden": [...], limits}; with --problem: all, or valid.'
        ),
    ] = ""
    split: Annotated[str, typer.Option(help="Split of the problem's benchmark; default: test.")] = ""
    data_dir: DataDir = None
    benchmark: Benchmark = ""
    matcher: Annotated[Matcher, typer.Option(help="How outputs are compared: tokens, exact or deepmind.")] = (
        Matcher.TOKENS
    )
    time_factor: Annotated[float, typer.Option(help="Multiplies every time limit; recorded.")] = 1.0
    answers: Answers = DEFAULT_ANSWERS
    interpreter: Interpreter = ""
    skip_broken_rows: SkipBroken = False


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """The options of ``turnwise audit``."""

    tasks: Annotated[str, typer.Option("--tasks", "-t", help="The task whose judge is audited.")]
    split: Annotated[str, typer.Option(help="Another split of the task's benchmark, such as train.")] = ""
    labels: Annotated[
        Path | None,
        typer.Option(help="JSON lines of programs or outputs known to be right or wrong (docs/judging.md)."),
    ] = None
    mutants: Annotated[int, typer.Option(help="Small faults put into right programs of each problem; 0: none.")] = 5
    disagreements: Annotated[
        bool, typer.Option("--disagreements", help="Run programs that pass against each other on new valid inputs.")
    ] = False
    limit: Annotated[
        float | None, typer.Option("--limit", "-L", help="Only the first N problems of the task, or a fraction.")
    ] = None
    output_path: Annotated[
        Path | None, typer.Option("--output-path", "-o", help="A file for the audit, which publish --audit reads.")
    ] = None
    data_dir: DataDir = None
    benchmark: Benchmark = ""
    matcher: Annotated[Matcher, typer.Option(help="How outputs are compared: tokens, exact or deepmind.")] = (
        Matcher.TOKENS
    )
    time_factor: Annotated[float, typer.Option(help="Multiplies every time limit; recorded.")] = 1.0
    interpreter: Interpreter = ""
    stub_imports: StubImports = False
    answers: Answers = DEFAULT_ANSWERS
    tests: Annotated[TestsChoice, typer.Option(help="all, or valid: without those that break their statement.")] = (
        TestsChoice.VALID
    )
    workers: Workers = 0


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """The options of ``turnwise prompts show``."""

    tasks: Tasks
    problem: Annotated[str, typer.Option(help="A problem's id; default: the first one asked.")] = ""
    strategy: Strategy = ""
    reasoning: Reasoning = ""
    instruction: Instruction = ""
    feedback: Feedback = None
    metadata: Annotated[str, typer.Option(help="JSON settings, as for turnwise run.")] = ""
    system_instruction: SystemInstruction = None
    prompts: Prompts = None
    program: Annotated[
        tuple[Path, ...], typer.Option(help="The program of turn 1, 2, ...; default: stand-ins that fail.")
    ] = ()
    incorrect_programs: IncorrectPrograms = None
    tokenizer: Annotated[
        str, typer.Option(help="Count tokens: a name on the hub, or a tokenizer.json; default: characters.")
    ] = ""
    data_dir: DataDir = None
    benchmark: Benchmark = ""
    interpreter: Interpreter = ""

    def given(self) -> dict[str, object]:
        """Return the settings that were typed, by name."""
        return typed_options(self, ("strategy", "reasoning", "instruction", "feedback", "system_instruction"))


@dataclass(frozen=True, slots=True)
class ValidateOptions:
    """The options of ``turnwise checkers validate``."""

    tasks: Annotated[
        str,
        typer.Option("--tasks", "-t", help="The tasks with the problems; default: the test split of each benchmark."),
    ] = ""
    data_dir: DataDir = None
    benchmark: Benchmark = ""
    labels: Annotated[
        Path | None,
        typer.Option(help="JSON lines of outputs known to be right: problem, group, index, output (docs/checkers.md)."),
    ] = None
    write: Annotated[bool, typer.Option("--write", help="Write what is found into the set's set.json.")] = False
    survivors: Annotated[
        bool, typer.Option("--survivors", help="Show the mutants that were accepted, for a person to read.")
    ] = False
    table: Annotated[
        bool, typer.Option("--table", help="Print the Markdown table of the set's set.json; nothing is validated.")
    ] = False
    workers: Workers = 0


def typed_options(options: object, names: Sequence[str]) -> dict[str, object]:
    """Return by name the values of ``options`` that are not those of an option that was not typed, as plain data."""
    values = {name: getattr(options, name) for name in names}
    return {
        name: value.value if isinstance(value, Enum) else value
        for name, value in values.items()
        if value is not None and value is not False and value != ""
    }
