"""Options as text become settings; what cannot be is one sentence with the thing, the value and the remedy."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.settings import build_settings, read_config
from turnwise.errors import TurnwiseError
from turnwise.runners.settings import PROFILES, RunSettings, Sampling, settings_of
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.strategies import TurnPlan, build_strategy

MULTI, SINGLE = "codecontests_multiturn", "codecontests_singleturn"


def _build(
    *,
    profile: str = "default",
    metadata: str | Mapping[str, Any] = "",
    gen_kwargs: str = "",
    samples: str | Mapping[str, Any] = "",
    tasks: str = MULTI,
    given: Mapping[str, Any] | None = None,
) -> RunSettings:
    return build_settings(
        profile=profile,
        metadata=metadata if isinstance(metadata, str) else json.dumps(metadata),
        gen_kwargs=gen_kwargs,
        samples=samples if isinstance(samples, str) else json.dumps(samples),
        tasks=tasks,
        given=given or {},
    )


def _error(build: Callable[[], object]) -> str:
    """Return the message of the TurnwiseError that ``build`` raises, which is one sentence on one line."""
    with pytest.raises(TurnwiseError) as caught:
        build()
    message = str(caught.value)
    assert re.fullmatch(r"[^\n]+[^.\n]\.", message)
    return message


def test_no_option_is_the_default_profile() -> None:
    """Nothing given, nothing changed."""
    assert _build() == RunSettings() == PROFILES["default"]


def test_every_metadata_key_reaches_its_setting() -> None:
    """lm-eval's names, JSON types."""
    metadata = {
        "samples_per_problem": 20,
        "max_turns": 5,
        "feedback": "binary",
        "extraction": "first",
        "prefill": True,
        "n_at_k": ["1@5", "4@20"],
    }
    assert _build(metadata=metadata) == RunSettings(
        samples_per_problem=20,
        max_turns=5,
        feedback="binary",
        extraction="first",
        prefill=True,
        n_at_k=("1@5", "4@20"),
    )


def test_prompts_reach_their_settings(tmp_path: Path) -> None:
    """Joined names or a list, none for none; a file's turns are the settings' own."""
    found = _build(metadata={"reasoning": "explain_io+difficulty", "instruction": "none", "keep_reasoning": False})
    assert found == RunSettings(reasoning=("explain_io", "difficulty"), keep_reasoning=False)
    assert _build(metadata={"reasoning": ["explain_io"], "strategy": "cot_every_turn"}).strategy_of(TASKS[MULTI]) == (
        build_strategy("cot_every_turn", max_turns=3, reasoning=("explain_io",))
    )
    path = tmp_path / "mine.yaml"
    path.write_text("turns:\n  - instruction: docstrings\n  - {}\n")
    own = _build(given={"strategy": str(path)})
    assert (own.strategy, own.turns) == ("mine", (TurnPlan(instruction="docstrings"), TurnPlan()))
    assert [own.turns_of(TASKS[name]) for name in (MULTI, SINGLE)] == [2, 1]
    assert _build(given={"strategy": str(path)}, metadata={"max_turns": 4}).turns_of(TASKS[MULTI]) == 4
    assert own.to_json()["turns"][0]["instruction"] == "docstrings"
    message = _error(lambda: _build(given={"strategy": str(path)}, metadata={"feedback": "binary"}))
    assert message == f"The strategy file {str(path)!r} says what each turn asks: leave out feedback."


def test_two_programs_in_one_answer_need_the_last_block() -> None:
    """The weak one would be graded."""
    message = _error(lambda: _build(metadata={"instruction": "weak_then_better", "extraction": "first"}))
    assert message.startswith("The instruction weak_then_better asks for two programs and the last is the answer, but")


def test_every_sampling_option_reaches_its_field() -> None:
    """lm-eval's names, spaces around them are of no account; what is not given is left to the server."""
    sampling = _build(gen_kwargs=" temperature=0 , top_p=0.95,top_k=5,max_gen_toks=4096,until=END").sampling
    assert sampling == Sampling(0.0, 0.95, 5, 4096, ("END",))
    assert _build(gen_kwargs="temperature=0.5").sampling == Sampling(temperature=0.5)


