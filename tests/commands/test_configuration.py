"""A yaml file of options becomes options as one types them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from built_settings import MULTI, build, error_of

from turnwise.commands.settings import read_config
from turnwise.records.settings import RunSettings, Sampling


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
    assert build(
        metadata=str(options["metadata"]),
        gen_kwargs=str(options["gen-kwargs"]),
        samples=str(options["samples"]),
        tasks=str(options["tasks"]),
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
    message = error_of(lambda: read_config(path))
    assert message.startswith(f"The configuration '{path}' {reason}") and "\n" not in message
    assert message.endswith(": write lines such as 'tasks: taco_multiturn'.")


def test_a_configuration_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    """The reason is the system's."""
    assert "cannot be read (Is a directory)" in error_of(lambda: read_config(tmp_path))


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
    message = error_of(lambda: read_config(tmp_path / "run.yaml"))
    assert message.startswith(f"The configuration {str(tmp_path / 'run.yaml')!r} ")
