"""Grids: which cells there are, what they share, and that kill -9 costs no call twice."""

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from synthetic import SyntheticSampler, call_of

from turnwise.errors import TurnwiseError
from turnwise.records.codec import to_line
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import INSTRUCTIONS, NONE, REASONING, RunSettings, Sampling, TurnPlan
from turnwise.records.trajectory import Reply
from turnwise.runners.execution.interface import Executor
from turnwise.runners.grid import Axes, Cell, Grid, choose_prompts, distinct_cells, donors_of, plan_cells, run_grid
from turnwise.runners.loading import LoadedTask, Machine, load_task
from turnwise.runners.models.sampler import Request
from turnwise.runners.store import Donor
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.prompts import PromptSet

MULTI, SINGLE = TASKS["sample_codecontests_multiturn"], TASKS["sample_codecontests_singleturn"]
PROMPTS = PromptSet.load()
COUNTED_GRID = Path(__file__).with_name("counted_grid.py")


def _cells(axes: Axes, **settings: Any) -> list[Cell]:
    return plan_cells(RunSettings(**settings), axes, PROMPTS)


def test_the_whole_grid_has_63_cells() -> None:
    """Each reasoning with each instruction, none included, by name."""
    cells = _cells(Axes())
    names = [f"{one}+{two}" for one in (NONE, *REASONING) for two in (NONE, *INSTRUCTIONS)]
    assert [cell.name for cell in cells] == names and len(cells) == 63
    by_name = {cell.name: cell.settings for cell in cells}
    assert by_name["self_reflection+weak_then_better"].reasoning == ("self_reflection",)
    assert by_name["self_reflection+weak_then_better"].instruction == "weak_then_better"
    assert by_name["none+none"] == RunSettings()


def test_globs_choose_and_several_reasoning_steps_can_be_named() -> None:
    """In the grid's order; what the grid has not stands last."""
    chosen = choose_prompts("difficulty+*comments, none+none,explain_io+problem_tag+docstrings", PROMPTS)
    assert chosen == [((), ""), (("difficulty",), "line_comments"), (("explain_io", "problem_tag"), "docstrings")]
    for pattern, message in (
        ("magic+*", "selects none of the 63"),
        ("magic+none", "no reasoning 'magic'"),
        ("", "sel"),
    ):
        with pytest.raises(TurnwiseError, match=message):
            choose_prompts(pattern, PROMPTS)


def test_every_axis_multiplies_the_cells() -> None:
    """A cell is named by its value on each axis that was given; a strategy with prompts of its own is one cell."""
    axes = Axes(
        "none+none,difficulty+none",
        {"": {}, "cot_retry": {"strategy": "cot_retry"}, "mine": {"strategy": "mine", "turns": (TurnPlan(),)}},
        feedback=["binary", "ldb"],
        temperatures=[0.2, 1.0],
        max_turns=[3, 5],
    )
    cells = _cells(axes, sampling=Sampling(top_p=0.95))
    assert len(cells) == 4 * 2 * 2 * 2 == len({cell.name for cell in cells})
    one = next(cell for cell in cells if cell.name == "difficulty+none,feedback=ldb,temperature=0.2,max_turns=5")
    assert (one.settings.feedback, one.settings.max_turns) == ("ldb", 5)
    assert one.settings.sampling == Sampling(temperature=0.2, top_p=0.95)
    strategies = {cell.name.split(",")[0]: cell.settings.strategy for cell in cells}
    assert strategies == {"none+none": "", "difficulty+none": "", "cot_retry": "cot_retry", "mine": "mine"}


def test_cells_that_ask_the_same_are_one() -> None:
    """Feedback has no say in a single turn."""
    cells = _cells(Axes("none+none", feedback=["binary", "ldb"], temperatures=[0.2, 1.0]))
    assert len(distinct_cells(cells, [SINGLE])) == 2
    assert len(distinct_cells(cells, [SINGLE, MULTI])) == 4


