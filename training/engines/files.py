"""The files that ``turnwise rlef --engine`` writes: all that an engine needs, in a folder of their own.

    OUT/engine/rlef.json            what the training is of
    OUT/engine/environment.json     where this machine has data and prompts
    OUT/engine/problems.jsonl       a row for each problem: its id, and the first prompt to it
    OUT/engine/skyrl.yaml           the engine's configuration (verl: verl.overrides and agents.yaml)
    OUT/engine/train.py             the program that trains
    OUT/engine/job.sbatch           Ray on the nodes of a job, and train.py
    OUT/engine/README.md            how it is run, and what is checked first

No test that is hidden stands in any of them: environments load the problems of themselves. Nothing is run here.
"""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from turnwise.benchmarks.benchmark import JSON_ENDINGS
from turnwise.errors import TurnwiseError
from turnwise.json_text import json_line, json_text
from turnwise.records.codec import to_json
from turnwise.records.rlef import RLEF, RlefRecord
from turnwise.records.settings import RunSettings
from turnwise.runners.models.chat import ChatMessage, to_chat
from turnwise.tasks.dialogue import Ask, Dialogue
from turnwise.tasks.plan import strategy_of
from turnwise.training.engines.configuration import EngineTraining, Nodes, skyrl_configuration, verl_overrides
from turnwise.training.engines.environments import SOURCES, Sources
from turnwise.training.engines.versions import RELEASES
from turnwise.training.problems import TrainingProblems

PROBLEMS, TRAIN, JOB, README = "problems.jsonl", "train.py", "job.sbatch", "README.md"
_CONFIGURATION = {"skyrl": "skyrl.yaml", "verl": "verl.overrides"}
_RAY_PORT = 6379
_JOINING_SECONDS = 600


def engine_files(
    engine: str,
    record: RlefRecord,
    problems: TrainingProblems,
    *,
    folder: Path,
    sources: Sources,
    nodes: Nodes | None = None,
) -> dict[str, str]:
    """Return the texts of the files for ``engine`` by their names in ``folder``, which is absolute.

    Raises TurnwiseError for what the engine cannot do that the reference trainer can.
    """
    _check_dialogues(record.dialogues, sources)
    model = record.model["name"]
    training = EngineTraining(
        folder=folder,
        model=str(Path(model).absolute()) if Path(model).exists() else model,
        settings=record.settings,
        problems=sum(len(loaded.asked) for loaded in problems.loaded),
        calls=_most_calls(problems),
        nodes=nodes or Nodes(),
    )
    row = _skyrl_row if engine == "skyrl" else _verl_row
    files = {
        RLEF: json_text(to_json(record), indent=1, ensure_ascii=False) + "\n",
        SOURCES: json_text(to_json(sources), indent=1) + "\n",
        PROBLEMS: "".join(
            json_line(row(number, problem, messages, folder)) + "\n"
            for number, (problem, messages) in enumerate(_first_prompts(problems))
        ),
        TRAIN: _train_text(engine, record.settings.most_spoiled),
        JOB: job_script(engine, training),
        README: _readme(engine, training),
    }
    if engine == "skyrl":
        files[_CONFIGURATION[engine]] = yaml.safe_dump(skyrl_configuration(training), sort_keys=False)
    else:
        files[_CONFIGURATION[engine]] = "\n".join(verl_overrides(training)) + "\n"
        files["agents.yaml"] = "- name: turnwise\n  _target_: turnwise.training.engines.verl.TurnwiseLoop\n"
    return files


def _check_dialogues(dialogues: RunSettings, sources: Sources) -> None:
    """Raise TurnwiseError for dialogues whose history is no row of tokens that only grows, and for code as data."""
    if not dialogues.keep_reasoning:
        raise TurnwiseError(
            "keep_reasoning is false, so that earlier messages are left out later on, and engines only add to a "
            "dialogue: leave it out with --engine."
        )
    if dialogues.prefill:
        raise TurnwiseError("prefill begins the model's answer, which engines cannot: leave it out with --engine.")
    if sources.benchmark and not sources.benchmark.endswith(tuple(JSON_ENDINGS)):
        raise TurnwiseError(
            f"--benchmark {sources.benchmark!r} is no file of JSON lines, and an engine's processes load no code of "
            "others: write its problems as JSON lines (docs/data.md)."
        )


def _most_calls(problems: TrainingProblems) -> int:
    strategies = [strategy_of(problems.settings, loaded.task) for loaded in problems.loaded]
    return max(sum(1 + bool(turn.reasoning) for turn in strategy.turns) for strategy in strategies)


