"""The options of ``turnwise run``, ``sample`` and ``submit``, as parsed and in the order of their help."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.config import Config
from turnwise.cli.options import (
    Benchmark,
    DataDir,
    Feedback,
    IncorrectPrograms,
    Instruction,
    Interpreter,
    MatcherOfProfile,
    Profile,
    Reasoning,
    SkipBroken,
    Strategy,
    StubImports,
    SystemInstruction,
    Tasks,
    TimeFactorOfProfile,
    Workers,
)
from turnwise.records.settings import METADATA


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the user asked for; ``RunOptions()`` is a line without options."""

    config: Config = None
    model: Annotated[
        str, typer.Option("--model", "-M", help="The back end: openai (any compatible server), vllm, hf or replay.")
    ] = ""
    model_args: Annotated[
        str,
        typer.Option(
            "--model-args",
            "-a",
            help="For openai: base_url=URL,model=NAME,request=FIELDS; for replay: path=FILE; see docs/models.md.",
        ),
    ] = ""
    task_names: Tasks = ""
    output_path: Annotated[
        Path | None, typer.Option("--output-path", "-o", help="The run folder; running again goes on in it.")
    ] = None
    profile: Profile = "default"
    metadata: Annotated[
        str,
        typer.Option(help=f"JSON settings: {', '.join(METADATA)}."),
    ] = ""
    strategy: Strategy = ""
    reasoning: Reasoning = ""
    instruction: Instruction = ""
    feedback: Feedback = ""
    incorrect_programs: IncorrectPrograms = None
    gen_kwargs: Annotated[str, typer.Option(help="Sampling, such as temperature=0.2,top_p=0.95,max_gen_toks=4096.")] = (
        ""
    )
    system_instruction: SystemInstruction = None
    prompts: Annotated[
        Path | None, typer.Option(help="A folder of prompts in place of the bundled set turnwise-1.")
    ] = None
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
    workers: Workers = 0
    predict_only: Annotated[
        bool, typer.Option("--predict-only", "-x", help="Sample only, as turnwise sample does.")
    ] = False
    # lm-eval's name for what is always done
    log_samples: Annotated[
        bool, typer.Option("--log-samples", "-s", help="Always on: the run folder keeps every dialogue.")
    ] = True
    strict_context: Annotated[
        bool, typer.Option("--strict-context", help="A prompt that the server cut without a word is context_overflow.")
    ] = False
    skip_broken_rows: SkipBroken = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check all, count prompts, estimate calls, tokens and time; then end."),
    ] = False
    calibrate: Annotated[int, typer.Option(help="With --dry-run: ask so many dialogues to estimate from.")] = 0
    throughput: Annotated[
        float, typer.Option(help="With --dry-run: completion tokens a second of the whole server.")
    ] = 0.0
    gpus: Annotated[int, typer.Option(help="With --dry-run: the accelerators that make this throughput.")] = 1
