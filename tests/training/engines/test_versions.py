"""An engine of another release, or with other parameters, is refused in a sentence that names the remedy."""

import inspect
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from types import ModuleType

import pytest

from turnwise.errors import TurnwiseError
from turnwise.training.engines import versions
from turnwise.training.engines.versions import Hook, check_hooks, check_releases, parameters_of


def installed(monkeypatch: pytest.MonkeyPatch, **packages: str) -> None:
    """Let these packages alone be installed."""

    def version(package: str) -> str:
        if package.replace("-", "_") not in packages:
            raise PackageNotFoundError(package)
        return packages[package.replace("-", "_")]

    monkeypatch.setattr(versions, "version", version)


@pytest.mark.parametrize(
    ("engine", "packages"),
    [
        ("skyrl", {"skyrl": "0.3.0", "skyrl_gym": "0.4.0"}),
        ("skyrl", {"skyrl": "0.3.2.dev1", "skyrl_gym": "0.4.10"}),
        ("verl", {"verl": "0.9.1"}),
        ("trl", {"trl": "1.16.0"}),
        ("trl", {"trl": "1.99"}),
    ],
)
def test_releases_that_were_tried_are_taken(
    monkeypatch: pytest.MonkeyPatch, engine: str, packages: dict[str, str]
) -> None:
    """So are later ones of the same series, whose parameters are compared."""
    installed(monkeypatch, **packages)
    check_releases(engine)


@pytest.mark.parametrize(
    ("engine", "packages", "sentence"),
    [
        ("skyrl", {"skyrl": "0.4.0", "skyrl_gym": "0.4.0"}, "skyrl 0.4.0 is installed.*0.3.0 and later, below 0.4"),
        ("skyrl", {"skyrl": "0.3.0", "skyrl_gym": "0.3.9"}, "skyrl-gym 0.3.9 is installed.*skyrl-gym==0.4.0"),
        ("skyrl", {"skyrl": "0.3.0"}, "skyrl-gym is not installed: pip install skyrl-gym==0.4.0"),
        ("verl", {"verl": "0.9.0"}, "verl 0.9.0 is installed.*0.9.1 and later, below 0.10"),
        ("verl", {"verl": "0.10.0"}, "verl 0.10.0 is installed"),
        ("trl", {"trl": "2.0.0rc1"}, "trl 2.0.0rc1 is installed.*1.16 and later, below 2"),
        ("trl", {}, r"trl is not installed: pip install 'turnwise\[train\]'"),
    ],
)
def test_other_releases_are_refused(
    monkeypatch: pytest.MonkeyPatch, engine: str, packages: dict[str, str], sentence: str
) -> None:
    """The sentence has the package, its version, the range and what to install."""
    installed(monkeypatch, **packages)
    with pytest.raises(TurnwiseError, match=sentence):
        check_releases(engine)


class Trainer:
    """What stands for an engine's class."""

    def step(self, model: str, *, data: object = None, **more: object) -> None: ...

    @classmethod
    def load(cls, *paths: str) -> None: ...


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return what lets the adapter of an engine know of one hook."""
    module = ModuleType("a_toy_engine")
    module.Trainer = Trainer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_toy_engine", module)

    def knows(name: str, parameters: str) -> None:
        monkeypatch.setitem(versions.HOOKS, "verl", (Hook("a_toy_engine", name, parameters),))

    return knows


@pytest.mark.parametrize(
    ("name", "parameters"), [("Trainer.step", "self, model, *, data=, **more"), ("Trainer.load", "cls, *paths")]
)
def test_equal_parameters_are_taken(engine: Callable[[str, str], None], name: str, parameters: str) -> None:
    """Names, order, defaults and stars count; types do not."""
    engine(name, parameters)
    check_hooks("verl")


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        ("Trainer.step", "self, model, data=, **more", r"takes \(self, model, \*, data=, \*\*more\), not"),
        ("Trainer.step", "self, model, *, data, **more", "takes"),
        ("Trainer.stop", "self", "Trainer.stop of verl cannot be found"),
        ("Missing.step", "self", "cannot be found.*verl-core"),
    ],
)
def test_other_parameters_are_refused(
    engine: Callable[[str, str], None], name: str, parameters: str, sentence: str
) -> None:
    """A function that was renamed, or takes something else, stops a training before it begins."""
    engine(name, parameters)
    with pytest.raises(TurnwiseError, match=sentence):
        check_hooks("verl")


def test_parameters_are_written_as_python_does() -> None:
    """What Hook has is what inspect has, without types and values."""

    def function(first: int, /, second: int = 1, *rest: int, third: int, fourth: int = 2, **more: int) -> None: ...

    assert parameters_of(function) == "first, second=, *rest, third, fourth=, **more"
    assert len(inspect.signature(function).parameters) == 6
