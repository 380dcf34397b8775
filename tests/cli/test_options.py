"""Options with closed choices: listed by --help, refused in one sentence, kept by submissions as they were given."""

import inspect
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from enum import Enum, StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
import typer

from turnwise.benchmarks.matching import MATCHERS
from turnwise.cli.app import app
from turnwise.cli.main import _run
from turnwise.commands.options import GridOptions, RunOptions, SubmitOptions
from turnwise.commands.worker import read_options
from turnwise.errors import TurnwiseError
from turnwise.exchange.formats import FORMATS
from turnwise.leaderboard.charts.specs import charts
from turnwise.leaderboard.paper_tables import PAPER_TABLES
from turnwise.records import choices
from turnwise.records.codec import to_json
from turnwise.records.settings import FEEDBACK_KINDS
from turnwise.runners.execution.hardened import TIERS
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import MODELS
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.submission import ClusterFolder, Submission, SubmissionRecord, freeze_submission
from turnwise.tasks.plan import PROFILES

# The axes of a grid stand in place of what a run has one of; an estimate is of one run.
NOT_OF_GRID = {
    "--reasoning",
    "--instruction",
    "--predict-only",
    "--log-samples",
    "--calibrate",
    "--throughput",
    "--gpus",
}


def _commands() -> dict[str, Any]:
    """Return the commands as typed, by what one types."""
    group: Any = typer.main.get_command(app)
    found = {}
    for name, command in group.commands.items():
        found |= {f"{name} {one}": inner for one, inner in getattr(command, "commands", {name: command}).items()}
    return {" ".join(dict.fromkeys(name.split())): command for name, command in found.items()}


def _chosen() -> Iterator[Any]:
    """Yield each option whose annotation is an Enum: the command's words, the option, the members' values."""
    for words, command in _commands().items():
        kinds = {one.name: one.annotation for one in inspect.signature(command.callback).parameters.values()}
        for parameter in command.params:
            kind = get_args(kinds.get(parameter.name)) or (NoneType,)
            for part in (*get_args(kind[0]), kind[0]):
                if isinstance(part, type) and issubclass(part, Enum):
                    option = max(parameter.opts, key=len)
                    yield pytest.param(words, option, [str(one.value) for one in part], id=f"{words} {option}")


CHOSEN = list(_chosen())


def _help(words: str) -> str:
    """Return the help of a command without its line breaks and spaces."""
    command = _commands()[words]
    with command.make_context(words, [], resilient_parsing=True) as context:
        return "".join(command.get_help(context).split())


@pytest.mark.parametrize(("words", "option", "members"), CHOSEN)
def test_help_lists_every_choice(words: str, option: str, members: list[str]) -> None:
    """Of every option that has closed choices."""
    assert "|".join(members) in _help(words).partition(option)[2]


@pytest.mark.parametrize(("words", "option", "members"), CHOSEN)
@pytest.mark.parametrize("value", ["nosuch", "x is not one of 'y'."])
def test_another_choice_is_refused_in_one_sentence(words: str, option: str, members: list[str], value: str) -> None:
    """With what was typed and what there is, and exit status 2."""
    with pytest.raises(TurnwiseError) as caught:
        _run([*words.split(), option, value])
    said = str(caught.value)
    assert repr(value) in said and said.endswith(f"{', '.join(members)}.") and caught.value.exit_status == 2
    name = option.removeprefix("--")
    begins = "Unknown isolation tier " if name == "tier" else f"Unknown {name} "
    assert said.startswith(begins if name in ("model", "profile", "matcher", "feedback", "tier") else f"{option} is ")


def test_these_options_have_choices() -> None:
    """All whose help names a closed set, in every command that has them."""
    names: dict[str, set[str]] = {}
    for words, option, _ in (one.values for one in CHOSEN):
        names.setdefault(str(option), set()).add(str(words))
    asking = {"run", "sample", "submit"}
    assert names == {
        "--model": {*asking, "grid", "rft", "rlef"},
        "--profile": {*asking, "grid", "rft", "rlef"},
        "--dtype": {"rft", "rlef"},
        "--value": {"rlef"},
        "--rollout-engine": {"rlef"},
        "--engine": {"rlef"},
        "--matcher": {*asking, "grid", "judge", "audit", "verify", "check", "rlef"},
        "--tests": {*asking, "grid", "judge", "audit", "verify", "rlef"},
        "--feedback": {*asking, "prompts show", "rlef"},
        "--cluster": {"submit", "resume", "rft", "rlef"},
        "--tier": {"doctor"},
        "--by": {"score"},
        "--interval": {"score", "compare"},
        "--format": {"score", "export", "import"},
        "--table": {"score"},
        "--curve": {"score"},
        "--chart": {"plot"},
        "--turns": {"rft-data"},
        "--learn": {"rft-data"},
    }


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (choices.BackEndName, MODELS),
        (choices.ProfileName, PROFILES),
        (choices.Matcher, MATCHERS),
        (choices.FeedbackKind, FEEDBACK_KINDS),
        (choices.IsolationTier, TIERS),
        (choices.FileFormat, FORMATS),
        (choices.PaperTable, PAPER_TABLES),
        (choices.ChartName, charts()),
        (choices.IntervalChoice, [*choices.Over, *choices.Parity, "none"]),
    ],
)
def test_choices_are_what_can_be_carried_out(kind: type[StrEnum], known: Any) -> None:
    """No more and no less, in the same order."""
    assert [one.value for one in kind] == [str(one) for one in known]


