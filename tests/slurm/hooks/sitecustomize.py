"""Recorded answers that take their time, log every call, and may be poison; for workers in their own processes.

TURNWISE_TEST_CALLS names a folder for the calls, TURNWISE_TEST_DELAY the seconds each takes, TURNWISE_TEST_POISON
a problem at whose first call the process is killed, as by the kernel for want of memory.

With TURNWISE_TEST_STEPS the trainer of a job is the one of fake_trainer.py, which makes so many steps.
"""

import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any


class _Patch(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, patch: Callable[[Any], None]) -> None:
        self._module, self._patch = module, patch

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Load the module, changed."""
        if name != self._module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        loader: Any = spec.loader
        load = loader.exec_module

        def exec_module(module: Any) -> None:
            load(module)
            self._patch(module)

        loader.exec_module = exec_module
        return spec


def _patch_answers(module: Any) -> None:
    import asyncio
    import json
    import signal
    from pathlib import Path

    async def generate(self: Any, request: Any) -> Any:
        call = [request.task, request.problem, request.sample, request.turn, request.call]
        with Path(os.environ["TURNWISE_TEST_CALLS"], f"{os.getpid()}-{id(self)}").open("a") as file:
            file.write(json.dumps(call) + "\n")
        if request.problem == os.environ.get("TURNWISE_TEST_POISON"):
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(float(os.environ.get("TURNWISE_TEST_DELAY", "0")))
        return self.answer(request)

    module.ReplaySampler.generate = generate


def _patch_trainer(module: Any) -> None:
    from pathlib import Path

    from turnwise.errors import InfrastructureError, TurnwiseError

    steps = int(os.environ["TURNWISE_TEST_STEPS"])

    def plan_job(*_: Any, **__: Any) -> Any:
        return module.PlannedJob(["Steps: as many as the test says."], steps, [])

    def train_job(*given: Any, stop: Any, **_: Any) -> int:
        if refusal := os.environ.get("TURNWISE_TEST_REFUSAL"):
            kind = TurnwiseError if refusal == "2" else InfrastructureError
            raise kind("the model is not there: mend -a model=.")
        sys.path.insert(0, str(Path(__file__).parents[1]))
        import fake_trainer

        options = given[-1]
        if is_rlef := module.__name__.endswith("rlef"):
            print(f"Frozen: {options.benchmark}", flush=True)
        return fake_trainer.train(options.output_path, steps, stop, "rlef" if is_rlef else "rft")

    if module.__name__.endswith("rlef"):
        module.plan_rlef_job, module.train_rlef_job = plan_job, train_job
    else:
        module.plan_job, module.train_job = plan_job, train_job


if "TURNWISE_TEST_CALLS" in os.environ:
    sys.meta_path.insert(0, _Patch("turnwise.runners.models.replay", _patch_answers))
if "TURNWISE_TEST_STEPS" in os.environ:
    for method in ("rft", "rlef"):
        sys.meta_path.insert(0, _Patch(f"turnwise.commands.{method}", _patch_trainer))
