"""Options as text become settings."""

import json
from pathlib import Path

from built_settings import MULTI, SINGLE, build, build_config, error_of

from turnwise.records.codec import to_json
from turnwise.records.settings import RunConfig, RunSettings, Sampling, TurnPlan
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.plan import PROFILES, config_of, strategy_of, turns_of
from turnwise.tasks.strategies import build_strategy


def test_no_option_is_the_default_profile() -> None:
    """Nothing given, nothing changed."""
    assert build_config() == RunConfig() == PROFILES["default"]


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
    assert build(metadata=metadata) == RunSettings(
        samples_per_problem=20,
        max_turns=5,
        feedback="binary",
        extraction="first",
        prefill=True,
        n_at_k=("1@5", "4@20"),
    )


def test_prompts_reach_their_settings(tmp_path: Path) -> None:
    """Joined names or a list, none for none; a file's turns are the settings' own."""
    found = build(metadata={"reasoning": "explain_io+difficulty", "instruction": "none", "keep_reasoning": False})
    assert found == RunSettings(reasoning=("explain_io", "difficulty"), keep_reasoning=False)
    every_turn = build(metadata={"reasoning": ["explain_io"], "strategy": "cot_every_turn"})
    expected = build_strategy("cot_every_turn", max_turns=3, reasoning=("explain_io",))
    assert strategy_of(every_turn, TASKS[MULTI]) == expected
    path = tmp_path / "mine.yaml"
    path.write_text("turns:\n  - instruction: docstrings\n  - {}\n")
    own = build(given={"strategy": str(path)})
    assert (own.strategy, own.turns) == ("mine", (TurnPlan(instruction="docstrings"), TurnPlan()))
    assert [turns_of(own, TASKS[name]) for name in (MULTI, SINGLE)] == [2, 1]
    four = build(given={"strategy": str(path)}, metadata={"max_turns": 4})
    assert turns_of(four, TASKS[MULTI]) == 4
    assert to_json(own)["turns"][0]["instruction"] == "docstrings"
    message = error_of(lambda: build(given={"strategy": str(path)}, metadata={"feedback": "binary"}))
    assert message == f"The strategy file {str(path)!r} says what each turn asks: leave out feedback."


def test_every_sampling_option_reaches_its_field() -> None:
    """lm-eval's names, spaces around them are of no account; what is not given is left to the server."""
    given = " temperature=0 , top_p=0.95,top_k=5,max_gen_toks=4096,until=END,presence_penalty=-0.5"
    assert build(gen_kwargs=given).sampling == Sampling(0.0, 0.95, 5, 4096, ("END",), presence_penalty=-0.5)
    assert build(gen_kwargs="temperature=0.5").sampling == Sampling(temperature=0.5)


def test_a_presence_penalty_is_recorded_only_where_it_is_given() -> None:
    """Zero is given; run.json is that of earlier runs where nothing is."""
    zero = build(gen_kwargs="presence_penalty=0").sampling
    assert zero.told() == {"presence_penalty": 0.0} and to_json(zero)["presence_penalty"] == 0.0
    assert to_json(build().sampling) == {
        "temperature": None,
        "top_p": None,
        "top_k": None,
        "max_tokens": None,
        "stop": [],
    }


def test_samples_name_problems_by_number_or_id() -> None:
    """By task, in the order given."""
    samples = {MULTI: [3, 0, "codecontests/1575_B. x"], SINGLE: [1]}
    chosen = build(samples=samples, tasks="codecontests_*").samples
    assert chosen == {MULTI: (3, 0, "codecontests/1575_B. x"), SINGLE: (1,)}


def test_turns_are_the_tasks_unless_given() -> None:
    """A single-turn task keeps its one turn; one turn for a multi-turn task is the single-turn strategy."""
    multi, single = TASKS[MULTI], TASKS[SINGLE]
    settings = build(metadata={"max_turns": 5}, tasks="codecontests_*")
    assert [turns_of(settings, task) for task in (multi, single)] == [5, 1]
    assert [turns_of(RunSettings(), task) for task in (multi, single)] == [3, 1]
    one = config_of("default", {"max_turns": 1}).settings
    assert (strategy_of(one, multi).name, turns_of(one, multi)) == ("single_turn", 1)


def test_n_at_k_has_to_fit_every_task() -> None:
    """Ten samples make 10@30 over three turns, but not over one."""
    metadata = {"samples_per_problem": 10, "n_at_k": ["10@30"]}
    assert build(metadata=metadata, tasks=MULTI).n_at_k == ("10@30",)
    message = error_of(lambda: build(metadata=metadata, tasks=f"{MULTI},{SINGLE}"))
    assert message.startswith("n_at_k 10@30 draws 30 dialogues of 1 turn per problem, but samples_per_problem is 10:")


def test_settings_are_json_and_the_judges_part_stands_elsewhere() -> None:
    """Every field once, but for what is named where it is set; tuples as lists, nothing that JSON lacks."""
    data = to_json(build(profile="zheng", gen_kwargs="until=END", samples={MULTI: [0, "x"]}))
    assert json.loads(json.dumps(data)) == data
    if_set = {"strict_context", "own_solutions", "decoys", "chat_template", "seeds_sent"}
    assert set(data) == {*RunSettings.__slots__} - if_set
    assert (data["samples"], data["sampling"]["stop"]) == ({MULTI: [0, "x"]}, ["END"])
