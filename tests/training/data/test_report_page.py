"""report.html in a browser: it fits a phone, reads well, and asks nobody for anything."""

from collections.abc import Callable
from pathlib import Path

import pytest
from chromium import Chromium, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]


def test_the_page_fits_a_phone_and_a_desk(
    write_run: Callable[..., Path], rft_data: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """No width makes it scroll aside or squeezes a name to single letters, and it makes no request of its own."""
    if find_chromium() is None:
        pytest.skip("Chromium is not here: apt-get install chromium")
    assert rft_data(write_run(), "-o", "data")[0] == 0
    with Chromium.start() as browser:
        for width in (375, 1280):
            page = browser.open(tmp_path / "data" / "report.html", width=width)
            assert page.evaluate("document.documentElement.scrollWidth") == width
            names = 'Math.min(...[...document.querySelectorAll("th[scope=row]")].map(th => th.offsetWidth))'
            assert page.evaluate(names) > 60
            assert page.evaluate('getComputedStyle(document.querySelector(".step")).borderRadius') == "8px"
            assert page.complaints() == []
            assert len(page.requests()) == 1
