"""Draws the README's pictures from turnwise demo: ``make images``."""

import os
import tempfile
from pathlib import Path

from chromium import Chromium

from turnwise.commands.demo import demo_command
from turnwise.commands.plot import plot_command

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "images"


def main() -> None:
    """Write docs/images/leaderboard.png and turns.svg."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        demo_command(demo, environ=dict(os.environ))
        plot_command([demo], IMAGES / "turns.svg", chart="turns", task="sample_humaneval_plus_multiturn")
        with Chromium.start() as browser:
            page = browser.open(demo / "site" / "index.html", width=1200, height=760)
            page.until("document.querySelector('#matrix button') !== null")
            page.screenshot(IMAGES / "leaderboard.png")


if __name__ == "__main__":
    main()