@pytest.fixture(scope="module")
def loaded(executor: Executor, tmp_path_factory: pytest.TempPathFactory) -> tuple[LoadedTask, Machine]:
    """The multi-turn sample task, and a machine."""
    machine = Machine(executor, tmp_path_factory.mktemp("cache"), workers=2)
    return load_task(MULTI, RunSettings(), machine), machine


def _run(
    loaded: tuple[LoadedTask, Machine], output: Path, axes: Axes
) -> tuple[SyntheticSampler, list[str], list[Cell]]:
    """Run a grid and return its model and the cells that were not finished before."""
    task, machine = loaded
    repair = {"failed_tests": 0.3, "binary": 0.3, "ldb": 0.3}
    model = SyntheticSampler(task.asked, first=0.3, repair=repair)
    cells = _cells(axes)
    grid = Grid(cells, [task], lambda _: model, PROMPTS, {})
    return model, [ran.cell.name for ran in run_grid(grid, machine, output=output) if ran.sampled is not None], cells


class _Engine(SyntheticSampler):
    """A model that is loaded once, sampled in several ways, and lives in one event loop."""

    samplings: tuple[Sampling, ...] = ()
    closed = 0
    _loop: asyncio.AbstractEventLoop | None = None

    def with_sampling(self, sampling: Sampling) -> Self:
        self.samplings = (*self.samplings, sampling)
        return self

    async def generate(self, request: Request) -> Reply | None:
        self._loop = self._loop or asyncio.get_running_loop()
        assert asyncio.get_running_loop() is self._loop
        return self.answer(request)

    async def close(self) -> None:
        assert asyncio.get_running_loop() is self._loop
        self.closed += 1


def test_all_cells_share_one_engine(loaded: tuple[LoadedTask, Machine], tmp_path: Path) -> None:
    """It is opened once, asked at every temperature in one event loop, and closed once at the end."""
    task, machine = loaded
    engine = _Engine(task.asked, first=0.3, repair={"failed_tests": 0.3})
    opened: list[RunSettings] = []

    def open_model(settings: RunSettings) -> _Engine:
        opened.append(settings)
        return engine

    cells = _cells(Axes("none+none", temperatures=[0.2, 0.8], max_turns=[2, 3]))
    grid = Grid(cells, [task], open_model, PROMPTS, {})
    assert len(list(run_grid(grid, machine, output=tmp_path / "grid"))) == 4
    assert len(opened) == 1 and engine.closed == 1
    assert list(engine.samplings) == [cell.settings.sampling for cell in cells]


def test_what_is_asked_alike_is_asked_once(loaded: tuple[LoadedTask, Machine], tmp_path: Path) -> None:
    """The reasoning before other instructions, the first turn before other feedback; no call twice in the grid."""
    axes = Axes("none+none,difficulty+*s", feedback=["binary", "failed_tests"], max_turns=[2, 3])
    model, _, cells = _run(loaded, tmp_path / "grid", axes)
    assert max(Counter(map(json.dumps, model.calls)).values()) == 1
    replies = sum(
        len(turn.calls)
        for cell in cells
        for one in RunFolder(tmp_path / "grid" / cell.name).trajectories(MULTI.name)
        for turn in one.turns
    )
    assert len(model.calls) < replies / 2


@pytest.mark.slow
def test_the_whole_grid_asks_71_calls_a_dialogue(loaded: tuple[LoadedTask, Machine], tmp_path: Path) -> None:
    """One for each of the 8 reasoning prompts and one for each of the 63 cells, for 119 replies."""
    machine = loaded[1]
    task = load_task(SINGLE, RunSettings(limit=1), machine)
    model = SyntheticSampler(task.asked, first=0.3)
    cells = _cells(Axes())
    list(run_grid(Grid(cells, [task], lambda _: model, PROMPTS, {}), machine, output=tmp_path))
    runs = [RunFolder(tmp_path / cell.name).trajectories(SINGLE.name) for cell in cells]
    replies = sum(len(turn.calls) for run in runs for one in run for turn in one.turns)
    assert (len(model.calls), replies) == (8 + 63, 7 + 2 * 56)


