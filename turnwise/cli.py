"""The command line: parses, delegates to turnwise.commands, prints; errors end in one sentence, never a traceback.

Exit status: 0 done, 2 bad input or missing data, 3 the machine failed (infrastructure), 130 interrupted.
Option names follow lm-evaluation-harness; dashes and underscores in them are alike.
"""

import json
import os
import signal
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from turnwise.cluster_cli import add_commands as add_cluster_commands
from turnwise.errors import InfrastructureError, TurnwiseError

app = typer.Typer(
    name="turnwise",
    help="Measure how language models write code over several turns with execution feedback.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder with local data files (docs/data.md); default: TURNWISE_DATA, then the hub.",
    ),
]
Matcher = Annotated[str, typer.Option(help="How outputs are compared: tokens, exact or deepmind.")]
TimeFactor = Annotated[float, typer.Option(help="Multiplies every time limit; recorded.")]
MatcherOfProfile = Annotated[
    str | None,
    typer.Option(
        "--matcher", help="How outputs are compared: tokens, exact or deepmind; default: that of the profile or run."
    ),
]
TimeFactorOfProfile = Annotated[
    float | None,
    typer.Option("--time-factor", help="Multiplies every time limit; recorded; default: that of the profile or run."),
]
Workers = Annotated[int, typer.Option(help="Programs judged at a time; default: the usable cores.")]
Interpreter = Annotated[str, typer.Option(help="The Python that runs programs; default: this one.")]
SkipBroken = Annotated[
    bool, typer.Option("--skip-broken-rows", help="Leave out rows that cannot be read instead of stopping.")
]
MoreNAtK = Annotated[str, typer.Option("--n-at-k", help="More pass n@k to report, such as 1@3,10@100.")]
FileFormat = Annotated[
    str, typer.Option("--format", help="Whose files: lm-eval, evalplus, livecodebench, csv or parquet.")
]
StrategyOption = Annotated[
    str,
    typer.Option(
        "--strategy",
        help="single_turn, multi_turn, cot, cot_every_turn, cot_retry, or a yaml file (docs/strategies.md).",
    ),
]
Reasoning = Annotated[str, typer.Option(help="A reasoning prompt, or several joined by +; none for none.")]
Instruction = Annotated[str, typer.Option(help="An instruction prompt; none for none.")]
Feedback = Annotated[
    str, typer.Option(help="What a turn is told: binary, failed_tests, failed_and_passed, ldb, none or random.")
]
IncorrectPrograms = Annotated[
    Path | None,
    typer.Option(help="For feedback random: JSON lines of {problem, program}; default: the data set's own."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


prompts_app = typer.Typer(help="The prompts, filled in.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(prompts_app, name="prompts")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        import turnwise

        print(f"turnwise {turnwise.__version__}")
        raise typer.Exit


@app.command()
def tasks(
    names: Annotated[str, typer.Argument(help="Names or globs, separated by commas.")] = "*",
    data_dir: DataDir = None,
    skip_broken_rows: SkipBroken = False,
    as_json: AsJson = False,
) -> None:
    """List the tasks: their data, how many problems of it are here, and what is flagged."""
    from turnwise.commands.tasks import render_tasks, summarise_tasks

    on_error: Any = "skip" if skip_broken_rows else "raise"
    summaries = summarise_tasks(names, data_dir=data_dir, environ=dict(os.environ), on_error=on_error)
    _print(json.dumps([one.to_json() for one in summaries], indent=1) if as_json else render_tasks(summaries))


@app.command("tasks-path")
def tasks_path() -> None:
    """Print the folder of the tasks' definitions for lm_eval --include_path, where its hook is switched off."""
    from turnwise.harness.patching import DEFINITIONS

    _print(str(DEFINITIONS))


@app.command()
def check(
    program: Annotated[Path, typer.Argument(help="The file with the program to judge.")],
    problem: Annotated[str, typer.Option(help="A problem's id, such as codecontests/1575_B. ...")] = "",
    tests: Annotated[
        Path | None, typer.Option(help='JSON: {"public": [{"input", "output"}], "hidden": [...], limits}.')
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the problem's benchmark; default: test.")] = "",
    data_dir: DataDir = None,
    matcher: Matcher = "tokens",
    time_factor: TimeFactor = 1.0,
    interpreter: Interpreter = "",
    skip_broken_rows: SkipBroken = False,
    as_json: AsJson = False,
) -> None:
    """Judge one program and explain each public test; hidden tests show as verdicts only."""
    from turnwise.benchmarks.records import Verdict
    from turnwise.commands.check import CheckRequest, check_program, render_check
    from turnwise.runners.execution.hardened import HardenedExecutor

    request = CheckRequest(
        program,
        problem,
        tests,
        split,
        data_dir,
        matcher,
        time_factor,
        "skip" if skip_broken_rows else "raise",
    )
    with closing(HardenedExecutor(interpreter)) as executor:
        result = check_program(request, executor, environ=dict(os.environ))
    _print(json.dumps(result.to_json(), indent=1) if as_json else render_check(result))
    if result.report.verdict is Verdict.INFRASTRUCTURE_FAILURE:
        raise InfrastructureError("The machine failed while judging, so there is no verdict: try again.")


def _read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Make the options of a yaml file the defaults of this command; what is typed goes before them."""
    if path is not None:
        from turnwise.commands.settings import read_config

        names = {option.lstrip("-"): one.name for one in context.command.params for option in one.opts}
        defaults: dict[str, Any] = {}
        for name, value in read_config(path).items():
            if names.get(name) is None:
                known = ", ".join(sorted(name for name in names if len(name) > 1))
                raise TurnwiseError(
                    f"The configuration {str(path)!r} has the unknown option {name!r}: known are {known}."
                )
            defaults[str(names[name])] = value
        context.default_map = {**(context.default_map or {}), **defaults}
    return path


def run(
    context: typer.Context,
    config: Annotated[  # noqa: ARG001 - read by its callback, before the others
        Path | None,
        typer.Option("--config", "-C", help="A yaml file of these options.", callback=_read_config, is_eager=True),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-M", help="The back end: openai (any compatible server), vllm, hf or replay.")
    ] = "",
    model_args: Annotated[
        str,
        typer.Option(
            "--model-args", "-a", help="For openai: base_url=URL,model=NAME; for replay: path=FILE; see docs/models.md."
        ),
    ] = "",
    task_names: Annotated[str, typer.Option("--tasks", "-t", help="Names or globs, separated by commas.")] = "",
    output_path: Annotated[
        Path | None, typer.Option("--output-path", "-o", help="The run folder; running again goes on in it.")
    ] = None,
    profile: Annotated[str, typer.Option(help="Settings to begin with: default, zheng or rlef.")] = "default",
    metadata: Annotated[
        str,
        typer.Option(
            help="JSON settings: samples_per_problem, max_turns, strategy, reasoning, instruction, feedback, "
            "keep_reasoning, extraction, n_at_k, prefill, profile."
        ),
    ] = "",
    strategy: StrategyOption = "",
    reasoning: Reasoning = "",
    instruction: Instruction = "",
    feedback: Feedback = "",
    incorrect_programs: IncorrectPrograms = None,
    gen_kwargs: Annotated[
        str, typer.Option(help="Sampling, such as temperature=0.2,top_p=0.95,max_gen_toks=4096.")
    ] = "",
    system_instruction: Annotated[str | None, typer.Option(help="A system message said before everything.")] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="A folder of prompts in place of the bundled set turnwise-1.")
    ] = None,
    limit: Annotated[
        float | None,
        typer.Option("--limit", "-L", help="Only the first N problems of a task, or a fraction."),
    ] = None,
    samples: Annotated[
        str, typer.Option("--samples", "-E", help='JSON: which problems of a task, {"TASK": [0, 3, "ID"]}.')
    ] = "",
    seed: Annotated[int | None, typer.Option(help="The run's seed; default: 0.")] = None,
    data_dir: DataDir = None,
    matcher: MatcherOfProfile = None,
    time_factor: TimeFactorOfProfile = None,
    interpreter: Interpreter = "",
    workers: Workers = 0,
    predict_only: Annotated[
        bool, typer.Option("--predict-only", "-x", help="Sample only, as turnwise sample does.")
    ] = False,
    log_samples: Annotated[  # noqa: ARG001 - lm-eval's name for what is always done
        bool, typer.Option("--log-samples", "-s", help="Always on: the run folder keeps every dialogue.")
    ] = True,
    skip_broken_rows: SkipBroken = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check all, count prompts, estimate calls, tokens and time; then end."),
    ] = False,
    calibrate: Annotated[int, typer.Option(help="With --dry-run: ask so many dialogues to estimate from.")] = 0,
    throughput: Annotated[
        float, typer.Option(help="With --dry-run: completion tokens a second of the whole server.")
    ] = 0.0,
    gpus: Annotated[int, typer.Option(help="With --dry-run: the accelerators that make this throughput.")] = 1,
) -> None:
    """Ask a model, judge its programs, score: from tasks to a table."""
    from turnwise.commands.preflight import DryRun
    from turnwise.commands.run import HostOptions, RunRequest, run_command

    for option, text in (("--model", model), ("--tasks", task_names), ("--output_path", output_path)):
        if not text:
            raise TurnwiseError(
                f"turnwise {context.info_name} needs {option}; turnwise demo runs the bundled sample without it."
            )
    given = {
        "seed": seed,
        "matcher": matcher,
        "time_factor": time_factor,
        "limit": limit,
        "system_instruction": system_instruction,
        "on_error": "skip" if skip_broken_rows else None,
        "strategy": strategy or None,
        "reasoning": reasoning or None,
        "instruction": instruction or None,
        "feedback": feedback or None,
    }
    request = RunRequest(
        model,
        model_args,
        task_names,
        output_path or Path(),
        HostOptions(data_dir, interpreter, workers),
        {name: value for name, value in given.items() if value is not None},
        profile,
        metadata,
        gen_kwargs,
        samples,
        prompts,
        incorrect_programs,
        DryRun(calibrate, throughput, gpus) if dry_run else None,
    )
    judge_hidden = context.info_name == "run" and not predict_only
    carry_out = context.obj or partial(run_command, judge_hidden=judge_hidden)  # submit has its own way
    _print(carry_out(request, environ=dict(os.environ), arguments=sys.argv[1:]))


app.command("run")(run)
app.command("sample", help="Ask a model, with feedback from the public tests; judging and scoring come later.")(run)
add_cluster_commands(app, run)


@app.command()
def grid(
    context: typer.Context,
    config: Annotated[  # noqa: ARG001 - read by its callback, before the others
        Path | None,
        typer.Option("--config", "-C", help="A yaml file of these options.", callback=_read_config, is_eager=True),
    ] = None,
    model: Annotated[str, typer.Option("--model", "-M", help="The model back end, as for turnwise run.")] = "",
    model_args: Annotated[str, typer.Option("--model-args", "-a", help="As for turnwise run.")] = "",
    task_names: Annotated[str, typer.Option("--tasks", "-t", help="Names or globs, separated by commas.")] = "",
    output_path: Annotated[
        Path | None, typer.Option("--output-path", "-o", help="The experiment folder: a run folder for each cell.")
    ] = None,
    cells: Annotated[
        str, typer.Option(help="Which of the 63 reasoning+instruction, such as self_reflection+*,none+none.")
    ] = "*",
    strategy: Annotated[str, typer.Option(help="Strategies or yaml files, separated by commas.")] = "",
    feedback: Annotated[str, typer.Option(help="Kinds of feedback, separated by commas.")] = "",
    temperatures: Annotated[str, typer.Option(help="Temperatures, separated by commas.")] = "",
    max_turns: Annotated[str, typer.Option(help="Turn limits, separated by commas.")] = "",
    metric: Annotated[str, typer.Option(help="What chooses the best cell; default: 1@T, or pass@1 for one turn.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Name the cells and run nothing.")] = False,
    profile: Annotated[str, typer.Option(help="Settings to begin with: default, zheng or rlef.")] = "default",
    metadata: Annotated[str, typer.Option(help="JSON settings of all cells, as for turnwise run.")] = "",
    gen_kwargs: Annotated[str, typer.Option(help="Sampling of all cells, as for turnwise run.")] = "",
    system_instruction: Annotated[str | None, typer.Option(help="A system message said before everything.")] = None,
    prompts: Annotated[Path | None, typer.Option(help="A folder of prompts in place of the bundled set.")] = None,
    incorrect_programs: IncorrectPrograms = None,
    limit: Annotated[float | None, typer.Option("--limit", "-L", help="Only the first N problems of a task.")] = None,
    samples: Annotated[str, typer.Option("--samples", "-E", help="JSON: which problems of a task.")] = "",
    seed: Annotated[int | None, typer.Option(help="The seed of all cells; default: 0.")] = None,
    data_dir: DataDir = None,
    matcher: MatcherOfProfile = None,
    time_factor: TimeFactorOfProfile = None,
    interpreter: Interpreter = "",
    workers: Workers = 0,
    skip_broken_rows: SkipBroken = False,
) -> None:
    """Run many combinations of prompts, strategies and settings, a run folder each; the same line goes on."""
    from turnwise.commands.grid import GridRequest, grid_command
    from turnwise.commands.run import HostOptions, RunRequest

    for option, text in (("--model", model), ("--tasks", task_names), ("--output_path", output_path)):
        if not text:
            raise TurnwiseError(f"turnwise {context.info_name} needs {option}.")
    given = {
        "seed": seed,
        "matcher": matcher,
        "time_factor": time_factor,
        "limit": limit,
        "system_instruction": system_instruction,
        "on_error": "skip" if skip_broken_rows else None,
    }
    run_request = RunRequest(
        model,
        model_args,
        task_names,
        output_path or Path(),
        HostOptions(data_dir, interpreter, workers),
        {name: value for name, value in given.items() if value is not None},
        profile,
        metadata,
        gen_kwargs,
        samples,
        prompts,
        incorrect_programs,
    )
    request = GridRequest(run_request, cells, strategy, feedback, temperatures, max_turns, metric, dry_run)
    _print(grid_command(request, environ=dict(os.environ), arguments=sys.argv[1:]))


@app.command("judge")
def judge_run(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that turnwise sample or run wrote.")],
    output_path: Annotated[
        Path | None,
        typer.Option("--output-path", "-o", help="Judge anew in a copy of the run, with the settings given here."),
    ] = None,
    data_dir: DataDir = None,
    matcher: MatcherOfProfile = None,
    time_factor: TimeFactorOfProfile = None,
    interpreter: Interpreter = "",
    workers: Workers = 0,
) -> None:
    """Judge the programs of a run that have no verdict yet; no model is asked."""
    from turnwise.commands.run import HostOptions, judge_command

    said = judge_command(
        run_folder,
        HostOptions(data_dir, interpreter, workers),
        environ=dict(os.environ),
        output=output_path,
        matcher=matcher or "",
        time_factor=time_factor,
    )
    _print(said)


@app.command()
def score(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, or folders of them.")],
    by: Annotated[str, typer.Option(help="What the rows are: task, difficulty or turns.")] = "task",
    n_at_k: MoreNAtK = "",
    interval: Annotated[
        str,
        typer.Option(
            help="95 % intervals over samples (jackknife, default), problems or contests (BCa); zheng, "
            "zheng-with-replacement or rlef as in the papers, no coverage claimed; or none (docs/estimators.md)."
        ),
    ] = "",
    style: Annotated[str, typer.Option("--format", help="What to print: text, github, latex, csv or json.")] = "text",
    table: Annotated[
        str,
        typer.Option(
            help="A table of the papers: grid, feedback, turns, cot-gain, taco, rlef, behaviour, behaviour-chrf."
        ),
    ] = "",
    curve: Annotated[str, typer.Option(help="The curve along turns, tokens (equal budgets) or k.")] = "",
) -> None:
    """Make the tables of runs; no model is asked and no program run."""
    from turnwise.commands.score import score_command

    _print(score_command(runs, by=by, n_at_k=n_at_k, interval=interval, style=style, table=table, curve=curve))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="A B...", help="Run folders, or folders of them.")],
    interval: Annotated[
        str, typer.Option(help="What is taken as drawn at random: samples, problems or contests.")
    ] = "problems",
    n_at_k: MoreNAtK = "",
    as_json: AsJson = False,
) -> None:
    """Compare two runs: B - A, interval, p-value, flipped problems; of more runs, the places that they can have."""
    from turnwise.commands.compare import compare_command

    _print(compare_command(runs, over=interval, n_at_k=n_at_k, as_json=as_json))


@app.command()
def publish(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, or folders of them.")],
    output_path: Annotated[Path, typer.Option("--output-path", "-o", help="The folder of the page.")] = Path("site"),
    title: Annotated[str, typer.Option(help="The page's title.")] = "",
    models: Annotated[
        Path | None,
        typer.Option(help="A yaml file of facts on models (docs/leaderboard.md)."),
    ] = None,
    n_at_k: MoreNAtK = "",
    dialogues: Annotated[bool, typer.Option(help="Whether dialogues can be read on the page.")] = True,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Publish with dialogues missing, with the bounds that this leaves.")
    ] = False,
) -> None:
    """Make the leaderboard page of runs: one file that needs no server and no network."""
    from turnwise.commands.publish import publish_command

    said = publish_command(
        runs,
        output_path,
        environ=dict(os.environ),
        n_at_k=n_at_k,
        title=title,
        facts=models,
        with_dialogues=dialogues,
        allow_missing=allow_missing,
    )
    _print(said)


@app.command()
def plot(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, or folders of them.")],
    chart: Annotated[
        str,
        typer.Option(help="turns, n_at_k, pass_at_k, tokens, difficulty, failures, similarity, prose or grid."),
    ] = "turns",
    output_path: Annotated[
        Path, typer.Option("--output-path", "-o", help="The file: .svg, .png, .pdf, or .json for the specification.")
    ] = Path("plot.svg"),
    task_names: Annotated[
        str, typer.Option("--tasks", "-t", help="The task; needed where the runs have several.")
    ] = "",
    n_at_k: MoreNAtK = "",
    width: Annotated[int, typer.Option(help="Of the drawing, in points.")] = 420,
    dark: Annotated[bool, typer.Option("--dark", help="Light lines, for a dark page.")] = False,
) -> None:
    """Draw a chart of the page as a file, for papers and talks."""
    from turnwise.commands.plot import plot_command

    said = plot_command(runs, output_path, chart=chart, task=task_names, n_at_k=n_at_k, width=width, dark=dark)
    _print(said)


@app.command()
def noise(
    run_folder: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run, or a folder of runs.")] = None,
    problems: Annotated[int, typer.Option(help="Problems of a run to come.")] = 0,
    samples: Annotated[int, typer.Option(help="Samples of each problem of a run to come.")] = 0,
    score: Annotated[float, typer.Option(help="The pass@1 expected, between 0 and 1.")] = 0.5,
    turns: Annotated[
        int, typer.Option(help="Turns at most, of a run to come: k replies make k // turns dialogues.")
    ] = 3,
    misled: Annotated[float, typer.Option(help="Share of wrong programs that pass the public tests, for n@k.")] = 0.1,
    n_at_k: MoreNAtK = "",
) -> None:
    """Say which difference between two models a run can show: one that is done, or one to come."""
    from turnwise.commands.noise import Plan, noise_command

    plan = Plan(problems, samples, score, turns, misled) if problems or samples else None
    _print(noise_command(run_folder, plan, n_at_k=n_at_k))


@app.command()
def doctor(
    interpreter: Interpreter = "",
    tier: Annotated[str, typer.Option(help="Look at this isolation tier (A, B or C) instead of the best.")] = "",
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """Tell whether programs can be judged here, how well they are isolated, and what to change."""
    from turnwise.commands.doctor import render_diagnosis
    from turnwise.runners.diagnosis import diagnose

    found = diagnose(interpreter, tier=tier, workers=workers, environ=dict(os.environ))
    _print(json.dumps(found.to_json(), indent=1) if as_json else render_diagnosis(found))
    if not found.is_well:
        raise InfrastructureError("This machine does not judge programs as it should: see what is said above.")


@app.command("export")
def export_run(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    file_format: FileFormat,
    output_path: Annotated[
        Path,
        typer.Option(
            "--output-path",
            "-o",
            help="The file to write: NAME.jsonl or NAME_eval_results.json for evalplus; a folder for lm-eval.",
        ),
    ],
    task_names: Annotated[str, typer.Option("--tasks", "-t", help="Which of the run's tasks; default: all.")] = "",
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Leave out dialogues that are missing instead of stopping.")
    ] = False,
) -> None:
    """Write a run as the files of another tool, or as a flat table."""
    from turnwise.commands.exchange import export_command

    _print(export_command(run_folder, file_format, output_path, tasks=task_names, allow_missing=allow_missing))


@app.command("import")
def import_run(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What another tool, or export, wrote.")],
    file_format: FileFormat,
    output_path: Annotated[Path, typer.Option("--output-path", "-o", help="The run folder to make.")],
    task_names: Annotated[str, typer.Option("--tasks", "-t", help="The task, where the files do not say.")] = "",
    model: Annotated[str, typer.Option("--model", "-M", help="The model's name; default: as the files say.")] = "",
    data_dir: DataDir = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Count what the files lack as missing instead of stopping.")
    ] = False,
) -> None:
    """Make a run folder of files of another tool; no program is run."""
    from turnwise.commands.exchange import import_command
    from turnwise.commands.imported_record import Options

    options = Options(file_format, task_names, model, data_dir, allow_missing)
    _print(import_command(files, options, output_path, environ=dict(os.environ), arguments=sys.argv[1:]))


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output-path", "-o", help="Where the results go.")] = Path("demo"),
) -> None:
    """Run three recorded models over the bundled sample: no data, no model, no GPU needed."""
    from turnwise.commands.demo import demo_command

    _print(demo_command(output, environ=dict(os.environ)))


@prompts_app.command("show")
def show_prompts(
    task_names: Annotated[str, typer.Option("--tasks", "-t", help="Names or globs, separated by commas.")],
    problem: Annotated[str, typer.Option(help="A problem's id; default: the first one asked.")] = "",
    strategy: StrategyOption = "",
    reasoning: Reasoning = "",
    instruction: Instruction = "",
    feedback: Feedback = "",
    metadata: Annotated[str, typer.Option(help="JSON settings, as for turnwise run.")] = "",
    system_instruction: Annotated[str | None, typer.Option(help="A system message said before everything.")] = None,
    prompts: Annotated[Path | None, typer.Option(help="A folder of prompts in place of the bundled set.")] = None,
    program: Annotated[
        list[Path] | None, typer.Option(help="The program of turn 1, 2, ...; default: stand-ins that fail.")
    ] = None,
    incorrect_programs: IncorrectPrograms = None,
    tokenizer: Annotated[
        str, typer.Option(help="Count tokens: a name on the hub, or a tokenizer.json; default: characters.")
    ] = "",
    data_dir: DataDir = None,
    interpreter: Interpreter = "",
) -> None:
    """Show a whole dialogue as the model would read it, with its length turn by turn; no model is asked."""
    from turnwise.commands.prompts import ShowRequest, show_command
    from turnwise.commands.run import HostOptions

    given = {
        "strategy": strategy,
        "reasoning": reasoning,
        "instruction": instruction,
        "feedback": feedback,
        "system_instruction": system_instruction,
    }
    request = ShowRequest(
        task_names,
        HostOptions(data_dir, interpreter, 0),
        problem,
        {name: value for name, value in given.items() if value},
        metadata,
        prompts,
        program or [],
        tokenizer,
        incorrect_programs,
    )
    _print(show_command(request, environ=dict(os.environ)))


def _print(text: str) -> None:
    print(text.rstrip("\n"), flush=True)


def _with_dashes(argument: str) -> str:
    """Return ``--model_args=x_y`` as ``--model-args=x_y``: names with dashes and underscores are alike."""
    name, sign, value = argument.partition("=")
    return name.replace("_", "-") + sign + value if name.startswith("--") else argument


class _InterruptedError(BaseException):
    """The user, or the cluster, wants this process to stop (typer would swallow a KeyboardInterrupt unsaid)."""


def _interrupt(*_: object) -> None:
    raise _InterruptedError


def main() -> None:
    """Run the command line and end the process with its exit status; SIGTERM stops it as Ctrl-C does."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app(args=list(map(_with_dashes, sys.argv[1:])), prog_name="turnwise")
    except TurnwiseError as error:
        print(f"turnwise: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        print(f"turnwise: {error.strerror or error}: {str(error.filename or 'a file')!r}.", file=sys.stderr)
        sys.exit(2)
    except _InterruptedError:
        print("turnwise: interrupted; run the same line again to go on.", file=sys.stderr)
        sys.exit(130)