def test_samples_name_problems_by_number_or_id() -> None:
    """By task, in the order given."""
    samples = {MULTI: [3, 0, "codecontests/1575_B. x"], SINGLE: [1]}
    chosen = _build(samples=samples, tasks="codecontests_*").samples
    assert chosen == {MULTI: (3, 0, "codecontests/1575_B. x"), SINGLE: (1,)}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_sets_what_it_names(profile: str) -> None:
    """As an option and as a key of the metadata; the settings record its name."""
    assert _build(profile=profile) == _build(metadata={"profile": profile}) == PROFILES[profile]
    assert _build(profile=profile).to_json()["profile"] == profile


def test_what_is_given_goes_before_the_profile() -> None:
    """Metadata, sampling and named options replace their own fields and leave the rest of the profile."""
    settings = _build(
        profile="rlef",
        metadata={"samples_per_problem": 33, "extraction": "longest"},
        gen_kwargs="temperature=1.0",
        given={"matcher": "exact", "seed": 3, "system_instruction": "Be brief."},
    )
    assert settings == RunSettings(
        profile="rlef",
        matcher="exact",
        seed=3,
        system_instruction="Be brief.",
        extraction="longest",
        interpreter="python3.10",
        samples_per_problem=33,
        n_at_k=("1@3", "10@100"),
        sampling=Sampling(temperature=1.0, top_p=0.95),
    )


def test_the_order_of_options_does_not_matter() -> None:
    """A profile named in the metadata is replaced by what stands beside it, too."""
    beside = _build(metadata={"samples_per_problem": 99, "profile": "rlef"})
    assert beside == _build(profile="rlef", metadata={"samples_per_problem": 99})
    assert beside.samples_per_problem == 99


def test_null_leaves_a_setting_as_it_is() -> None:
    """As lm-eval's configurations write it."""
    assert _build(profile="zheng", metadata={"max_turns": None, "n_at_k": None}) == PROFILES["zheng"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"samples_per_problem": 0}, "samples_per_problem is 0: it has to be greater than or equal to 1."),
        ({"samples_per_problem": -3}, "samples_per_problem is -3: it has to be greater than or equal to 1."),
        ({"samples_per_problem": 1.5}, "samples_per_problem is 1.5: it has to be a valid integer."),
        ({"samples_per_problem": "3"}, "samples_per_problem is '3': it has to be a valid integer."),
        ({"max_turns": True}, "max_turns is True: it has to be a valid integer."),
        ({"max_turns": 0}, "max_turns is 0: it has to be greater than or equal to 1."),
        ({"prefill": "yes"}, "prefill is 'yes': it has to be a valid boolean."),
        ({"prefill": 1}, "prefill is 1: it has to be a valid boolean."),
        ({"feedback": 1}, "feedback is 1: it has to be a valid string."),
        ({"n_at_k": "1@3"}, "n_at_k is '1@3': it has to be a valid list."),
        ({"n_at_k": [1]}, "n_at_k is [1]: it has to be a valid string."),
        (
            {"turns": 3},
            "'turns' is unknown: the keys are samples_per_problem, max_turns, strategy, reasoning, instruction, "
            "feedback, keep_reasoning, extraction, prefill, n_at_k, profile.",
        ),
    ],
)
def test_metadata_of_the_wrong_kind_is_refused(metadata: Mapping[str, Any], message: str) -> None:
    """The key, its value and what it has to be."""
    assert _error(lambda: _build(metadata=metadata)) == f"--metadata {message}"