def test_a_cell_of_a_grid_is_the_run_it_would_be_alone(loaded: tuple[LoadedTask, Machine], tmp_path: Path) -> None:
    """Sharing changes no byte of any trajectory."""
    axes = Axes("none+none,difficulty+*s", feedback=["binary", "ldb"])
    _, _, cells = _run(loaded, tmp_path / "grid", axes)
    for cell in cells[::3]:
        name, _, feedback = cell.name.partition(",feedback=")
        _run(loaded, tmp_path / "alone" / cell.name, Axes(name, feedback=[feedback]))
        together, alone = (RunFolder(tmp_path / path / cell.name) for path in ("grid", f"alone/{cell.name}"))
        lines = [[to_line(one) for one in folder.trajectories(MULTI.name)] for folder in (together, alone)]
        assert lines[0] == lines[1]


def test_a_finished_cell_is_not_opened_again(loaded: tuple[LoadedTask, Machine], tmp_path: Path) -> None:
    """Another setting in its folder is refused; more cells can join."""
    _, ran, _ = _run(loaded, tmp_path / "grid", Axes("none+none,difficulty+none"))
    assert ran == ["none+none", "difficulty+none"]
    model, ran, _ = _run(loaded, tmp_path / "grid", Axes("none+none,difficulty+none,difficulty+docstrings"))
    assert ran == ["difficulty+docstrings"]
    assert {tuple(call[3:5]) for call in model.calls if call[3] == 0} == {(0, 1)}  # the reasoning was there
    task, machine = loaded
    other = Grid([Cell("none+none", RunSettings(seed=9))], [task], lambda _: model, PROMPTS, {})
    with pytest.raises(TurnwiseError, match="holds another run"):
        list(run_grid(other, machine, output=tmp_path / "grid"))


def test_a_donor_is_asked_only_for_exactly_the_same(loaded: tuple[LoadedTask, Machine], tmp_path: Path) -> None:
    """The whole conversation before a call has to be equal, not only its last message."""
    _, _, (cell,) = _run(loaded, tmp_path / "grid", Axes("difficulty+none"))
    folder = RunFolder(tmp_path / "grid" / cell.name)
    donor = Donor(folder)
    asked = SyntheticSampler(loaded[0].asked, first=0.3, repair={"failed_tests": 0.3})
    requests: list[Request] = []

    class Recording(SyntheticSampler):
        def answer(self, request: Request) -> Reply:
            requests.append(request)
            return asked.answer(request)

    recording = Recording(loaded[0].asked, first=0.3)
    again = Grid([cell], [loaded[0]], lambda _: recording, PROMPTS, {})
    list(run_grid(again, loaded[1], output=tmp_path / "again"))
    assert len(requests) > 8
    for request in requests:
        assert donor.find(request) == asked.answer(request)
        for place in range(len(request.messages)):
            changed = [*request.messages]
            changed[place] = replace(changed[place], content=changed[place].content + " ")
            assert donor.find(replace(request, messages=tuple(changed))) is None
        assert donor.find(replace(request, sample=99)) is None
        assert donor.find(replace(request, turn=9)) is None
    assert len({json.dumps(call_of(request)) for request in requests}) == len(requests)


def test_the_donor_is_the_cell_that_begins_most_alike() -> None:
    """Never one at another temperature."""
    not_read: Any = None
    task = LoadedTask(MULTI, not_read, ())
    axes = Axes("none+none,difficulty+none,difficulty+docstrings", feedback=["binary", "ldb"], temperatures=[0.2, 1.0])
    grid = Grid(_cells(axes), [task], lambda _: SyntheticSampler([], first=0), PROMPTS, {})
    found = {cell.name: [one.name for one in donors_of(grid, number)] for number, cell in enumerate(grid.cells)}
    assert found["none+none,feedback=binary,temperature=0.2"] == []
    assert found["none+none,feedback=ldb,temperature=0.2"] == ["none+none,feedback=binary,temperature=0.2"]
    assert found["difficulty+none,feedback=binary,temperature=1.0"] == []
    assert found["difficulty+docstrings,feedback=ldb,temperature=1.0"] == [
        "difficulty+docstrings,feedback=binary,temperature=1.0"
    ]
    assert found["difficulty+docstrings,feedback=binary,temperature=1.0"] == [
        "difficulty+none,feedback=binary,temperature=1.0"
    ]


