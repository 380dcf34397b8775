"""Fixtures of the parity tests: recorded answers of the full data."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Rows = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def recorded(data_dir: Path) -> Rows:
    """A function from a file's name below the data folder to its rows."""

    def read(name: str) -> list[dict[str, Any]]:
        with gzip.open(data_dir / name, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    return read
