"""What the hook does once lm_eval.tasks is imported: each TaskManager looks into our folder of definitions, too."""

import functools
import importlib.util
import inspect
from contextlib import suppress
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class _Loader(Loader):
    """Loads a module as its own loader does, then adds the definitions to its TaskManager."""

    def __init__(self, own: Loader) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        module.__loader__ = self._own
        self._own.exec_module(module)
        with suppress(Exception):  # a TaskManager that cannot be patched is left as it is
            add_definitions(module)


def spec_with_definitions(name: str) -> ModuleSpec | None:
    """Return the spec of ``name``, loaded with the definitions added; None if there is no such module."""
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.loader is not None:
        spec.loader = _Loader(spec.loader)
    return spec


def add_definitions(tasks: ModuleType) -> None:
    """Make TaskManager of the module lm_eval.tasks look into our definitions first; theirs and the user's go before.

    A TaskManager without lm_eval's own definitions stays without ours. What cannot be patched is left as it is.
    """
    manager = getattr(tasks, "TaskManager", None)
    original = getattr(manager, "__init__", None)
    if manager is None or original is None or getattr(original, "adds_turnwise", False):
        return

    @functools.wraps(original)
    def with_definitions(self: object, *args: object, **kwargs: object) -> None:
        try:
            args, kwargs = _with_folder(original, self, args, kwargs)
        except Exception:  # another signature than we know: lm_eval says itself what is wrong with a call
            original(self, *args, **kwargs)
            return
        original(self, *args, **kwargs)

    with_definitions.adds_turnwise = True  # type: ignore[attr-defined]  # a mark, so that it is done once
    manager.__init__ = with_definitions


def _with_folder(
    original: Any, manager: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[object, ...], dict[str, object]]:
    bound = inspect.signature(original).bind(manager, *args, **kwargs)
    bound.apply_defaults()
    if bound.arguments.get("include_defaults", True):
        from turnwise.harness.definitions import definitions_folder

        given = bound.arguments["include_path"]
        theirs = list(given) if isinstance(given, list | tuple) else [given] if given else []
        bound.arguments["include_path"] = [str(definitions_folder()), *theirs]
    return bound.args[1:], bound.kwargs
