"""Fixtures of the parity tests: recorded answers of the full data, and Pythons that have another harness."""

import gzip
import importlib.util
import json
import os
import sys
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


@pytest.fixture(scope="session")
def python_with() -> Callable[[str], str]:
    """python_with(package): a Python that has it, which TURNWISE_TEST_<PACKAGE> may name, or this one."""

    def find(package: str) -> str:
        name = package.replace("-", "_")
        variable = f"TURNWISE_TEST_{name.upper()}"
        if given := os.environ.get(variable):
            return given
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{package} is not installed: set {variable} to a Python that has it")
        return sys.executable

    return find
