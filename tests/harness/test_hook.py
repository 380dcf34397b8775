"""The hook's patch on a TaskManager: our folder first, the user's after it, and nothing else changed."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from turnwise.harness import hook
from turnwise.harness.definitions import definitions_folder
from turnwise.harness.patching import add_definitions


class _Manager:
    """Keeps what it was made with, in lm_eval's signature."""

    def __init__(
        self,
        verbosity: str | None = None,
        include_path: Any = None,
        include_defaults: bool = True,
        metadata: Any = None,
    ) -> None:
        self.made_with = (verbosity, include_path, include_defaults, metadata)


def _patched(manager: Any) -> Any:
    module: Any = ModuleType("lm_eval.tasks")
    module.TaskManager = type("TaskManager", (manager,), {"__init__": manager.__init__})
    add_definitions(module)
    return module


@pytest.fixture(autouse=True)
def _folder_of_its_own(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNWISE_CACHE", str(cache_dir))


@pytest.mark.parametrize(
    ("given", "expected"), [(None, []), ("mine", ["mine"]), (["a", "b"], ["a", "b"]), (("a",), ["a"])]
)
def test_our_folder_comes_first(given: Any, expected: list[str]) -> None:
    """So that definitions of the user's go before ours; by name or by place."""
    made = _patched(_Manager).TaskManager
    for one in (made(None, given), made(include_path=given)):
        assert one.made_with == (None, [str(definitions_folder()), *expected], True, None)


def test_without_lm_evals_own_tasks_ours_are_left_out_too() -> None:
    """Who wants none of the tasks that are there gets none."""
    made = _patched(_Manager).TaskManager
    assert made(include_path="mine", include_defaults=False).made_with == (None, "mine", False, None)


def test_patching_twice_adds_once() -> None:
    """A module that is loaded again is patched again, and no more than that."""
    module = _patched(_Manager)
    add_definitions(module)
    assert module.TaskManager().made_with[1] == [str(definitions_folder())]


def test_another_lm_eval_is_left_as_it_is() -> None:
    """One without a TaskManager, one whose TaskManager takes other arguments."""

    class Other:
        """Takes folders by another name."""

        def __init__(self, folders: Any = None) -> None:
            self.folders = folders

    add_definitions(ModuleType("lm_eval.tasks"))
    assert _patched(Other).TaskManager("x").folders == "x"
    with pytest.raises(TypeError, match="unexpected keyword"):
        _patched(Other).TaskManager(nothing=1)


def test_the_finder_waits_once_and_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not put there twice, not where lm_eval.tasks is loaded already, and not where the switch says so."""
    for value, loaded, expected in (("", False, 1), ("0", False, 1), ("1", False, 0), ("", True, 0)):
        with monkeypatch.context() as changed:
            changed.setattr(sys, "meta_path", [one for one in sys.meta_path if one is not hook._Finder])
            changed.setenv(hook.SWITCH, value)
            changed.delitem(sys.modules, hook.WAITED_FOR, raising=False)
            if loaded:
                changed.setitem(sys.modules, hook.WAITED_FOR, ModuleType(hook.WAITED_FOR))
            hook.install()
            hook.install()
            assert sys.meta_path.count(hook._Finder) == expected
