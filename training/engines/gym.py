"""turnwise's environment as skyrl-gym's, which SkyRL drives: ``turnwise`` among its environments.

>>> register_environment()
>>> environment = skyrl_gym.make("turnwise", env_config={}, extras={"environment": folder, "problem": "toy/mul-7"})

The messages are turnwise's: the prompt in a row of data is there for its length alone. What the machine spoiled earns 0
here, since SkyRL knows no missing reward: get_metrics says of it that it is ``spoiled``, and training/engines/skyrl.py
learns nothing from it. This module needs skyrl-gym, and is imported only where that is.
"""

import threading
from typing import Any

import skyrl_gym
from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput

from turnwise.records.trajectory import End
from turnwise.training.engines.environments import environments_of
from turnwise.training.engines.versions import check_engine
from turnwise.training.environment import Step

NAME = "turnwise"
SPOILED, LATE_REWARD = "spoiled", "late_reward"
_REGISTERING = threading.Lock()


class TurnwiseEnv(BaseTextEnv):
    """A dialogue about the problem that ``extras`` name, of the training in the folder ``extras["environment"]``."""

    def __init__(self, env_config: Any = None, extras: Any = None) -> None:  # noqa: ARG002 - skyrl-gym passes it
        super().__init__()
        self.environment = environments_of(extras["environment"]).make(extras["problem"])
        self.is_done = False
        self._last: Step | None = None

    def init(self, prompt: Any) -> tuple[list[dict[str, str]], dict[str, Any]]:  # noqa: ARG002 - as above
        """Return the first messages to the model, whatever ``prompt`` says."""
        return self.environment.reset(), {"problem": self.environment.problem.id}

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """Take the model's reply and return what follows it."""
        self.turns += 1
        self._last = step = self.environment.step(action)
        self.is_done = step.done
        verdicts = {"public": step.info.public, "verdict": step.info.verdict, "end": step.info.end}
        return BaseTextEnvStepOutput(
            observations=step.messages,
            reward=step.reward or 0.0,
            done=step.done,
            metadata={name: None if word is None else word.value for name, word in verdicts.items()},
            postprocessed_action=None,
        )

    def get_metrics(self) -> dict[str, float]:
        """Return numbers of the dialogue, once SkyRL drives it no further.

        Where that was before its end, since the next prompt would be too long, it ends now as in evaluation: what its
        last program earns is the ``late_reward``, which no step gave.
        """
        late = 0.0
        if not self.is_done and self._last is not None:
            self._last = self.environment.stop(End.CONTEXT_OVERFLOW)
            self.is_done = True
            late = self._last.reward or 0.0
        last = self._last
        is_spoiled = last is None or last.reward is None
        return {
            SPOILED: float(is_spoiled),
            LATE_REWARD: late,
            "solved": float(not is_spoiled and self.environment.episode().solved),
            "turns": float(self.turns),
        }


def register_environment() -> None:
    """Make the environment known to skyrl-gym in this process; raises TurnwiseError for another release of it."""
    with _REGISTERING:
        if NAME not in skyrl_gym.registry:
            check_engine("skyrl-gym")
            skyrl_gym.register(id=NAME, entry_point=TurnwiseEnv)