class _Attempts:
    """Attempts at one grid, and the calls that each made to the model."""

    def __init__(
        self, folder: Path, cells: str, task: str, data_dir: Path | None, *, problems: int, samples: int
    ) -> None:
        self.folder = folder
        self.output = folder / "grid"
        self._arguments = [cells, task, str(data_dir or "-"), str(problems), str(samples)]
        self.logs: list[Path] = []
        folder.mkdir(parents=True)

    def start(self) -> subprocess.Popen[bytes]:
        self.logs.append(self.folder / f"calls{len(self.logs)}")
        self.logs[-1].touch()
        command = [sys.executable, COUNTED_GRID, self.output, self.folder / "cache", self.logs[-1], *self._arguments]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self) -> list[str]:
        process = self.start()
        said, errors = process.communicate()
        assert process.returncode == 0, errors.decode()
        return said.decode().splitlines()

    def result(self) -> dict[str, bytes]:
        found = self.output.glob("*/trajectories/**/*")
        return {str(path.relative_to(self.output)): path.read_bytes() for path in found if path.is_file()}

    def logged(self) -> int:
        """Return how many calls were begun so far."""
        return sum(log.read_bytes().count(b"\n") for log in self.logs)

    def answered(self) -> int:
        """Return how many different calls were made; only those in flight at a kill may have been made again."""
        lines = [line for log in self.logs for line in log.read_text().splitlines() if line.endswith("]")]
        twice = [line for line, count in Counter(lines).items() if count > 1]
        assert len(twice) <= 4 * (len(self.logs) - 1)  # in flight at a kill: twice the two workers, logged not answered
        return len(set(lines))


def _kill_and_resume(
    folder: Path, *, kills: int, cells: str, task: str, data_dir: Path | None, problems: int, samples: int = 1
) -> None:
    whole = _Attempts(folder / "whole", cells, task, data_dir, problems=problems, samples=samples)
    lines, total = whole.finish(), whole.logged()
    killed = _Attempts(folder / "killed", cells, task, data_dir, problems=problems, samples=samples)
    moments = random.Random(kills)
    for number in range(kills):
        process = killed.start()
        wanted = (number + moments.uniform(0.2, 0.7)) * total / kills
        while killed.logged() < wanted and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert killed.logged() > 0 and killed.answered() < whole.answered()  # else nothing is tested
    killed.finish()
    assert killed.result() == whole.result() and len(list(whole.output.glob("*/finished"))) == len(lines)
    assert killed.answered() == whole.answered()
    before = killed.answered()
    assert {line.rpartition(" ")[2] for line in killed.finish()} == {"before"}
    assert killed.logs[-1].read_text() == "" and killed.answered() == before


@pytest.mark.slow
def test_a_killed_grid_goes_on_to_the_same_files(tmp_path: Path) -> None:
    """Byte-identical to an undisturbed one; calls in flight aside, none is made twice; finished cells stay closed."""
    _kill_and_resume(
        tmp_path, kills=2, cells="none+none,difficulty+*s", task="sample_taco_multiturn", data_dir=None, problems=4,
        samples=5,
    )  # fmt: skip


@pytest.mark.long
@pytest.mark.data
def test_the_whole_grid_on_twenty_real_problems_survives_kills(tmp_path: Path, data_dir: Path) -> None:
    """All 63 cells."""
    _kill_and_resume(tmp_path, kills=3, cells="*", task="taco_singleturn", data_dir=data_dir, problems=20)
