"""What the jobs will load is fetched before they are submitted; a name that is nowhere is refused then."""

from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import find_back_end, models_to_fetch
from turnwise.slurm.freeze import fetch_model

hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """What is asked of the hub, which has all but ``org/none``."""
    found: list[tuple[str, str | None]] = []

    def snapshot_download(name: str, *, revision: str | None) -> str:
        found.append((name, revision))
        if name == "org/none":
            raise hub.errors.LocalEntryNotFoundError("it is not there")
        return "/cache"

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    return found


def test_model_and_tokenizer_are_fetched_with_their_revision(fetched: list[Any]) -> None:
    """Of engines in the job; a server's model is not ours to fetch, and a folder is there."""
    arguments = "model=org/model,tokenizer=org/words,revision=v2,max_model_len=4096"
    for name, revision in models_to_fetch(find_back_end("vllm"), Wanted(arguments)):
        fetch_model(name, revision)
    assert fetched == [("org/model", "v2"), ("org/words", "v2")]
    assert models_to_fetch(find_back_end("hf"), Wanted("pretrained=org/model")) == [("org/model", None)]
    assert models_to_fetch(find_back_end("openai"), Wanted("model=org/model")) == []


def test_a_folder_is_left_as_it_is(fetched: list[Any], tmp_path: Path) -> None:
    """It lies where the jobs see it."""
    fetch_model(str(tmp_path), None)
    assert fetched == []


def test_a_model_that_is_nowhere_is_refused_before_any_job(fetched: list[Any]) -> None:
    """In one sentence, with what to do."""
    with pytest.raises(TurnwiseError, match=r"'org/none' can neither be fetched nor .*: mend -a model="):
        fetch_model("org/none", None)
