"""What ``turnwise rlef --engine`` writes: RLEF's numbers, no hidden test, and a script that starts Ray in order."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from engine_training import SETTINGS, ToyTraining, write_files

from turnwise.errors import TurnwiseError
from turnwise.records.choices import EngineName
from turnwise.records.rlef import RlefSettings
from turnwise.training.engines.configuration import (
    EngineTraining,
    Nodes,
    check_training,
    skyrl_configuration,
    verl_overrides,
)
from turnwise.training.engines.environments import Sources
from turnwise.training.engines.files import engine_files, job_script

FOLDER = Path("/shared/it's a run/engine")
PAPER = EngineTraining(FOLDER, "a/model", RlefSettings(), problems=13_000, calls=3, nodes=Nodes(nodes=4))


def at(configuration: Any, place: str) -> Any:
    """Return what stands at a dotted place."""
    for name in place.split("."):
        configuration = configuration[name]
    return configuration


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("trainer.train_batch_size", 1024),
        ("trainer.policy_mini_batch_size", 256),
        ("trainer.critic_mini_batch_size", 256),
        ("trainer.update_epochs_per_batch", 1),
        ("trainer.max_training_steps", 3000),
        ("trainer.epochs", 250),  # 12 iterations go into 13,000 problems
        ("trainer.policy.optimizer_config.lr", 2e-7),
        ("trainer.policy.optimizer_config.weight_decay", 0.1),
        ("trainer.policy.optimizer_config.num_warmup_steps", 50),
        ("trainer.critic.optimizer_config.lr", 2e-7),
        ("trainer.critic.model.path", "a/model"),
        ("trainer.ref.model.path", "a/model"),
        ("trainer.algorithm.use_kl_in_reward", True),
        ("trainer.algorithm.use_kl_loss", False),
        ("trainer.algorithm.kl_loss_coef", 0.05),
        ("trainer.algorithm.kl_estimator_type", "k1"),
        ("trainer.algorithm.advantage_batch_normalize", False),
        ("trainer.algorithm.gamma", 1.0),
        ("trainer.algorithm.lambd", 1.0),
        ("trainer.algorithm.eps_clip_low", 0.2),
        ("trainer.algorithm.eps_clip_high", 0.2),
        ("trainer.algorithm.value_clip", 0.2),
        ("trainer.algorithm.loss_reduction", "token_mean"),
        ("trainer.algorithm.off_policy_correction.tis_ratio_type", "token"),
        ("trainer.algorithm.off_policy_correction.token_tis_ratio_clip_high", 1.0),
        ("generator.n_samples_per_prompt", 1),
        ("generator.sampling_params.temperature", 1.0),
        ("generator.sampling_params.top_p", 1.0),
        ("generator.sampling_params.top_k", -1),
        ("generator.sampling_params.logprobs", 0),
        ("generator.sampling_params.max_generate_length", 2048),
        ("generator.max_input_length", 8192 - 2048),
        ("generator.step_wise_trajectories", False),
        ("generator.use_conversation_multi_turn", True),
        ("generator.inference_engine.num_engines", 32),
        ("environment.env_class", "turnwise"),
    ],
)
def test_skyrl_has_the_numbers_of_the_paper(place: str, value: object) -> None:
    """Under the names of its configuration."""
    assert at(skyrl_configuration(PAPER), place) == value


@pytest.mark.parametrize(
    "line",
    [
        "data.train_batch_size=1024",
        "algorithm.adv_estimator='gae'",
        "algorithm.use_kl_in_reward=true",
        "algorithm.kl_ctrl.kl_coef=0.05",
        "algorithm.gamma=1.0",
        "algorithm.lam=1.0",
        "algorithm.rollout_correction.rollout_is='token'",
        "algorithm.rollout_correction.rollout_is_threshold=1.0",
        "actor_rollout_ref.actor.optim.lr=2e-07",
        "actor_rollout_ref.actor.optim.lr_warmup_steps=50",
        "actor_rollout_ref.actor.ppo_mini_batch_size=256",
        "actor_rollout_ref.actor.clip_ratio_high=0.2",
        "actor_rollout_ref.actor.clip_ratio_c=1000000.0",
        "actor_rollout_ref.actor.use_kl_loss=false",
        "actor_rollout_ref.rollout.temperature=1.0",
        "actor_rollout_ref.rollout.top_p=1",
        "actor_rollout_ref.rollout.calculate_log_probs=true",
        "critic.cliprange_value=0.2",
        "critic.optim.weight_decay=0.1",
        "trainer.nnodes=4",
        "trainer.v1.trainer_mode='turnwise_rlef'",
        "trainer.default_local_dir='/shared/it\\'s a run/engine/checkpoints'",
        "+turnwise.most_spoiled=0.05",
    ],
)
def test_verl_has_the_numbers_of_the_paper(line: str) -> None:
    """As overrides that hydra reads."""
    assert line in verl_overrides(PAPER)


def test_groups_are_samples_of_a_problem_and_not_more_problems() -> None:
    """1,024 rollouts of groups of four are 256 problems, and a minibatch 64 of them, in both engines."""
    training = replace(PAPER, settings=replace(PAPER.settings, group=4))
    configuration, lines = skyrl_configuration(training), verl_overrides(training)
    assert at(configuration, "trainer.train_batch_size") == 256
    assert at(configuration, "trainer.policy_mini_batch_size") == 64
    assert at(configuration, "generator.n_samples_per_prompt") == 4
    assert {
        "data.train_batch_size=256",
        "actor_rollout_ref.actor.ppo_mini_batch_size=64",
        "actor_rollout_ref.rollout.n=4",
    } <= set(lines)


def test_without_values_there_is_no_critic() -> None:
    """And without a penalty no KL, which would need a reference."""
    training = replace(PAPER, settings=replace(PAPER.settings, value="none", beta=0.0))
    configuration, lines = skyrl_configuration(training), verl_overrides(training)
    assert at(configuration, "trainer.critic.model.path") is None
    assert at(configuration, "trainer.algorithm.use_kl_in_reward") is False
    assert {"critic.enable=false", "algorithm.use_kl_in_reward=false"} <= set(lines)


@pytest.mark.parametrize(
    ("settings", "nodes", "sentence"),
    [
        ({"value": "token"}, {}, "--value token is of the reference trainer alone"),
        ({"mask_cut": True}, {}, "--mask-cut is of the reference trainer alone"),
        ({"rollouts": 1024, "minibatches": 3}, {}, "--minibatches 3 does not divide"),
        ({}, {"gpus": 0}, "has no GPUs"),
        ({}, {"gpus": 6}, "A minibatch has 256 dialogues, which 24 GPUs cannot share evenly"),
        ({}, {"tensor_parallel": 3}, "32 GPUs are no multiple of the 3"),
        ({"rollouts": 16_384}, {}, "An iteration asks 16384 problems, and there are 13000: give a larger --group"),
    ],
)
def test_what_engines_cannot_do_is_refused(settings: dict[str, Any], nodes: dict[str, Any], sentence: str) -> None:
    """Before a job waits for it."""
    training = replace(PAPER, settings=replace(PAPER.settings, **settings), nodes=replace(PAPER.nodes, **nodes))
    with pytest.raises(TurnwiseError, match=sentence):
        check_training(training)


@pytest.mark.parametrize("engine", [*EngineName])
def test_no_hidden_test_is_in_any_file(toy: ToyTraining, tmp_path: Path, engine: str) -> None:
    """Of no hidden test an input or output of four characters or more is written; ids and prompts are.

    The miniature's are shorter, so that they are made long here.
    """
    loaded = toy.problems.loaded[0]
    marked = tuple(
        replace(
            problem,
            hidden_tests=tuple(
                replace(test, input=f"hidden-in-{number}", output=f"hidden-out-{number}")
                for number, test in enumerate(problem.hidden_tests)
            ),
        )
        for problem in loaded.asked
    )
    problems = type(toy.problems)([replace(loaded, asked=marked)], toy.problems.settings, toy.problems.prompts)
    files = engine_files(engine, toy.record, problems, folder=tmp_path, sources=toy.sources, nodes=Nodes(gpus=4))
    assert not [name for name, text in files.items() if "hidden-" in text]
    rows = [json.loads(line) for line in files["problems.jsonl"].splitlines()]
    names = [row["problem"] if engine == "skyrl" else row["extra_info"]["problem"] for row in rows]
    assert names == [problem.id for problem in marked]
    assert all(problem.statement in row["prompt"][-1]["content"] for row, problem in zip(rows, marked, strict=True))


@pytest.mark.parametrize(
    ("dialogues", "sources", "sentence"),
    [
        ({"keep_reasoning": False}, {}, "keep_reasoning is false"),
        ({"prefill": True}, {}, "prefill begins the model's answer"),
        ({}, {"benchmark": "own.py"}, "'own.py' is no file of JSON lines"),
    ],
)
def test_dialogues_that_engines_cannot_carry_are_refused(
    toy: ToyTraining, tmp_path: Path, dialogues: dict[str, Any], sources: dict[str, Any], sentence: str
) -> None:
    """Those that edit what was said, and benchmarks that are code."""
    record = replace(toy.record, dialogues=replace(toy.record.dialogues, **dialogues))
    with pytest.raises(TurnwiseError, match=sentence):
        engine_files("verl", record, toy.problems, folder=tmp_path, sources=Sources(**sources))


FAKE = """\
#!/bin/bash
case $(basename "$0") in
scontrol) printf 'n1\\nn2\\nn3\\n' ;;
srun)
    for word in "$@"; do [[ $word == --nodelist=* ]] && node=${word#*=}; done
    while [[ $1 == --* ]]; do shift; done
    [[ $1 == hostname ]] && { echo 10.0.0.1 10.9.9.9; exit; }
    echo "$node $RAY_ADDRESS ${*:2}" >> "$LOG"
    [[ $* == *" start "* ]] && exec sleep 60
    [[ $* == *ray_nodes* ]] && { until (($(grep -c " start " "$LOG") == 3)); do sleep 0.01; done; exit "$JOINED"; }
    exit 0
    ;;
esac
"""


@pytest.mark.parametrize("joined", [True, False])
def test_the_job_starts_ray_on_each_node_and_then_trains(tmp_path: Path, joined: bool) -> None:
    """The head first, on all nodes; nothing trains where one does not join, and nothing is left running."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("scontrol", "srun"):
        (commands / name).write_text(FAKE)
        (commands / name).chmod(0o755)
    folder = tmp_path / "it's a run" / "engine"
    folder.mkdir(parents=True)
    nodes = Nodes(
        nodes=3, gpus=4, cpus=16, gpu_type="h100", setup=("export OF_SETUP=1",), environment={"HF_HOME": "/a b"}
    )
    script = write_files(folder, {"job": job_script("skyrl", replace(PAPER, folder=folder, nodes=nodes))}) / "job"
    log = tmp_path / "log"
    path = f"{commands}:{os.environ['PATH']}"
    environ = {"PATH": path, "LOG": str(log), "JOINED": "0" if joined else "1", "SLURM_JOB_NODELIST": "n[1-3]"}
    ended = subprocess.run(["bash", script], env=environ, capture_output=True, text=True, timeout=30)
    lines = log.read_text().splitlines()
    module = "-m ray.scripts.scripts start"
    started = sorted(line for line in lines if " start " in line)
    assert started == [
        f"n1 10.0.0.1:6379 {module} --head --node-ip-address=10.0.0.1 --port=6379 --num-cpus=16 --num-gpus=4 --block",
        f"n2 10.0.0.1:6379 {module} --address=10.0.0.1:6379 --num-cpus=16 --num-gpus=4 --block",
        f"n3 10.0.0.1:6379 {module} --address=10.0.0.1:6379 --num-cpus=16 --num-gpus=4 --block",
    ]
    waits = "n1 10.0.0.1:6379 -m turnwise.training.engines.ray_nodes 3 600"
    trains = "n1 10.0.0.1:6379 train.py"
    assert [line for line in lines if " start " not in line] == [waits, trains][: 1 + joined]
    assert (ended.returncode == 0) is joined, ended.stderr


def test_the_job_asks_for_what_the_profile_has() -> None:
    """Options of sbatch, its extra ones, and the lines of setup, in this order."""
    nodes = Nodes(4, 8, 96, memory_gb=900, partition="gpu", account="us", gpu_type="h100", extra={"exclusive": True})
    text = job_script("verl", replace(PAPER, nodes=replace(nodes, setup=("module load cuda",))))
    lines = text.splitlines()
    assert lines[0] == "#!/bin/bash" and lines[lines.index("set -eu") + 1] == "module load cuda"
    assert {
        "#SBATCH --nodes=4",
        "#SBATCH --ntasks-per-node=1",
        "#SBATCH --cpus-per-task=96",
        "#SBATCH --gres=gpu:h100:8",
        "#SBATCH --mem=900G",
        "#SBATCH --partition=gpu",
        "#SBATCH --account=us",
        "#SBATCH --exclusive",
    } <= set(lines)


def test_the_program_and_the_configuration_go_together(toy: ToyTraining, tmp_path: Path) -> None:
    """What train.py names is written beside it, for both engines."""
    for engine in [*EngineName]:
        files = engine_files(
            engine, toy.record, toy.problems, folder=tmp_path, sources=toy.sources, nodes=Nodes(gpus=4)
        )
        compile(files["train.py"], "train.py", "exec")
        assert f"from turnwise.training.engines.{engine} import main" in files["train.py"]
        name = next(name for name in files if name in ("skyrl.yaml", "verl.overrides"))
        assert f'main("{name}"' in files["train.py"] and name in files["README.md"]
    assert (
        yaml.safe_load(
            engine_files("skyrl", toy.record, toy.problems, folder=tmp_path, sources=toy.sources, nodes=Nodes(gpus=4))[
                "skyrl.yaml"
            ]
        )["trainer"]["train_batch_size"]
        == SETTINGS.rollouts // SETTINGS.group
    )