@pytest.mark.parametrize("text", ["{", "[1]", "1", "null", "samples_per_problem=3", "{'max_turns': 3}"])
@pytest.mark.parametrize("option", ["metadata", "samples"])
def test_text_that_is_no_object_is_refused(option: str, text: str) -> None:
    """The text and the right form."""
    arguments: dict[str, Any] = {option: text}
    message = _error(lambda: _build(**arguments))
    assert message == f"--{option} {text!r} is no JSON object: write '{{\"name\": value}}'."


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (
            {"feedback": "kind"},
            "Unknown feedback 'kind': choose one of binary, failed_tests, failed_and_passed, ldb, none, random.",
        ),
        ({"extraction": "all"}, "Unknown extraction 'all': choose one of last, first, longest."),
        ({"profile": "rl"}, "Unknown profile 'rl': choose one of default, zheng, rlef."),
        ({"n_at_k": ["3"]}, "n_at_k '3' is not written n@k, such as 1@3 or 10@100."),
        (
            {"n_at_k": ["1@3", "10@30"], "samples_per_problem": 9},
            "n_at_k 10@30 draws 10 dialogues of 3 turns per problem, but samples_per_problem is 9: give at least 10, "
            "or another n_at_k.",
        ),
        (
            {"n_at_k": ["2@5"], "max_turns": 5},
            "n_at_k 2@5 submits 2 of the 1 dialogues that 5 replies of 5 turns make: give n of at most 1, "
            "or more replies.",
        ),
    ],
)
def test_values_that_do_not_exist_or_fit_are_refused(metadata: Mapping[str, Any], message: str) -> None:
    """The value and those there are, before any work."""
    assert _error(lambda: _build(metadata=metadata)) == message


@pytest.mark.parametrize(
    ("gen_kwargs", "message"),
    [
        ("temperature", "has the part 'temperature': write name=value, separated by commas."),
        ('{"temperature": 1}', "has the part '{\"temperature\": 1}': write name=value, separated by commas."),
        ("temperature=-1", "temperature is '-1': it has to be greater than or equal to 0."),
        ("temperature=inf", "temperature is 'inf': it has to be a finite number."),
        ("temperature=nan", "temperature is 'nan': it has to be a finite number."),
        ("temperature=", "temperature is '': it has to be a valid number, unable to parse string as a number."),
        ("top_p=0", "top_p is '0': it has to be greater than 0."),
        ("top_p=1.01", "top_p is '1.01': it has to be less than or equal to 1."),
        ("top_p=nan", "top_p is 'nan': it has to be less than or equal to 1."),
        ("top_k=0", "top_k is '0': it has to be greater than or equal to 1."),
        ("top_k=2.5", "top_k is '2.5': it has to be a valid integer, unable to parse string as an integer."),
        ("max_gen_toks=0", "max_gen_toks is '0': it has to be greater than or equal to 1."),
        ("max_tokens=9", "'max_tokens' is unknown: the keys are temperature, top_p, top_k, max_gen_toks, until."),
    ],
)
def test_sampling_that_cannot_be_is_refused(gen_kwargs: str, message: str) -> None:
    """The name, its value and what it has to be."""
    assert _error(lambda: _build(gen_kwargs=gen_kwargs)) == f"--gen_kwargs {message}"


@pytest.mark.parametrize("which", [[], 3, "all", None, {}, [True], [1.0], [[1]], [None]])
def test_samples_that_name_no_problems_are_refused(which: object) -> None:
    """The task, what stands there, and an example."""
    assert _error(lambda: _build(samples={MULTI: which})) == (
        f"--samples {MULTI} is {which!r}: give a list of problem numbers or ids, such as "
        "'{\"codecontests_multiturn\": [0, 3]}'."
    )


@pytest.mark.parametrize("name", ["taco_multiturn", "codecontests", ""])
def test_samples_of_a_task_that_is_not_asked_are_refused(name: str) -> None:
    """A typing error would ask the whole task."""
    assert _error(lambda: _build(samples={name: [0]})) == (
        f"--samples names the task {name!r}, which --tasks does not: add it there."
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"limit": 0.0}, "--limit is 0: give a number of problems, or a fraction above 0."),
        ({"limit": -1.0}, "--limit is -1: give a number of problems, or a fraction above 0."),
        ({"limit": float("nan")}, "--limit is nan: give a number of problems, or a fraction above 0."),
        ({"limit": float("inf")}, "--limit is inf: give a number of problems, or a fraction above 0."),
        ({"time_factor": 0.0}, "--time-factor is 0: give a number above 0."),
        ({"time_factor": float("nan")}, "--time-factor is nan: give a number above 0."),
        ({"matcher": "fuzzy"}, "Unknown matcher 'fuzzy': choose one of tokens, exact, deepmind."),
    ],
)
def test_named_options_that_cannot_be_are_refused(given: Mapping[str, Any], message: str) -> None:
    """The option, its value and the remedy."""
    assert _error(lambda: _build(given=given)) == message


