"""The options of --metadata: ours and nothing else, each checked; what the model's arguments are is lm_eval's."""

from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.harness.options import KEYS, read_options
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.plan import turns_of

TASK = TASKS["codecontests_multiturn"]
COMMAND = ["/bin/lm_eval", "--model", "hf", "--model_args", "pretrained=m,dtype=auto"]


def _read(arguments: list[str] | None = None, **metadata: Any) -> Any:
    return read_options(TASK, metadata, arguments=arguments or ["python"])


def test_defaults() -> None:
    """One dialogue a problem of the task's three turns, one pass n@k to report, all cores."""
    options = _read()
    assert (options.settings.samples_per_problem, turns_of(options.settings, TASK)) == (1, 3)
    assert (options.n_at_k, options.data_dir, options.workers) == (("1@3",), None, 0)
    assert read_options(TASKS["codecontests_singleturn"], {}, arguments=[]).n_at_k == ("1@1",)


def test_each_key_is_taken(tmp_path: Path) -> None:
    """With JSON's types, as --metadata gives them."""
    options = _read(
        samples_per_problem=4,
        max_turns=2,
        feedback="binary",
        extraction="first",
        n_at_k=["1@2", "2@8"],
        data_dir=str(tmp_path),
        workers=3,
        profile="zheng",
    )
    settings = options.settings
    assert (settings.samples_per_problem, settings.max_turns, settings.feedback) == (4, 2, "binary")
    assert (settings.extraction, options.judge.matcher, options.n_at_k) == ("first", "deepmind", ("1@2", "2@8"))
    assert (options.data_dir, options.workers) == (tmp_path, 3)


def test_the_models_arguments_are_passed_over() -> None:
    """lm_eval puts them among the metadata, wherever they were given."""
    for arguments in (
        COMMAND,
        [*COMMAND[:3], "-a", '{"pretrained": "m", "dtype": "auto"}'],
        ["lm_eval", "--model-args=pretrained=m,dtype=auto"],
        ["lm_eval", "--model_a", "pretrained=m", "dtype=auto"],
        ["python", "own.py"],
    ):
        assert _read(arguments, pretrained="m", dtype="auto", version=1).settings.samples_per_problem == 1


def test_a_configuration_file_has_model_arguments_too(tmp_path: Path) -> None:
    """In lm_eval's own --config."""
    for text in ("model_args: {pretrained: m}", "model_args: pretrained=m,dtype=auto"):
        (tmp_path / "c.yaml").write_text(text)
        assert _read(["lm_eval", "run", "--config", str(tmp_path / "c.yaml")], pretrained="m")
    with pytest.raises(TurnwiseError, match="--metadata 'turns' is unknown"):
        _read(["lm_eval", "run", "--config", str(tmp_path / "c.yaml")], pretrained="m", turns=3)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"turns": 3}, f"--metadata 'turns' is unknown: the keys are {', '.join(KEYS)}."),
        ({"samples_per_problem": 0}, "--metadata samples_per_problem is 0: "),
        ({"samples_per_problem": "3"}, "--metadata samples_per_problem is '3': "),
        ({"max_turns": True}, "--metadata max_turns is True: "),
        ({"n_at_k": "1@3"}, "--metadata n_at_k is '1@3': "),
        ({"n_at_k": ["best"]}, "n_at_k 'best' is not written n@k, such as 1@3 or 10@100."),
        (
            {"n_at_k": ["10@100"]},
            "n_at_k 10@100 draws 33 dialogues of 3 turns per problem, but samples_per_problem is 1",
        ),
        ({"feedback": "praise"}, "Unknown feedback 'praise': choose one of binary, failed_tests, failed_and_passed"),
        ({"extraction": "best"}, "best"),
        ({"profile": "mine"}, "Unknown profile 'mine': choose one of default, zheng, rlef."),
        ({"data_dir": "/does/not/exist"}, "The data directory '/does/not/exist' does not exist"),
        ({"data_dir": 3}, "--metadata data_dir is 3: give the path of a folder."),
        ({"workers": -1}, "--metadata workers is -1: give a whole number, or 0 for the usable cores."),
        ({"feedback": {1, 2}}, "--metadata feedback is {1, 2}, which is no JSON value."),
    ],
)
def test_wrong_keys_and_values_are_one_sentence(metadata: dict[str, Any], message: str) -> None:
    """That names the key, the value and what may stand there."""
    with pytest.raises(TurnwiseError) as caught:
        _read(COMMAND, pretrained="m", **metadata)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_misspelt_key_is_found_where_no_command_line_is() -> None:
    """In a program that calls lm_eval itself only what looks like one of ours can be told from the model's."""
    with pytest.raises(TurnwiseError, match="--metadata 'sample_per_problem' is unknown"):
        _read(sample_per_problem=3)
