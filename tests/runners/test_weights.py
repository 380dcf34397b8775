"""Engines that take new weights while they live, with one of our own in vLLM's place: nothing here has seen a GPU.

A real one, without sleep: tests/engines/real_vllm.py, run by a person.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from test_vllm_model import Completion, Output, WordTokenizer

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Message, Reply
from turnwise.runners.models import weights
from turnwise.runners.models.back_end import BackEnd, Wanted
from turnwise.runners.models.chat import ChatTemplate
from turnwise.runners.models.sampler import Request, ScriptedSampler
from turnwise.runners.models.vllm import VLLMModel
from turnwise.runners.models.weights import LiveModel, open_live


class LiveEngine:
    """Says which weights it has, and notes what is asked of it besides; like vLLM's it lives in one loop."""

    def __init__(self, *, fails: str = "") -> None:
        self.notes: list[str] = []
        self.weights = "the first"
        self._awake = {"weights", "kv_cache"}
        self._fails = fails
        self._loop: object = None

    def _note(self, what: str) -> None:
        loop = asyncio.get_running_loop()
        assert self._loop in (None, loop), "another loop"
        self._loop = loop
        self.notes.append(what)
        if self._fails and self._fails in what:
            raise RuntimeError(f"cannot {what}")

    async def generate(self, prompt: Any, sampling_params: Any, request_id: str) -> AsyncIterator[Output]:
        """Yield the final output."""
        self._note("generate")
        assert self._awake == {"weights", "kv_cache"}
        yield Output([Completion(self.weights, [3, 4])])

    async def sleep(self, level: int) -> None:
        """Forget both but for the copy of level 1."""
        self._note(f"sleep {level}")
        assert level == 1
        self._awake = set()

    async def wake_up(self, tags: list[str] | None = None) -> None:
        """Take memory."""
        self._note(f"wake {tags or 'all'}")
        self._awake |= set(tags or ("weights", "kv_cache"))

    async def collective_rpc(self, method: str, *, kwargs: dict[str, object]) -> None:
        """Load weights, where there is memory for them."""
        self._note(method)
        assert "weights" in self._awake
        self.weights = Path(str(kwargs["weights_path"])).name

    async def reset_prefix_cache(self) -> None:
        """Note it."""
        self._note("reset")
        assert "kv_cache" in self._awake

    def shutdown(self) -> None:
        """Note it."""
        self.notes.append("shutdown")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """A folder of weights."""
    folder = tmp_path / "the new"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


def _model(engine: LiveEngine) -> VLLMModel:
    return VLLMModel(
        engine,
        ChatTemplate(WordTokenizer(), max_length=20, max_tokens=5),
        make_params=lambda sampling, prompt, seed: seed,
        sampling=Sampling(),
        batch=4,
        description={"model": "m"},
    )


def _say(live: LiveModel) -> str:
    request = Request("t", "b/p", 0, 0, 0, (Message("user", "statement", "statement", "w"),), 1)
    reply = live.runner.run(live.model.generate(request))
    assert isinstance(reply, Reply)
    return reply.text


def test_a_sleeping_engine_wakes_with_the_new_weights(new: Path) -> None:
    """They have memory before the cache of prompts has; what it knew of prompts is forgotten."""
    engine = LiveEngine()
    live = LiveModel(_model(engine))
    assert _say(live) == "the first"
    live.sleep()
    live.sleep()  # it is asleep already
    live.load_weights(new)
    live.wake()  # it is awake already
    assert _say(live) == "the new"
    live.close()
    assert engine.notes == [
        "generate",
        "sleep 1",
        "wake ['weights']",
        "reload_weights",
        "wake ['kv_cache']",
        "reset",
        "generate",
        "shutdown",
    ]


def test_an_engine_that_is_awake_takes_weights_as_well(new: Path) -> None:
    """With a device of its own it need not sleep."""
    engine = LiveEngine()
    live = LiveModel(_model(engine))
    live.load_weights(new)
    assert _say(live) == "the new" and engine.notes == ["reload_weights", "reset", "generate"]
    live.sleep()
    live.wake()
    assert _say(live) == "the new" and engine.notes[3:] == ["sleep 1", "wake all", "generate"]
    live.close()


@pytest.mark.parametrize(
    ("fails", "sentence"),
    [
        ("reload", "does not take the weights in .*the new' .*cannot reload_weights"),
        ("reset", "does not take the weights"),
        ("sleep", "does not sleep, which it does with -a enable_sleep_mode=true on a GPU alone .*cannot sleep 1"),
        ("wake all", "does not wake: what trains has to leave it the memory that it had"),
    ],
)
def test_what_an_engine_fails_at_is_one_sentence(new: Path, fails: str, sentence: str) -> None:
    """As the machine's failure."""
    live = LiveModel(_model(LiveEngine(fails=fails)))
    with pytest.raises(InfrastructureError, match=f"The engine of vLLM {sentence}"):
        if fails.startswith("re"):
            live.load_weights(new)
        live.sleep()
        live.wake()
    live.close()


def test_weights_that_are_not_there_are_not_asked_for(tmp_path: Path) -> None:
    """vLLM's engine would look for them on the hub, and die; one that has ended says so."""
    engine = LiveEngine()
    live = LiveModel(_model(engine))
    with pytest.raises(InfrastructureError, match=r"There are no weights in .*nothing'"):
        live.load_weights(tmp_path / "nothing")
    assert engine.notes == []
    live.runner.run(live.model.close())
    with pytest.raises(InfrastructureError, match="has ended"):
        live.sleep()
    live.close()


@pytest.mark.parametrize("name", ["openai", "replay", "hf"])
def test_other_models_take_no_new_weights(name: str) -> None:
    """Refused in one sentence before anything is opened: the arguments are none."""
    with pytest.raises(TurnwiseError, match=f"The model '{name}' takes no new weights while it lives"):
        open_live(name, Wanted("model=m"))


def test_vllm_is_opened_so_that_it_sleeps_and_tells_its_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is given of it; the user may say that it has a device of its own."""
    seen: list[dict[str, str]] = []

    def opened(wanted: Wanted) -> Any:
        seen.append(wanted.pairs)
        return _model(LiveEngine())

    def count(wanted: Wanted) -> Any:
        raise NotImplementedError

    monkeypatch.setattr(weights, "find_back_end", lambda name: BackEnd(opened, count))
    live = open_live("vllm", Wanted("model=m,gpu_memory_utilization=0.4"))
    assert (live.description, live.tells_tokens, live.template) == ({"model": "m"}, False, live.model.template)
    live.close()
    open_live("vllm", Wanted("model=m,enable_sleep_mode=false,logprobs=false")).close()
    assert seen == [
        {"model": "m", "gpu_memory_utilization": "0.4", "enable_sleep_mode": "true", "logprobs": "true"},
        {"model": "m", "enable_sleep_mode": "false", "logprobs": "true"},
    ]
    monkeypatch.setattr(weights, "find_back_end", lambda name: BackEnd(lambda wanted: ScriptedSampler({}), count))
    with pytest.raises(TurnwiseError, match="takes no new weights"):
        open_live("vllm", Wanted("model=m"))