def test_an_unknown_task_or_profile_is_refused() -> None:
    """With those there are."""
    assert _error(lambda: _build(tasks="code")).startswith("Unknown task 'code': turnwise tasks lists")
    assert _error(lambda: _build(profile="")) == "Unknown profile '': choose one of default, zheng, rlef."


def test_turns_are_the_tasks_unless_given() -> None:
    """A single-turn task keeps its one turn; one turn for a multi-turn task is the single-turn strategy."""
    multi, single = TASKS[MULTI], TASKS[SINGLE]
    settings = _build(metadata={"max_turns": 5}, tasks="codecontests_*")
    assert [settings.turns_of(task) for task in (multi, single)] == [5, 1]
    assert [RunSettings().turns_of(task) for task in (multi, single)] == [3, 1]
    one = settings_of("default", {"max_turns": 1})
    assert (one.strategy_of(multi).name, one.turns_of(multi)) == ("single_turn", 1)


def test_n_at_k_has_to_fit_every_task() -> None:
    """Ten samples make 10@30 over three turns, but not over one."""
    metadata = {"samples_per_problem": 10, "n_at_k": ["10@30"]}
    assert _build(metadata=metadata, tasks=MULTI).n_at_k == ("10@30",)
    message = _error(lambda: _build(metadata=metadata, tasks=f"{MULTI},{SINGLE}"))
    assert message.startswith("n_at_k 10@30 draws 30 dialogues of 1 turn per problem, but samples_per_problem is 10:")


def test_settings_are_json_and_the_judges_part_stands_elsewhere() -> None:
    """Every field once, tuples as lists, nothing that JSON lacks."""
    data = _build(profile="zheng", gen_kwargs="until=END", samples={MULTI: [0, "x"]}).to_json()
    assert json.loads(json.dumps(data)) == data
    assert set(data) == {*RunSettings.__slots__} - {"matcher", "time_factor", "interpreter"}
    assert (data["samples"], data["sampling"]["stop"]) == ({MULTI: [0, "x"]}, ["END"])


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], dict[str, str | bool | int | float]]:
    """read(text): the options of a yaml file that holds it."""

    def write_and_read(text: str | bytes) -> dict[str, str | bool | int | float]:
        path = tmp_path / "run.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_config(path)

    return write_and_read


Read = Callable[[str | bytes], dict[str, str | bool | int | float]]


def test_a_configuration_is_the_options_as_they_are_typed(read: Read) -> None:
    """Lists are joined by commas, mappings are pairs, metadata and samples JSON; names have dashes."""
    options = read(
        """
        tasks: [codecontests_multiturn, codecontests_singleturn]
        model_args: {path: answers.jsonl, model: "*"}
        gen_kwargs: {temperature: 0.2, max_gen_toks: 100}
        metadata: {samples_per_problem: 2, n_at_k: ["1@3"], prefill: true}
        samples: {codecontests_multiturn: [0, id]}
        output_path: out
        predict-only: true
        limit: 5
        time_factor: 1.5
        profile: zheng
        """
    )
    assert options == {
        "tasks": "codecontests_multiturn,codecontests_singleturn",
        "model-args": "path=answers.jsonl,model=*",
        "gen-kwargs": "temperature=0.2,max_gen_toks=100",
        "metadata": '{"samples_per_problem": 2, "n_at_k": ["1@3"], "prefill": true}',
        "samples": '{"codecontests_multiturn": [0, "id"]}',
        "output-path": "out",
        "predict-only": True,
        "limit": 5,
        "time-factor": 1.5,
        "profile": "zheng",
    }