def test_grid_has_the_options_of_run() -> None:
    """But for those that it has axes for, and those that are about one run."""
    run, grid = (
        {max(one.opts, key=len) for one in command.params} for command in (_commands()["run"], _commands()["grid"])
    )
    assert run - grid == NOT_OF_GRID
    assert grid - run == {"--cells", "--temperatures", "--max-turns", "--metric"}
    assert all(name in _help("grid") for name in run - NOT_OF_GRID)


def test_submit_adds_where_a_run_is_carried_out() -> None:
    """To all that run has but what needs a model at hand."""
    run, submit = (
        {max(one.opts, key=len) for one in command.params} for command in (_commands()["run"], _commands()["submit"])
    )
    assert run - submit == {"--predict-only", "--calibrate", "--throughput", "--gpus"}
    assert submit - run == {"--cluster", "--cluster-profile", "--force"}


def _another(value: Any, kind: Any) -> Any:
    """Return a value of an option that is not its default."""
    parts = [part for part in (kind, *get_args(kind)) if isinstance(part, type) and part is not NoneType]
    made: dict[type, Any] = {bool: not value, int: 7, float: 0.5, str: "té,xt\n=", Path: Path("a b/é\udcff")}
    (part,) = parts
    return [one for one in part if one is not value][-1] if issubclass(part, Enum) else made[part]


def _frozen(folder: Path, options: SubmitOptions) -> Submission:
    record = SubmissionRecord(to_json(options), ClusterProfile(), code="0", folder="/", workers=1, submitted=0.0)
    made = freeze_submission(ClusterFolder(folder), record, [])
    return Submission(made.cluster, made.number)


@pytest.mark.parametrize("name", [one.name for one in fields(SubmitOptions)])
def test_a_submission_keeps_every_option(tmp_path: Path, name: str) -> None:
    """As it was given, of the same type, through submission.json; and those that were not typed."""
    bare = SubmitOptions()
    value = _another(getattr(bare, name), get_type_hints(SubmitOptions)[name])
    changed: dict[str, Any] = {name: value}
    options = replace(bare, **changed)
    assert options != bare
    again = read_options(_frozen(tmp_path, options))
    assert again == options and type(getattr(again, name)) is type(value)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"matcher": "mine"}, "matcher: input should be 'tokens', 'exact' or 'deepmind', not 'mine'"),
        ({"own": 1}, "own: unknown field"),
        ({"seed": "1"}, "seed: input should be a valid integer, not '1'"),
        ({"data_dir": 1}, "data_dir: input should be a path, not 1"),
        ({"limit": True}, "limit: input should be a valid number, not True"),
    ],
)
def test_options_that_are_none_are_refused(tmp_path: Path, damage: dict[str, Any], reason: str) -> None:
    """With the field and its value."""
    submission = _frozen(tmp_path, SubmitOptions())
    path = submission.path / "submission.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "options": {**data["options"], **damage}}))
    with pytest.raises(TurnwiseError) as caught:
        read_options(Submission(submission.cluster, submission.number))
    assert str(caught.value) == f"The options in its submission.json cannot be read ({reason}): submit the run again."


def test_a_line_without_options_sets_nothing() -> None:
    """What was not typed leaves the profile and --metadata as they are; what was typed is plain data."""
    assert RunOptions().given() == GridOptions().given() == {}
    typed = RunOptions(
        seed=0,
        time_factor=1.0,
        matcher=choices.Matcher.EXACT,
        feedback=choices.FeedbackKind.LDB,
        skip_broken_rows=True,
        strict_context=True,
    )
    expected = {"seed": 0, "time_factor": 1.0, "matcher": "exact", "feedback": "ldb", "on_error": "skip"}
    assert typed.given() == {**expected, "strict_context": True}
    assert not any(isinstance(one, Enum) for one in typed.given().values())


def test_the_address_of_a_jobs_own_server_is_an_argument_of_its_own() -> None:
    """It reaches the back end whatever the arguments look like, and they stay as typed."""
    wanted = Wanted('model=tiny,request={"a": 1}', base_url="http://node:8000/v1?x=1,y")
    assert wanted.pairs == {"model": "tiny", "request": '{"a": 1}', "base_url": "http://node:8000/v1?x=1,y"}
    assert wanted.arguments == 'model=tiny,request={"a": 1}'
