"""turnwise's environment among skyrl-gym's: 60 dialogues, by skyrl-gym's own ``make``, in 8 threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from engine_training import ToyTraining

skyrl_gym = pytest.importorskip("skyrl_gym", reason="skyrl-gym is not installed: pip install 'turnwise[test-models]'")

from turnwise.records.report import Verdict  # noqa: E402 - needs what is skipped for above
from turnwise.training.engines import environments  # noqa: E402 - as above
from turnwise.training.engines.environments import OpenedEnvironments  # noqa: E402 - as above
from turnwise.training.engines.gym import TurnwiseEnv, register_environment  # noqa: E402 - as above
from turnwise.training.engines.versions import check_hooks  # noqa: E402 - as above
from turnwise.training.environment import Info, Step  # noqa: E402 - as above

FOLDER = "/a/folder"
WRONG, RIGHT = (f"```python\nprint(int(input())*{number})\n```" for number in (4, 7))


@pytest.fixture
def make(toy: ToyTraining, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return what makes an environment as SkyRL does."""
    monkeypatch.setitem(environments._OPENED, FOLDER, OpenedEnvironments(toy.record, toy.environments))
    register_environment()

    def made(problem: str) -> Any:
        return skyrl_gym.make("turnwise", env_config={}, extras={"environment": FOLDER, "problem": problem})

    yield made


def test_60_dialogues_in_8_threads(make: Any) -> None:
    """Each is told of its own program: no code, a wrong program and the right one earn -0.2, 0 and 1."""

    def play(number: int) -> tuple[str, tuple[float, ...], bool, dict[str, float]]:
        environment = make("toy_train/mul-7-hidden")
        messages, _ = environment.init([{"role": "user", "content": "not this"}])
        steps = [environment.step(text) for text in (f"I do not know {number}.", WRONG, RIGHT)]
        assert [message["role"] for message in messages] == ["user"] and "mul k" in messages[0]["content"]
        assert all([message["role"] for message in step["observations"]] == ["user"] for step in steps[:2])
        told = steps[1]["observations"][0]["content"]
        environment.close()
        return told, tuple(step["reward"] for step in steps), steps[2]["done"], environment.get_metrics()

    with ThreadPoolExecutor(8) as pool:
        played = list(pool.map(play, range(60)))
    assert {rewards for _, rewards, _, _ in played} == {(-0.2, 0.0, 1.0)}
    assert len({told for told, _, _, _ in played}) == 1 and "4" in played[0][0]
    metrics = {"spoiled": 0.0, "late_reward": 0.0, "solved": 1.0, "turns": 3.0}
    assert all(done and found == metrics for _, _, done, found in played)


def test_what_a_step_says_is_words(make: Any) -> None:
    """Verdicts alone: nothing of a hidden test."""
    environment = make("toy_train/mul-7-hidden")
    environment.init([])
    assert environment.step(RIGHT)["metadata"] == {"public": "passed", "verdict": "passed", "end": "public_passed"}


def test_a_dialogue_that_outgrew_the_context_earns_late(make: Any) -> None:
    """SkyRL stops asking; its last program is judged as that of the end, as in evaluation."""
    environment = make("toy_train/mul-7-hidden")
    environment.init([])
    assert environment.step(WRONG)["reward"] == 0.0
    assert environment.get_metrics() == {"spoiled": 0.0, "late_reward": -1.0, "solved": 0.0, "turns": 1.0}
    assert environment.get_metrics()["late_reward"] == 0.0  # given once


def test_what_the_machine_spoiled_earns_nothing_and_says_so(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """SkyRL wants a number, and the generator masks the dialogue by what get_metrics says."""
    environment = make("toy_train/mul-7-hidden")
    environment.init([])
    info = Info(1, verdict=Verdict.INFRASTRUCTURE_FAILURE)
    monkeypatch.setattr(environment.environment, "step", lambda _: Step([], None, True, info))
    step = environment.step(RIGHT)
    assert step["reward"] == 0.0 and step["done"]
    assert environment.get_metrics() == {"spoiled": 1.0, "late_reward": 0.0, "solved": 0.0, "turns": 1.0}


def test_a_dialogue_without_a_turn_is_spoiled(make: Any) -> None:
    """Its first prompt was too long for the engine."""
    environment = make("toy_train/mul-7-hidden")
    environment.init([])
    assert environment.get_metrics()["spoiled"] == 1.0


def test_the_environment_is_registered_once() -> None:
    """Any thread may ask for it; and skyrl-gym is the one that the adapter was written for."""
    register_environment()
    register_environment()
    assert skyrl_gym.spec("turnwise").entry_point is TurnwiseEnv
    check_hooks("skyrl-gym")