def test_a_configuration_makes_the_settings_it_says(read: Read) -> None:
    """What read_config returns is what build_settings takes; text in the file is passed on as it is."""
    options = read(
        """
        tasks: [codecontests_multiturn]
        metadata: {samples_per_problem: 2, n_at_k: ["2@6"]}
        gen_kwargs: {temperature: 0.2}
        samples: '{"codecontests_multiturn": [0]}'
        """
    )
    assert build_settings(
        profile="default",
        metadata=str(options["metadata"]),
        gen_kwargs=str(options["gen-kwargs"]),
        samples=str(options["samples"]),
        tasks=str(options["tasks"]),
        given={},
    ) == RunSettings(samples_per_problem=2, n_at_k=("2@6",), sampling=Sampling(temperature=0.2), samples={MULTI: (0,)})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"tasks: [a\nseed: 3", "is no yaml (line 2: expected ',' or ']'"),
        (b"\xff\xfe", "is no yaml (it is not UTF-8)"),
        (b"[" * 5000, "is no yaml (it is nested too deeply)"),
        (b"tasks: !!python/name:os.system", "is no yaml (line 1: could not determine a constructor"),
        (b"seed: 2024-99-99", "is no yaml (month must be in 1..12)"),
        (b"tasks: \0", "is no yaml (unacceptable character #x0000"),
        (None, "cannot be read (No such file or directory)"),
        *((text, "holds no options") for text in (b"", b"# nothing", b"- tasks", b"tasks", b"7")),
    ],
)
def test_a_configuration_that_is_none_is_explained(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """What is wrong and where, and what to write, in one line."""
    path = tmp_path / "run.yaml"
    if content is not None:
        path.write_bytes(content)
    message = _error(lambda: read_config(path))
    assert message.startswith(f"The configuration '{path}' {reason}") and "\n" not in message
    assert message.endswith(": write lines such as 'tasks: taco_multiturn'.")


def test_a_configuration_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    """The reason is the system's."""
    assert "cannot be read (Is a directory)" in _error(lambda: read_config(tmp_path))


def test_a_profiles_metrics_apply_where_they_can() -> None:
    """Single-turn tasks cannot have all of them, and fewer samples support fewer; what is typed is never dropped."""
    assert _build(profile="zheng", tasks=SINGLE).n_at_k == ("1@3", "10@30", "33@100")
    assert _build(profile="zheng", metadata={"samples_per_problem": 10}, tasks=MULTI).n_at_k == ("1@3", "10@30")
    assert "n_at_k 100@300" in _error(lambda: _build(profile="zheng", metadata={"n_at_k": ["100@300"]}, tasks=SINGLE))


def test_two_profiles_are_one_too_many() -> None:
    """Neither goes silently before the other."""
    message = _error(lambda: _build(profile="rlef", metadata={"profile": "zheng"}))
    assert message == "--profile is 'rlef' but --metadata says 'zheng': give one of them."


@pytest.mark.parametrize(
    "text",
    [
        "seed: 2024-13-45",
        "metadata: {feedback: 2024-01-01}",
        "metadata: &a {x: *a}",
        "gen_kwargs: {until: [x]}",
        "gen_kwargs: {until: null}",
    ],
)
def test_a_configuration_of_odd_values_is_named(text: str, tmp_path: Path) -> None:
    """One sentence with the file, whatever yaml makes of the value."""
    (tmp_path / "run.yaml").write_text(text)
    message = _error(lambda: read_config(tmp_path / "run.yaml"))
    assert message.startswith(f"The configuration {str(tmp_path / 'run.yaml')!r} ")


@pytest.mark.parametrize("metadata", ['{"n_at_k": ' + "[" * 100_000, '{"profile": ""}'])
def test_odd_metadata_is_named(metadata: str) -> None:
    """Nesting without end, a profile without a name."""
    assert _error(
        lambda: build_settings(profile="default", metadata=metadata, gen_kwargs="", samples="", tasks=MULTI, given={})
    ).startswith("--metadata ")


def test_an_empty_stop_string_is_refused() -> None:
    """Servers stop at once on it, or refuse it."""
    assert _error(lambda: _build(gen_kwargs="until=")).startswith("--gen_kwargs until is ''")
