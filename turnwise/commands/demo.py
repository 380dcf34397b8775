"""``turnwise demo``: recorded models over the bundled sample, from dialogues to a table and a page."""

from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path

from turnwise.commands.machine import check_runs_output, open_machine, show_progress
from turnwise.commands.publish import write_page
from turnwise.commands.score import score_command
from turnwise.records.settings import RunSettings
from turnwise.runners.loading import Progress, load_task
from turnwise.runners.models.replay import ReplaySampler
from turnwise.runners.sampling import Job, sample
from turnwise.tasks.catalog import find_tasks
from turnwise.tasks.prompts import PromptSet

MODELS = ("steady", "repairing", "careless")
TASKS = "sample_*_multiturn"
SAMPLES = 2
N_AT_K = ("1@6",)


def demo_command(output: Path, *, environ: dict[str, str]) -> str:
    """Run the recorded models over the bundled sample, one run folder each; return one table and the page's path."""
    check_runs_output(output)
    settings = RunSettings(samples_per_problem=SAMPLES, n_at_k=N_AT_K)
    answers = Path(str(resources.files("turnwise.benchmarks"))) / "sample" / "answers"
    tasks = find_tasks(TASKS)
    prompts = PromptSet.load()
    with show_progress() as on_progress, open_machine(environ, on_progress) as machine:
        loaded = [load_task(task, settings, machine) for task in tasks]
        for model in MODELS:
            sampler = ReplaySampler(answers / f"{model}.jsonl", benchmarks=[task.benchmark.name for task in tasks])
            named = replace(machine, on_progress=partial(_name_stage, on_progress, model))
            sample(Job(loaded, sampler, settings, prompts, "turnwise demo"), named, output=output / model)
    table = score_command([output], interval="none")  # two samples of 14 problems: intervals as wide as the table
    page = write_page([output], output / "site", environ=environ, title="turnwise demo")
    return f"{table}\nPage: {page} (open it in a browser)"


def _name_stage(on_progress: Progress, model: str, what: str, done: int, total: int) -> None:
    on_progress(f"{model}: {what}", done, total)
