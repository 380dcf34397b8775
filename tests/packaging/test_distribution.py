"""The wheel and the sdist hold the rooms whole, and an installed wheel works without the tree.

Everything is built from copies of the tree, so nothing is left behind in it. Does not test what the
installed commands do, only that they start.
"""

import configparser
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import turnwise

ROOT = Path(__file__).parents[2]
DIST_INFO = f"turnwise-{turnwise.__version__}.dist-info"
HOOK = "turnwise_lm_eval.pth"

# One worker builds for all of these tests.
pytestmark = pytest.mark.xdist_group("distribution")


def run(*command: str | Path, cwd: Path) -> str:
    """Run ``command`` and return its output; the test fails with all of the output if it fails."""
    # A PYTHONPATH would come before what is installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def copy_tree(destination: Path) -> Path:
    """Copy what is committed or could be (links stay links), without builds, caches and environments."""
    # A checkout may belong to another user than the one who tests it; git refuses that unless told.
    listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = run("git", "-c", f"safe.directory={ROOT}", *listed, cwd=ROOT).split("\0")
    for name in filter(None, names):
        source, target = ROOT / name, destination / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return destination


def build(kind: str, source: Path, destination: Path) -> Path:
    """Build a ``wheel`` or an ``sdist`` with the setuptools of this environment: no second download."""
    command = (sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", destination, source)
    run(*command, cwd=source.parent)
    (built,) = destination.iterdir()
    return built


def content(wheel: Path) -> dict[str, bytes]:
    """Return the bytes of every file in ``wheel`` by its name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def package_folders(tree: Path) -> dict[str, Path]:
    """Return turnwise/ and the rooms, which are the root folders that are packages, by installed name."""
    rooms = sorted(path.parent for path in tree.glob("*/__init__.py") if path.parent.name != "turnwise")
    return {"turnwise": tree / "turnwise", **{f"turnwise.{room.name}": room for room in rooms}}


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, from which the wheel is built."""
    return copy_tree(tmp_path_factory.mktemp("for-wheel") / "tree")


@pytest.fixture(scope="session")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as built from a checkout."""
    return build("wheel", tree, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist as built from a checkout, unpacked."""
    tree = copy_tree(tmp_path_factory.mktemp("for-sdist") / "tree")
    archive = build("sdist", tree, tmp_path_factory.mktemp("sdist"))
    unpacked = tmp_path_factory.mktemp("unpacked")
    run("tar", "--extract", "--file", archive, "--directory", unpacked, cwd=unpacked)
    (folder,) = unpacked.iterdir()
    return folder


def environment_with(folder: Path, *what: str | Path) -> Path:
    """Make an environment in which only ``what`` was installed; return its Python."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    # The dependencies come from this environment's folder, so that nothing is downloaded a second time.
    # It comes last on the path, and its own .pth files (an editable turnwise) are not read from there.
    paths = sysconfig.get_paths()
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{paths['purelib']}\n{paths['platlib']}\n")
    options = ("--no-deps", "--no-index", "--no-compile", "--no-build-isolation", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, *what, cwd=folder.parent)
    return python


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an empty environment in which only the wheel was installed."""
    return environment_with(tmp_path_factory.mktemp("installed") / "environment", wheel).parent


def test_every_package_folder_is_listed() -> None:
    """A folder with an ``__init__.py`` is in setup.cfg's list of packages, and nothing else is."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    found = [
        ".".join((name, *init.parent.relative_to(folder).parts))
        for name, folder in package_folders(ROOT).items()
        for init in folder.rglob("__init__.py")
    ]
    assert sorted(settings["options"]["packages"].split()) == sorted(found)


def test_every_package_is_mapped_to_its_folder() -> None:
    """setup.cfg maps turnwise to turnwise/ and turnwise.<room> to <room>/ for every room there is."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    lines = settings["options"]["package_dir"].strip().splitlines()
    expected = {name: folder.name for name, folder in package_folders(ROOT).items()}
    assert dict(line.split(" = ") for line in lines) == expected


def test_wheel_holds_every_file_of_the_rooms_and_no_other(tree: Path, wheel: Path) -> None:
    """Every file of turnwise/ and of the rooms is in the wheel, unchanged, and nothing is added but the hook."""
    expected = {
        f"{name.replace('.', '/')}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for name, folder in package_folders(tree).items()
        for path in folder.rglob("*")
        if path.is_file()
    }
    shipped = {name: data for name, data in content(wheel).items() if not name.startswith(f"{DIST_INFO}/")}
    assert shipped.pop(HOOK).startswith(b"import ")
    assert sorted(shipped) == sorted(expected)
    assert shipped == expected


def test_nothing_but_turnwise_lands_in_site_packages(wheel: Path) -> None:
    """No room lands beside turnwise under its bare name; the hook of lm_eval is one line."""
    assert {name.split("/")[0] for name in content(wheel)} == {"turnwise", DIST_INFO, HOOK}
    assert content(wheel)[HOOK].count(b"\n") == 1


def test_sdist_holds_no_folder_in_place_of_a_link(sdist: Path) -> None:
    """turnwise/ in the sdist has no link and no folder named like a room, which would shadow that room."""
    rooms = [folder.name for name, folder in package_folders(sdist).items() if name != "turnwise"]
    assert len(rooms) > 1
    assert [room for room in rooms if (sdist / "turnwise" / room).exists()] == []


def test_sdist_holds_what_a_reader_needs(tree: Path, sdist: Path) -> None:
    """README, CHANGELOG, licence and all of docs/ are in the sdist; the tests are not."""
    names = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*")}
    docs = {path.relative_to(tree).as_posix() for path in tree.glob("docs/**/*")}
    assert names >= {"README.md", "CHANGELOG.md", "LICENSE", *docs}
    assert "tests" not in names


def test_wheel_from_the_sdist_is_the_same(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    """The wheel built from the sdist has the names and bytes of the one built from a checkout."""
    again = content(build("wheel", sdist, tmp_path))
    assert sorted(again) == sorted(content(wheel))
    assert again == content(wheel)


def test_installed_package_is_the_wheel(installed: Path, tmp_path: Path) -> None:
    """The environment imports the installed files, and the version is the same in code and metadata."""
    code = "import turnwise, importlib.metadata as m; print(turnwise.__file__, m.version('turnwise'))"
    file, version = run(installed / "python", "-c", code, cwd=tmp_path).split()
    assert Path(file).is_relative_to(installed.parent)
    assert version == turnwise.__version__


@pytest.mark.parametrize("arguments", [("--help",), ("demo", "--help")], ids=" ".join)
def test_installed_command_starts(installed: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """The installed ``turnwise`` prints its help from a folder that is not the tree."""
    assert "Usage" in run(installed / "turnwise", *arguments, cwd=tmp_path)


SEES = "from lm_eval.tasks import TaskManager as T; print(hasattr(T.__init__, 'adds_turnwise'))"


def sees_tasks(python: Path, cwd: Path, **environ: str) -> bool:
    """Return whether lm_eval, started by ``python``, looks into our definitions."""
    command = ("env", *(f"{name}={value}" for name, value in environ.items()), python, "-W", "ignore", "-c", SEES)
    return run(*command, cwd=cwd).strip() == "True"


@pytest.mark.skipif(importlib.util.find_spec("lm_eval") is None, reason="lm_eval is not installed")
class TestHook:
    """lm_eval knows our tasks after nothing but an installation."""

    def test_from_the_wheel(self, installed: Path, tmp_path: Path) -> None:
        """By the wheel's .pth file, unless it is switched off; the definitions are made where they are asked for."""
        assert sees_tasks(installed / "python", tmp_path)
        folder = run("env", f"TURNWISE_CACHE={tmp_path}", installed / "turnwise", "tasks-path", cwd=tmp_path).strip()
        assert (Path(folder) / "taco_easy_multiturn.yaml").is_file() and Path(folder).is_relative_to(tmp_path)
        assert not sees_tasks(installed / "python", tmp_path, TURNWISE_NO_LM_EVAL_HOOK="1")

    def test_from_an_editable_installation_until_it_is_removed(self, tree: Path, tmp_path: Path) -> None:
        """Of turnwise and of lm_eval both; pip uninstall leaves lm_eval as it was, and no file behind."""
        spec = importlib.util.find_spec("lm_eval")
        assert spec is not None and spec.submodule_search_locations
        project = tmp_path / "project"
        shutil.copytree(tree, project, symlinks=True)
        python = environment_with(tmp_path / "environment", "--editable", project)
        (site,) = (tmp_path / "environment").glob("lib/python*/site-packages")
        (tmp_path / "checkout").mkdir()
        (tmp_path / "checkout" / "lm_eval").symlink_to(spec.submodule_search_locations[0])
        (site / "__editable__.lm_eval-0.4.pth").write_text(f"{tmp_path / 'checkout'}\n")
        assert (site / HOOK).exists() and sees_tasks(python, tmp_path)
        asked = ("env", f"TURNWISE_CACHE={tmp_path}", python, "-m", "turnwise", "tasks-path")
        assert (Path(run(*asked, cwd=tmp_path).strip()) / "taco_easy_multiturn.yaml").is_file()
        run(sys.executable, "-m", "pip", "--python", python, "uninstall", "--yes", "turnwise", cwd=tmp_path)
        assert not list(site.glob("*turnwise*"))
        assert not sees_tasks(python, tmp_path)

    def test_whatever_fails_python_starts_as_ever(self, wheel: Path, tmp_path: Path) -> None:
        """A turnwise that is damaged or gone is not mentioned by other programs."""
        python = environment_with(tmp_path / "environment", wheel)
        (site,) = (tmp_path / "environment").glob("lib/python*/site-packages")
        (site / "turnwise" / "harness" / "patching.py").write_text("raise RuntimeError\n")
        assert not sees_tasks(python, tmp_path)
        shutil.rmtree(site / "turnwise")
        done = subprocess.run([python, "-c", "print(1)"], capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("1\n", "")
