"""One browser and one page for all tests of it; without Chromium they skip, saying so."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Chromium, find_chromium

from turnwise.commands.demo import demo_command
from turnwise.commands.publish import write_page


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    """A headless Chromium."""
    if find_chromium() is None:
        pytest.skip("Chromium is not here: apt-get install chromium")
    with Chromium.start() as one:
        yield one


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Path:
    """The folder that turnwise demo writes, with the page in site/."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    demo_command(folder, environ={"TURNWISE_CACHE": str(cache_dir)})
    return folder


@pytest.fixture(scope="session")
def page_of(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Callable[..., Path]:
    """page_of(run, ..., options): the path of a page on these runs."""

    def write(*runs: Path, **options: Any) -> Path:
        folder = tmp_path_factory.mktemp("site")
        return write_page(runs, folder, environ={"TURNWISE_CACHE": str(cache_dir)}, **options)

    return write
