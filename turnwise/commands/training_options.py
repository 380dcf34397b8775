"""The options of the commands of training: verify, contamination, rft-data, rft and rlef.

As in options.py, None, False and "" say that an option was not typed; None leaves a setting to the profile.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from turnwise.commands.options import (
    Answers,
    Benchmark,
    ClusterProfileFile,
    DataDir,
    DialogueOptions,
    Feedback,
    Force,
    Instruction,
    Interpreter,
    Reasoning,
    RunOptions,
    SkipBroken,
    Strategy,
    StubImports,
    Workers,
    typed_options,
)
from turnwise.records.choices import (
    BackEndName,
    ClusterKind,
    DataTurns,
    EngineName,
    Learn,
    Matcher,
    RlefProfile,
    RolloutEngine,
    TestsChoice,
    TrainingProfile,
    TrainingType,
    ValueLevel,
)
from turnwise.records.settings import DEFAULT_ANSWERS, DEFAULT_OWN_SOLUTIONS

TrainsOn = Annotated[
    ClusterKind | None,
    typer.Option(help="Train as a job that restarts itself: slurm, or local (here); default: in this process."),
]
Dtype = Annotated[TrainingType | None, typer.Option(help="bfloat16 (float32 is kept beside it) or float32.")]


@dataclass(frozen=True, slots=True)
class ContaminationOptions:
    """The options of ``turnwise contamination``."""

    tasks: Annotated[
        str, typer.Option("--tasks", "-t", help="The task whose problems are looked for, such as codecontests_train.")
    ]
    against: Annotated[str, typer.Option(help="The tasks of the test sets: names or globs, separated by commas.")]
    containment: Annotated[
        float, typer.Option(help="Share of the word 8-grams of the shorter statement that makes two one problem.")
    ] = 0.5
    embed: Annotated[
        str, typer.Option(help="A model of the hub or a folder: its embeddings find near statements beside.")
    ] = ""
    solutions: Annotated[
        bool, typer.Option(help="Whether solutions of near problems are run on each other's tests.")
    ] = True
    output_path: Annotated[
        Path | None,
        typer.Option("--output-path", "-o", help="A folder, or a .json file, for the record and a page beside it."),
    ] = None
    data_dir: DataDir = None
    benchmark: Benchmark = ""
    workers: Workers = 0


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """The options of ``turnwise verify``."""

    tasks: Annotated[str, typer.Option("--tasks", "-t", help="The training task whose own solutions are judged.")]
    solutions: Annotated[int, typer.Option(help="How many of a problem's own solutions are judged at most.")] = (
        DEFAULT_OWN_SOLUTIONS
    )
    limit: Annotated[
        float | None, typer.Option("--limit", "-L", help="Only the first N problems of the task, or a fraction.")
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
    skip_broken_rows: SkipBroken = False


@dataclass(frozen=True, slots=True)
class DataOptions:
    """The options of ``turnwise rft-data``."""

    output_path: Annotated[
        Path, typer.Option("--output-path", "-o", help="The folder of the data; running again goes on in it.")
    ]
    turns: Annotated[DataTurns, typer.Option(help="Dialogues of several turns, of a single one, or all.")] = (
        DataTurns.MULTI
    )
    tokenizer: Annotated[
        str, typer.Option(help="The model to train, a folder or a name of the hub; without it no tokens are made.")
    ] = ""
    learn: Annotated[Learn, typer.Option(help="Which replies are learnt: all of a dialogue, or the last.")] = Learn.ALL
    max_length: Annotated[int, typer.Option(help="Dialogues of longer rows are dropped, in tokens.")] = 8192
    against: Annotated[
        str, typer.Option(help="Test tasks whose problems must not be learnt, separated by commas; none for none.")
    ] = "codecontests_multiturn,taco_multiturn,humaneval_plus_multiturn,mbpp_plus_multiturn"
    embed: Annotated[str, typer.Option(help="A model whose embeddings of statements are compared, too.")] = ""
    train_on_test: Annotated[
        tuple[str, ...], typer.Option(help="A test task to train on all the same; recorded in all that comes of it.")
    ] = ()
    prompts: Annotated[
        Path | None, typer.Option(help="The folder of prompts of the runs, if it is no bundled set.")
    ] = None
    answers: Annotated[
        str, typer.Option(help="The folder of checkers of the runs, if they had a set of their own.")
    ] = ""
    data_dir: DataDir = None
    benchmark: Benchmark = ""
    workers: Workers = 0


@dataclass(frozen=True, slots=True)
class RftOptions:
    """The options of ``turnwise rft``; None leaves a setting to the profile."""

    model: Annotated[BackEndName | None, typer.Option("--model", "-M", help="hf, which alone can be trained.")] = None
    model_args: Annotated[
        str,
        typer.Option(
            "--model-args",
            "-a",
            help="model=NAME_OR_FOLDER, and dtype, revision, tokenizer, trust_remote_code, device.",
        ),
    ] = ""
    output_path: Annotated[
        Path | None,
        typer.Option("--output-path", "-o", help="The folder to write; the same line goes on in it."),
    ] = None
    profile: Annotated[
        TrainingProfile,
        typer.Option(
            help="zheng-rft, the paper's: rate 2e-6, 545 steps of 524,288 tokens, all weights; or small, for one GPU: "
            "LoRA of rank 32, rate 1e-4, one epoch in steps of 65,536 tokens."
        ),
    ] = TrainingProfile.ZHENG_RFT
    learning_rate: Annotated[float | None, typer.Option(help="The peak of the learning rate.")] = None
    steps: Annotated[int | None, typer.Option(help="How many steps to train.")] = None
    epochs: Annotated[float | None, typer.Option(help="In place of --steps: how many times each dialogue.")] = None
    tokens_per_step: Annotated[int | None, typer.Option(help="Tokens of a step, met on average.")] = None
    max_length: Annotated[int | None, typer.Option(help="Data with longer dialogues are refused; none is cut.")] = None
    warmup_steps: Annotated[int | None, typer.Option(help="Steps over which the rate rises.")] = None
    final_rate: Annotated[float | None, typer.Option(help="The rate in the end, as a share of its peak.")] = None
    weight_decay: Annotated[float | None, typer.Option(help="Of AdamW.")] = None
    rows_per_device: Annotated[int | None, typer.Option(help="Dialogues that a device takes at a time.")] = None
    lora: Annotated[
        int | None, typer.Option(help="Train adapters of this rank, merged in the end; 0: all weights.")
    ] = None
    dtype: Dtype = None
    save_steps: Annotated[int | None, typer.Option(help="Steps between checkpoints.")] = None
    seed: Annotated[int | None, typer.Option(help="Of the order of the dialogues and of adapters.")] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, say steps, memory and disk; then end.")] = False

    def given(self) -> dict[str, object]:
        """Return the settings that were typed, by their names in the record."""
        names = {"lora": "lora_rank"}
        settings = (
            "learning_rate",
            "steps",
            "tokens_per_step",
            "max_length",
            "warmup_steps",
            "final_rate",
            "weight_decay",
            "rows_per_device",
            "lora",
            "dtype",
            "save_steps",
            "seed",
        )
        return {names.get(name, name): value for name, value in typed_options(self, settings).items()}


@dataclass(frozen=True, slots=True)
class RftJobOptions(RftOptions):
    """The options of ``turnwise rft`` with those of its job, which a submission keeps."""

    cluster: TrainsOn = None
    cluster_profile: ClusterProfileFile = None
    force: Force = False

    @property
    def output(self) -> Path:
        """The folder to write, once it was checked that there is one."""
        return self.output_path or Path()


@dataclass(frozen=True, slots=True)
class RlefOptions(DialogueOptions):
    """The options of ``turnwise rlef``; None leaves a setting to the profile."""

    SETTINGS: ClassVar[tuple[str, ...]] = RunOptions.SETTINGS

    strategy: Strategy = ""
    reasoning: Reasoning = ""
    instruction: Instruction = ""
    feedback: Feedback = None
    profile: Annotated[
        RlefProfile,
        typer.Option(
            help="rlef-paper, the paper's: rate 2e-7, 1,024 rollouts in 4 updates of 256, all weights; or small, for "
            "one GPU: LoRA of rank 32, rate 1e-5, 128 rollouts in groups of 4."
        ),
    ] = RlefProfile.PAPER
    iterations: Annotated[int | None, typer.Option(help="How many times to sample and learn.")] = None
    rollouts: Annotated[int | None, typer.Option(help="Dialogues of an iteration.")] = None
    group: Annotated[int | None, typer.Option(help="Dialogues of each problem in an iteration.")] = None
    minibatches: Annotated[int | None, typer.Option(help="Updates into which an iteration's dialogues are cut.")] = None
    learning_rate: Annotated[float | None, typer.Option(help="Of policy and value, once it has risen.")] = None
    weight_decay: Annotated[float | None, typer.Option(help="Of AdamW.")] = None
    warmup_updates: Annotated[int | None, typer.Option(help="Updates over which the rate rises.")] = None
    beta: Annotated[float | None, typer.Option(help="Weight of the KL to the first policy, in the rewards.")] = None
    clip: Annotated[float | None, typer.Option(help="Range of the ratio, and of a value's change.")] = None
    gamma: Annotated[float | None, typer.Option(help="Discount of a reward for each later call.")] = None
    gae_lambda: Annotated[float | None, typer.Option(help="Lambda of the advantages.")] = None
    max_gradient_norm: Annotated[float | None, typer.Option(help="Longer gradients are cut to it.")] = None
    value: Annotated[
        ValueLevel | None, typer.Option(help="Where a value is learnt: at each turn's call, each token, or none.")
    ] = None
    mask_cut: Annotated[
        bool, typer.Option("--mask-cut", help="Learn nothing from replies that the token limit ended.")
    ] = False
    rewards: Annotated[
        str,
        typer.Option(help="Such as solved=1,failed=-1,invalid=-0.2,invalid_is=no_code (or no_code_or_compile_error)."),
    ] = ""
    max_length: Annotated[int | None, typer.Option(help="Tokens of a dialogue at most.")] = None
    max_reply_tokens: Annotated[int | None, typer.Option(help="Tokens of a reply at most.")] = None
    tokens_at_a_time: Annotated[int | None, typer.Option(help="Tokens that a device learns at a time.")] = None
    rollout_batch: Annotated[int | None, typer.Option(help="Dialogues that hf samples at a time.")] = None
    most_spoiled: Annotated[
        float | None, typer.Option(help="Share of dialogues that the machine may spoil before training stops.")
    ] = None
    lora: Annotated[
        int | None, typer.Option(help="Train adapters of this rank, merged in checkpoints; 0: all weights.")
    ] = None
    dtype: Dtype = None
    rollout_engine: Annotated[
        RolloutEngine, typer.Option(help="What samples the dialogues: hf, or vllm on the same GPU.")
    ] = RolloutEngine.HF
    evaluate: Annotated[
        str,
        typer.Option(
            help="Tasks that measure the policy now and then: names or globs, separated by commas, or none; default: "
            "codecontests_valid_multiturn where CodeContests is trained on."
        ),
    ] = ""
    evaluation_samples: Annotated[int, typer.Option(help="Dialogues of each problem in an evaluation.")] = 5
    evaluation_kwargs: Annotated[str, typer.Option(help="How an evaluation samples, as --gen-kwargs of a run.")] = (
        "temperature=0.2,top_p=0.95"
    )
    evaluate_iterations: Annotated[int | None, typer.Option(help="Iterations between evaluations.")] = None
    save_iterations: Annotated[int | None, typer.Option(help="Iterations between checkpoints.")] = None
    track: Annotated[str, typer.Option(help="Trackers told of each iteration: wandb, tensorboard, or both.")] = ""
    engine: Annotated[
        EngineName | None,
        typer.Option(help="Write the configuration of another trainer instead of training: skyrl or verl."),
    ] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check all, say dialogues, tokens, memory and disk; then end.")
    ] = False

    def given_of_training(self) -> dict[str, object]:
        """Return the settings of training that were typed, by their names in the record."""
        names = {"lora": "lora_rank"}
        settings = (
            "iterations",
            "rollouts",
            "group",
            "minibatches",
            "learning_rate",
            "weight_decay",
            "warmup_updates",
            "beta",
            "clip",
            "gamma",
            "gae_lambda",
            "max_gradient_norm",
            "value",
            "mask_cut",
            "max_length",
            "max_reply_tokens",
            "tokens_at_a_time",
            "rollout_batch",
            "most_spoiled",
            "lora",
            "dtype",
            "save_iterations",
            "evaluate_iterations",
            "seed",
        )
        return {names.get(name, name): value for name, value in typed_options(self, settings).items()}


@dataclass(frozen=True, slots=True)
class RlefJobOptions(RlefOptions):
    """The options of ``turnwise rlef`` with those of its job, which a submission keeps."""

    cluster: TrainsOn = None
    cluster_profile: ClusterProfileFile = None
    force: Force = False
