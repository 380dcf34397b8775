"""Options that cannot be: one sentence with the thing, the value and the remedy."""

from collections.abc import Mapping
from typing import Any

import pytest
from built_settings import MULTI, build, error_of


def test_two_programs_in_one_answer_need_the_last_block() -> None:
    """The weak one would be graded."""
    message = error_of(lambda: build(metadata={"instruction": "weak_then_better", "extraction": "first"}))
    assert message.startswith("The instruction weak_then_better asks for two programs and the last is the answer, but")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"samples_per_problem": 0}, "samples_per_problem is 0: it has to be greater than or equal to 1."),
        ({"samples_per_problem": -3}, "samples_per_problem is -3: it has to be greater than or equal to 1."),
        ({"samples_per_problem": 1.5}, "samples_per_problem is 1.5: it has to be a valid integer."),
        ({"samples_per_problem": "3"}, "samples_per_problem is '3': it has to be a valid integer."),
        ({"max_turns": True}, "max_turns is True: it has to be a valid integer."),
        ({"max_turns": 10**9}, "max_turns is 1000000000: it has to be less than or equal to 1000."),
        ({"max_turns": 0}, "max_turns is 0: it has to be greater than or equal to 1."),
        ({"prefill": "yes"}, "prefill is 'yes': it has to be a valid boolean."),
        ({"prefill": 1}, "prefill is 1: it has to be a valid boolean."),
        ({"feedback": 1}, "feedback is 1: it has to be a valid string."),
        ({"n_at_k": "1@3"}, "n_at_k is '1@3': it has to be a valid list."),
        ({"n_at_k": [1]}, "n_at_k is [1]: it has to be a valid string."),
        (
            {"turns": 3},
            "'turns' is unknown: the keys are profile, samples_per_problem, strategy, reasoning, instruction, "
            "feedback, keep_reasoning, extraction, prefill, max_turns, n_at_k, own_solutions, "
            "stub_imports, answers, tests.",
        ),
    ],
)
def test_metadata_of_the_wrong_kind_is_refused(metadata: Mapping[str, Any], message: str) -> None:
    """The key, its value and what it has to be."""
    assert error_of(lambda: build(metadata=metadata)) == f"--metadata {message}"


@pytest.mark.parametrize("text", ["{", "[1]", "1", "null", "samples_per_problem=3", "{'max_turns': 3}"])
@pytest.mark.parametrize("option", ["metadata", "samples"])
def test_text_that_is_no_object_is_refused(option: str, text: str) -> None:
    """The text and the right form."""
    arguments: dict[str, Any] = {option: text}
    message = error_of(lambda: build(**arguments))
    assert message == f"--{option} {text!r} is no JSON object: write '{{\"name\": value}}'."


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (
            {"feedback": "kind"},
            "Unknown feedback 'kind': choose one of binary, failed_tests, failed_and_passed, ldb, none, random.",
        ),
        ({"extraction": "all"}, "Unknown extraction 'all': choose one of last_program, last, first, longest."),
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
    assert error_of(lambda: build(metadata=metadata)) == message


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
        ("presence_penalty=3", "presence_penalty is '3': it has to be less than or equal to 2."),
        ("presence_penalty=-2.1", "presence_penalty is '-2.1': it has to be greater than or equal to -2."),
        ("presence_penalty=nan", "presence_penalty is 'nan': it has to be less than or equal to 2."),
        (
            "max_tokens=9",
            "'max_tokens' is unknown: the keys are temperature, top_p, top_k, max_gen_toks, until, presence_penalty.",
        ),
    ],
)
def test_sampling_that_cannot_be_is_refused(gen_kwargs: str, message: str) -> None:
    """The name, its value and what it has to be."""
    assert error_of(lambda: build(gen_kwargs=gen_kwargs)) == f"--gen_kwargs {message}"


@pytest.mark.parametrize("which", [[], 3, "all", None, {}, [True], [1.0], [[1]], [None]])
def test_samples_that_name_no_problems_are_refused(which: object) -> None:
    """The task, what stands there, and an example."""
    assert error_of(lambda: build(samples={MULTI: which})) == (
        f"--samples {MULTI} is {which!r}: give a list of problem numbers or ids, such as "
        "'{\"codecontests_multiturn\": [0, 3]}'."
    )


@pytest.mark.parametrize("name", ["taco_multiturn", "codecontests", ""])
def test_samples_of_a_task_that_is_not_asked_are_refused(name: str) -> None:
    """A typing error would ask the whole task."""
    assert error_of(lambda: build(samples={name: [0]})) == (
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
    assert error_of(lambda: build(given=given)) == message


def test_an_unknown_task_or_profile_is_refused() -> None:
    """With those there are."""
    assert error_of(lambda: build(tasks="code")).startswith("Unknown task 'code': turnwise tasks lists")
    assert error_of(lambda: build(profile="")) == "Unknown profile '': choose one of default, zheng, rlef."


@pytest.mark.parametrize("metadata", ['{"n_at_k": ' + "[" * 100_000, '{"profile": ""}'])
def test_odd_metadata_is_named(metadata: str) -> None:
    """Nesting without end, a profile without a name."""
    assert error_of(lambda: build(metadata=metadata)).startswith("--metadata ")


def test_a_system_instruction_that_is_no_text_is_refused() -> None:
    """The bytes of another encoding, as a shell hands them on, cannot be recorded."""
    message = error_of(lambda: build(given={"system_instruction": "Be br\udce9f."}))
    assert message == "--system_instruction 'Be br\\udce9f.' holds what UTF-8 cannot: write it in UTF-8."


def test_an_empty_stop_string_is_refused() -> None:
    """Servers stop at once on it, or refuse it."""
    assert error_of(lambda: build(gen_kwargs="until=")).startswith("--gen_kwargs until is ''")
