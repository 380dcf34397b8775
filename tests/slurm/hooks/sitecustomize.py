"""Recorded answers that take their time, log every call, and may be poison; for workers in their own processes.

TURNWISE_TEST_CALLS names a folder for the calls, TURNWISE_TEST_DELAY the seconds each takes, TURNWISE_TEST_POISON
a problem at whose first call the process is killed, as by the kernel for want of memory.
"""

import importlib.abc
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from typing import Any


class _Patch(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Load the module of recorded answers, changed."""
        if name != "turnwise.runners.models.replay":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        loader: Any = spec.loader
        load = loader.exec_module

        def exec_module(module: Any) -> None:
            load(module)
            _patch(module.ReplaySampler)

        loader.exec_module = exec_module
        return spec


def _patch(sampler: Any) -> None:
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

    sampler.generate = generate


if "TURNWISE_TEST_CALLS" in os.environ:
    sys.meta_path.insert(0, _Patch())
