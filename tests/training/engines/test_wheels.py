"""Our configuration and hooks against the engines' releases themselves, in an environment of their own.

The wheels are installed without what they need, which is gigabytes: their source is parsed, and what reads SkyRL's and
verl's configuration runs with omegaconf and hydra alone.
"""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turnwise.records.rlef import RlefSettings
from turnwise.training.engines.configuration import EngineTraining, Nodes, skyrl_configuration, verl_overrides
from turnwise.training.engines.versions import HOOKS, Hook

pytestmark = pytest.mark.long

WHEELS = ("skyrl==0.3.0", "skyrl-gym==0.4.0", "verl==0.9.1")
LIGHT = ("omegaconf", "hydra-core==1.3.2", "PyYAML")
TRAINING = EngineTraining(
    Path("/a b/engine"), "a/model", RlefSettings(), problems=13_000, calls=3, nodes=Nodes(nodes=4)
)
VARIANTS = [
    RlefSettings(),
    RlefSettings(profile="small", rollouts=128, group=4, lora_rank=32, learning_rate=1e-5),
    RlefSettings(value="none", beta=0.0),
]

# SkyRL's package imports ray, torch and vLLM, so that its one file of dataclasses is run alone; what it imports of
# skyrl-gym are the dataclasses of two environments.
SKYRL = """
import json, sys, types
from dataclasses import dataclass
for name, kind in (("search", "SearchEnvConfig"), ("sql", "Text2SQLEnvConfig")):
    module = types.ModuleType(f"skyrl_gym.envs.{name}.env")
    setattr(module, kind, dataclass(type(kind, (), {})))
    for part in ("skyrl_gym", "skyrl_gym.envs", f"skyrl_gym.envs.{name}"):
        sys.modules.setdefault(part, types.ModuleType(part))
    sys.modules[module.__name__] = module
utils = types.ModuleType("skyrl.backends.skyrl_train.inference_servers.utils")
utils._uses_lora_weight_sync = lambda cfg: False
for part in ("skyrl", "skyrl.backends", "skyrl.backends.skyrl_train", "skyrl.backends.skyrl_train.inference_servers"):
    sys.modules[part] = types.ModuleType(part)
sys.modules[utils.__name__] = utils
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("skyrl_config", sys.argv[1])
config = module_from_spec(spec)
sys.modules["skyrl_config"] = config
spec.loader.exec_module(config)
from dataclasses import asdict
from omegaconf import OmegaConf
# Of the checks of a whole configuration those that import nothing.
import ast, logging, math, os
tree = ast.parse(open(sys.argv[2]).read())
names = ("batch_sizes", "generator_cfg", "inference_engine_cfg")
names = ["_validate_new_inference_cfg", *(f"validate_{name}" for name in names)]
checks = {"SkyRLTrainConfig": config.SkyRLTrainConfig, "math": math, "os": os, "logger": logging}
for node in tree.body:
    if isinstance(node, ast.FunctionDef) and node.name in names:
        exec(compile(ast.Module([node], []), "utils", "exec"), checks)
found = []
for one in json.loads(sys.stdin.read()):
    read = config.SkyRLTrainConfig.from_dict_config(OmegaConf.create(one))
    checks["validate_batch_sizes"](read)
    checks["validate_generator_cfg"](read)
    found.append(asdict(read))
print(json.dumps(found))
"""
VERL = """
import json, sys
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
found = []
with initialize_config_dir(sys.argv[1], version_base=None):
    for lines in json.loads(sys.stdin.read()):
        config = compose("ppo_trainer", lines)
        found.append(OmegaConf.to_container(config, resolve=False))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the engines' wheels, and no torch."""
    folder = tmp_path_factory.mktemp("engines")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    found = folder / "bin" / "python"
    pip = [found, "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--no-deps", *WHEELS], check=True)
    subprocess.run([*pip, *LIGHT], check=True)
    return found


@pytest.fixture(scope="module")
def packages(python: Path) -> Path:
    """Where the wheels are unpacked."""
    return next((python.parents[1] / "lib").glob("python3*/site-packages"))


