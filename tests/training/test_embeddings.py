"""Embeddings of statements, by a tiny model of random weights: means over tokens, of length 1."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[hf]'")
pytest.importorskip("transformers", reason="transformers is not installed: pip install 'turnwise[hf]'")

from tiny_model import make_tiny_model  # noqa: E402 - needs what is skipped for above

from turnwise.errors import TurnwiseError  # noqa: E402 - as above
from turnwise.records.contamination import ContaminationSettings, Reason  # noqa: E402 - as above
from turnwise.records.problem import Problem  # noqa: E402 - as above
from turnwise.training.contamination.embeddings import Embedder, near_by_embedding  # noqa: E402 - as above
from turnwise.training.contamination.search import find_contamination  # noqa: E402 - as above

TEXTS = ["Marta keeps jars of honey on a shelf.", "0 0 0 0 7 7 7 7", "A ferry carries bicycles over the river.", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, which reads 64 tokens at most."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny"), context=64)


def test_embedding_is_the_mean_over_tokens(folder: Path) -> None:
    """Of the last layer, of length 1; a text without a token is 0, and a long one is cut to what the model reads."""
    seen: list[tuple[int, int]] = []
    embedder = Embedder(str(folder))
    vectors = embedder.embed([*TEXTS, "x" * 64, "x" * 900, "\ud800"], lambda done, total: seen.append((done, total)))
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0, 1, 1, 1])
    assert np.array_equal(vectors[4], vectors[5])
    assert seen[-1] == (7, 7)
    ids = embedder._tokenizer(TEXTS[0], return_tensors="pt")["input_ids"]
    with torch.no_grad():
        states = embedder._model(input_ids=ids).last_hidden_state[0]
    assert np.allclose(vectors[0], states.mean(0) / states.mean(0).norm(), atol=1e-6)


def test_near_vectors_are_those_of_a_high_cosine() -> None:
    """By their numbers, over several blocks."""
    vectors = np.zeros((2000, 3), dtype=np.float32)
    vectors[5] = [1, 0, 0]
    vectors[1999] = [0.6, 0.8, 0]
    others = np.array([[0, 1, 0], [1, 0, 0]], dtype=np.float32)
    assert near_by_embedding(vectors, others, least=0.79) == pytest.approx({(5, 1): 1.0, (1999, 0): 0.8})


def test_pairs_near_by_embedding_alone_are_recorded_as_near(folder: Path) -> None:
    """With their cosine; they are no contamination unless solutions cross."""
    problems = [Problem(f"toy/{at}", "toy", "train", text, (), ()) for at, text in enumerate(TEXTS[:2])]
    others = [Problem("toy/t", "toy", "test", "Mart a keeps ja rs of hon ey on a she lf.", (), ())]
    settings = ContaminationSettings(embed=str(folder), solutions=False)
    found = find_contamination(problems, {"t": others}, settings, None)
    assert [(pair.problem, pair.reason, pair.containment) for pair in found.pairs][:1] == [("toy/0", Reason.NEAR, 0.0)]
    assert found.pairs[0].cosine is not None and found.pairs[0].cosine >= 0.8
    assert not found.problems


def test_model_that_is_none_is_refused(tmp_path: Path) -> None:
    """In one sentence that names it."""
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(TurnwiseError, match=r"The model '.*' of --embed cannot be loaded \(.*\): name another"):
        Embedder(str(tmp_path))
