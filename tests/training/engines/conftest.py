"""What the tests of engines share: a training whose environments are opened once."""

from collections.abc import Iterator

import pytest
from engine_training import ToyTraining, open_training


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToyTraining]:
    """The training on the miniature's problems."""
    with open_training(tmp_path_factory.mktemp("toy")) as training:
        yield training