def _first_prompts(problems: TrainingProblems) -> Iterator[tuple[str, list[ChatMessage]]]:
    """Yield each problem's id and the first messages to the model, which hold what it is told of public tests alone."""
    for loaded in problems.loaded:
        plan = problems.plan(loaded.task.name, 1, 0)
        for problem in loaded.asked:
            step = Dialogue(problem, 0, plan).next_step()
            if isinstance(step, Ask):
                yield problem.id, to_chat(step.messages)


def _skyrl_row(number: int, problem: str, messages: list[ChatMessage], folder: Path) -> Mapping[str, object]:
    del number
    return {"prompt": messages, "env_class": "turnwise", "problem": problem, "environment": str(folder)}


def _verl_row(number: int, problem: str, messages: list[ChatMessage], folder: Path) -> Mapping[str, object]:
    extra = {"index": number, "problem": problem, "environment": str(folder)}
    return {"prompt": messages, "data_source": "turnwise", "agent_name": "turnwise", "extra_info": extra}


def _train_text(engine: str, most_spoiled: float) -> str:
    of_engine = f", most_spoiled={most_spoiled!r}" if engine == "skyrl" else ""
    return (
        f'"""Trains by {engine}; what the command line adds, as name=value, comes before the configuration\'s."""\n\n'
        f"from turnwise.training.engines.{engine} import main\n\n"
        'if __name__ == "__main__":\n'
        f'    main("{_CONFIGURATION[engine]}"{of_engine})\n'
    )


def job_script(engine: str, training: EngineTraining) -> str:
    """Return the batch script: Ray's head on the first node, a worker on each other, and train.py once all are there.

    It is bash; a node that does not join within ten minutes ends the job.
    """
    nodes, folder = training.nodes, training.folder
    of_job = {
        "job-name": f"turnwise-rlef-{engine}",
        "nodes": nodes.nodes,
        "ntasks-per-node": 1,
        "cpus-per-task": nodes.cpus,
        "gres": f"gpu:{nodes.gpu_type}:{nodes.gpus}" if nodes.gpu_type else f"gpu:{nodes.gpus}",
        "time": nodes.time_minutes,
        "output": str(folder / "job-%j.log"),
        "open-mode": "append",
        **({"mem": f"{nodes.memory_gb:g}G"} if nodes.memory_gb else {}),
        **{name: value for name in ("partition", "account", "qos") if (value := getattr(nodes, name))},
        **nodes.extra,
    }
    options = [
        f"#SBATCH --{name}" if value is True else f"#SBATCH --{name}={value}"
        for name, value in of_job.items()
        if value is not False
    ]
    exports = [f"export {name}={shlex.quote(str(value))}" for name, value in nodes.environment.items()]
    python = nodes.python
    lines = f"""\
#!/bin/bash
{chr(10).join(options)}
set -eu
{chr(10).join([*nodes.setup, *exports])}
cd {shlex.quote(str(folder))}
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${{nodes[0]}}
on() {{ local node=$1; shift; exec srun --overlap --nodes=1 --ntasks=1 --nodelist="$node" "$@"; }}
address=$(on "$head" hostname --ip-address | awk '{{print $1; exit}}')
export RAY_ADDRESS=$address:{_RAY_PORT}
cpus=${{SLURM_CPUS_PER_TASK:-{nodes.cpus}}}
started=()
trap 'kill "${{started[@]}}" 2>/dev/null || true' EXIT
on "$head" {python} -m ray.scripts.scripts start --head --node-ip-address="$address" --port={_RAY_PORT} \\
    --num-cpus="$cpus" --num-gpus={nodes.gpus} --block &
started+=($!)
for node in "${{nodes[@]:1}}"; do
    on "$node" {python} -m ray.scripts.scripts start --address="$RAY_ADDRESS" \\
        --num-cpus="$cpus" --num-gpus={nodes.gpus} --block &
    started+=($!)
done
(on "$head" {python} -m turnwise.training.engines.ray_nodes {nodes.nodes} {_JOINING_SECONDS})
(on "$head" {python} {TRAIN})
"""
    return "".join(f"{line}\n" for line in lines.splitlines() if line)


def _readme(engine: str, training: EngineTraining) -> str:
    installs = "\n".join(f"    {release.install}" for release in RELEASES[engine])
    return f"""\
# Training by {engine}

Written by `turnwise rlef --engine {engine}`. Nothing was run: docs/engines.md of turnwise says what was checked, and
what to look at in the first iterations.

An environment of its own needs turnwise and the engine:

{installs}

On one node, in this folder:

    {training.nodes.python} {TRAIN}

As a job of {training.nodes.nodes} node(s) with {training.nodes.gpus} GPU(s) each:

    sbatch {JOB}

The same line again goes on from the last checkpoint, in `checkpoints`. Settings of the engine may be added to
`{TRAIN}` as `name=value`; those of RLEF stand in `{_CONFIGURATION[engine]}`. Programs are judged on the nodes' own
CPUs, {training.nodes.cpus} of each.
"""