def run(python: Path, code: str, *arguments: str, given: object) -> Any:
    """Return what ``code`` prints as JSON in the other environment."""
    ended = subprocess.run(
        [python, "-c", code, *arguments], input=json.dumps(given), capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def parameters_in(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return what a function takes as a Hook writes it."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [False] * (len(positional) - len(arguments.defaults)) + [True] * len(arguments.defaults)
    parts = [f"{argument.arg}{'=' * given}" for argument, given in zip(positional, defaults, strict=True)]
    if arguments.vararg:
        parts.append(f"*{arguments.vararg.arg}")
    elif arguments.kwonlyargs:
        parts.append("*")
    parts += [
        f"{argument.arg}{'=' * (default is not None)}"
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return ", ".join([*parts, *([f"**{arguments.kwarg.arg}"] if arguments.kwarg else [])])


def find(body: list[ast.stmt], names: list[str]) -> ast.stmt:
    """Return the definition of a dotted name; the last one, as Python has it."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in body if isinstance(node, kinds) and node.name == names[0]]
    assert found, f"{names[0]} is not there"
    node = found[-1]
    return find(node.body, names[1:]) if names[1:] else node


@pytest.mark.parametrize(
    "hook",
    [hook for engine in ("skyrl", "skyrl-gym", "verl") for hook in HOOKS[engine]],
    ids=lambda hook: f"{hook.module.split('.')[0]}-{hook.name}",
)
def test_hooks_have_the_parameters_that_the_adapters_know(packages: Path, hook: Hook) -> None:
    """In the source of the wheels, whose import needs an accelerator's packages."""
    path = packages / f"{hook.module.replace('.', '/')}.py"
    node = find(ast.parse(path.read_text()).body, hook.name.split("."))
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    assert parameters_in(node) == hook.parameters


def leaves(data: Any, place: str = "") -> dict[str, Any]:
    """Return what stands in a mapping of mappings, by dotted place."""
    if not isinstance(data, dict) or not data:
        return {place: data}
    return {
        name: value
        for key, inner in data.items()
        for name, value in leaves(inner, f"{place}.{key}" if place else str(key)).items()
    }


def of_skyrl(packages: Path) -> tuple[str, str]:
    """Return the files of SkyRL's configuration and of its checks."""
    train = packages / "skyrl" / "train"
    return str(train / "config" / "config.py"), str(train / "utils" / "utils.py")


@pytest.mark.parametrize("settings", VARIANTS, ids=lambda settings: f"{settings.profile}-{settings.value}")
def test_skyrl_reads_our_configuration(python: Path, packages: Path, settings: RlefSettings) -> None:
    """SkyRLTrainConfig refuses unknown names, its checks sizes of batches; what it read is what we wrote."""
    written = skyrl_configuration(replace(TRAINING, settings=settings))
    (found,) = run(python, SKYRL, *of_skyrl(packages), given=[written])
    read = leaves(found)
    for place, value in leaves(written).items():
        stands = (
            read[place]
            if place in read
            else {name: argument for name, argument in read.items() if name.startswith(place)}
        )
        assert stands == value, place


def test_skyrl_refuses_a_name_it_does_not_know(python: Path, packages: Path) -> None:
    """So that the test above can fail."""
    with pytest.raises(AssertionError, match="Invalid fields"):
        run(python, SKYRL, *of_skyrl(packages), given=[{"trainer": {"algorithm": {"beta": 1}}}])
    with pytest.raises(AssertionError, match="should be divisible"):
        run(
            python,
            SKYRL,
            *of_skyrl(packages),
            given=[{"trainer": {"train_batch_size": 100, "policy_mini_batch_size": 7}}],
        )


@pytest.mark.parametrize("settings", VARIANTS, ids=lambda settings: f"{settings.profile}-{settings.value}")
def test_verl_reads_our_overrides(python: Path, packages: Path, settings: RlefSettings) -> None:
    """Hydra composes ppo_trainer with them, and refuses unknown names; each value is as it was written."""
    lines = verl_overrides(replace(TRAINING, settings=settings))
    (found,) = run(python, VERL, str(packages / "verl" / "trainer" / "config"), given=[lines])
    read = leaves(found)
    for line in lines:
        name, _, value = line.removeprefix("+").partition("=")
        if value.startswith("'"):
            assert read[name] == value[1:-1], name
        elif not value.startswith("["):
            assert read[name] == json.loads(value), name
    assert read["data.train_files"] == ["/a b/engine/problems.jsonl"]


def test_verl_refuses_a_name_it_does_not_know(python: Path, packages: Path) -> None:
    """So that the test above can fail."""
    with pytest.raises(AssertionError, match="Could not override"):
        run(python, VERL, str(packages / "verl" / "trainer" / "config"), given=[["algorithm.beta=1"]])


def test_skyrls_estimators_are_given_a_mask_of_ones(packages: Path) -> None:
    """Why the adapter is a trainer and no registered estimator: ``response_mask`` is all of the response, fed back too.

    If a release passes the loss mask here, an estimator does, and the adapter can be shorter.
    """
    path = packages / "skyrl" / "train" / "trainer.py"
    node = find(ast.parse(path.read_text()).body, ["RayPPOTrainer", "compute_advantages_and_returns"])
    calls = [
        call
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("compute_advantages_and_returns")
    ]
    given = {ast.unparse(word.value) for call in calls for word in call.keywords if word.arg == "response_mask"}
    assert "data['response_mask']" in given and not any("loss_mask" in argument for argument in given)


def test_verl_has_one_reward_a_dialogue(packages: Path) -> None:
    """Why the adapter's output is a class of its own: verl's puts one score on the last token."""
    path = packages / "verl" / "experimental" / "agent_loop" / "agent_loop.py"
    text = ast.unparse(find(ast.parse(path.read_text()).body, ["AgentLoopOutput", "as_dict"]))
    assert "rm_scores[-1] = reward_score" in text and "output['rm_scores'] = rm_scores" in text
