"""The page in a real browser, opened as a file: quiet, alone, and usable in every way."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium, Page

from turnwise.exchange.runs import find_runs, read_runs
from turnwise.leaderboard.page.dialogues import DialogueReader
from turnwise.leaderboard.page.site import SiteOptions, write_site
from turnwise.leaderboard.report import score_runs

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

ROWS = """[...document.querySelectorAll("#table tr[data-row]")].filter((one) => one.offsetParent)
.map((one) => one.dataset.row)"""


@pytest.fixture
def page(browser: Chromium, demo: Path) -> Iterator[Page]:
    """The demo's page, of which nothing may have complained when the test is over."""
    one = browser.open(demo / "site" / "index.html")
    yield one
    assert one.complaints() == []
    assert [address for address in one.requests() if not address.startswith("data:")] == one.requests()[:1]
    one.close()


def _names(page: Page) -> list[str]:
    return [row.split(".")[0] for row in page.evaluate(ROWS)]


def test_every_chart_is_drawn(page: Page) -> None:
    """With nothing but the page's own file, and no complaint about its policy."""
    page.until('document.querySelectorAll("[data-chart]").length > 0')
    kinds = page.evaluate('[...document.querySelectorAll("[data-chart]")].map((one) => one.dataset.chart)')
    assert kinds == ["turns", "n_at_k", "pass_at_k", "difficulty", "failures", "similarity", "prose"]
    for kind in kinds:
        page.evaluate(f"document.querySelector('[data-chart={kind}]').scrollIntoView()")
        assert page.until(
            f"document.querySelector('[data-chart={kind}] svg path, [data-chart={kind}] svg rect') !== null"
        )


def test_sorting_by_mouse_and_by_keyboard(page: Page) -> None:
    """A column's name sorts by it and chooses its score; aria-sort says so; again turns the order."""
    page.click('th[data-sort="1@1"] button')
    assert _names(page)[0] == "steady"
    assert page.evaluate("document.querySelector('th[data-sort=\"1@1\"]').getAttribute('aria-sort')") == "descending"
    page.evaluate("document.querySelector('th[data-sort=\"name\"] button').focus()")
    page.press("Enter")
    assert _names(page) == ["careless", "repairing", "steady"]
    page.press("Enter")
    assert _names(page) == ["steady", "repairing", "careless"]
    assert page.evaluate("document.querySelector('th[data-sort=name]').getAttribute('aria-sort')") == "descending"
    assert page.evaluate("document.querySelectorAll('th[aria-sort]').length") == 1


def test_filters_by_mouse_and_by_keyboard(page: Page) -> None:
    """Typing part of a name leaves its rows, a task's button shows its rows, reset brings all back."""
    page.click("#search")
    page.type("stea")
    assert _names(page) == ["steady"]
    page.click('button[data-task="*"]')
    assert _names(page) == ["steady"] * 4
    page.click("#more")
    page.evaluate("document.querySelector('[data-facet=benchmark]').focus()")
    page.press("s")
    assert page.evaluate("document.querySelector('[data-facet=benchmark]').value").startswith("sample_")
    assert _names(page) == ["steady"]
    page.click("#reset")
    assert sorted(_names(page)) == ["careless", "repairing", "steady"]
    assert page.evaluate("document.querySelector('#search').value") == ""


def test_a_link_brings_back_what_was_shown(browser: Chromium, page: Page, demo: Path) -> None:
    """Task, score, order, filters, theme and the open dialogue stand in the address."""
    page.click('button[data-task="sample_taco_multiturn"]')
    page.click('th[data-sort="1@2"] button')
    page.click("#search")
    page.type("e")
    page.click("#theme")
    page.click("#matrix button")
    page.until("document.querySelectorAll('#viewer .turn').length > 0")
    address = page.evaluate("location.hash")
    other = browser.open(demo / "site" / "index.html", address=address)
    other.until("document.querySelectorAll('#viewer .turn').length > 0")
    for expression in (
        ROWS,
        "document.documentElement.dataset.theme",
        "document.querySelector('#search').value",
        "document.querySelector('#viewer').innerText",
    ):
        assert other.evaluate(expression) == page.evaluate(expression)
    assert other.complaints() == []
    other.close()


def test_the_viewer_shows_a_dialogue_and_is_walked_by_keys(page: Page) -> None:
    """Prompts by kind, reply, program, difference, example tests, hidden tests as a verdict; keys move; Esc closes."""
    page.until("document.querySelector('#matrix button') !== null")
    page.click('#matrix button[data-row^="repairing"]')
    page.until("document.querySelectorAll('#viewer .turn').length === 2")
    text = page.evaluate("document.querySelector('#viewer').innerText")
    for part in (
        "statement",
        "feedback",
        "reply",
        "Program",
        "Difference to the program before",
        "hidden tests: passed",
    ):
        assert part in text
    assert page.evaluate("document.querySelectorAll('#viewer .line.plus').length") > 0
    assert page.evaluate("document.querySelectorAll('#viewer pre .k').length") > 0
    first = page.evaluate("document.querySelector('#viewer-title').textContent")
    page.press("j")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Turn 1"
    page.press("j")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Turn 2"
    page.press("ArrowRight")
    page.until(f"document.querySelector('#viewer-title').textContent !== {json.dumps(first)}")
    page.press("]")
    page.until("location.hash.includes('sample=1')")
    page.press("Escape")
    page.until("!document.querySelector('#viewer').open && !location.hash.includes('problem')")


def test_comparison_copies_and_details(page: Page) -> None:
    """Two runs can be compared, the table copied in four ways, and what a row rests on be read."""
    page.until("document.querySelectorAll('#differences tbody tr').length === 6")
    page.click("#copy")
    kinds = page.evaluate("[...document.querySelectorAll('#copy-kinds button')].map((one) => one.textContent)")
    assert kinds == ["CSV", "Markdown", "LaTeX", "BibTeX"]
    starts = {
        "CSV": "place,model,task,score",
        "Markdown": "| place | model |",
        "LaTeX": "\\begin{tabular}",
        "BibTeX": "@inproceedings",
    }
    for number, kind in enumerate(kinds, 1):
        page.click(f"#copy-kinds button:nth-child({number})")
        assert page.evaluate("document.querySelector('#copy-text').value").startswith(starts[kind])
    page.press("Escape")
    page.click("#table button[data-details]")
    text = page.evaluate("document.querySelector('#details').innerText")
    assert all(part in text for part in ("sha256", "turnwise demo", "prompts", "isolation"))


def test_a_phone_shows_scores_on_its_first_screen(browser: Chromium, demo: Path) -> None:
    """What filters them waits behind its button; the legend explains what is there and nothing else."""
    page = browser.open(demo / "site" / "index.html", width=375, height=812)
    page.until("document.querySelector('#matrix button') !== null")
    place = "document.querySelector('tr[data-row] td.chosen').getBoundingClientRect().bottom"
    assert 0 < page.evaluate(place) < 812
    shown = "document.querySelector('#search').checkVisibility()"
    assert page.evaluate(shown) is False
    page.click("#more")
    assert page.evaluate(shown) is True
    legend = page.evaluate("document.querySelector('.key-line').innerText")
    assert "n@k" in legend and "tokens" not in legend and "*" not in legend
    page.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_every_width_and_colour_scheme_is_accessible(browser: Chromium, demo: Path, width: int, dark: bool) -> None:
    """axe-core finds no violation, with the page and with the viewer open; nothing is wider than the screen."""
    axe_core_python = pytest.importorskip("axe_core_python", reason="axe-core-python is not installed")
    axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = browser.open(demo / "site" / "index.html", width=width, dark=dark)
    page.until("document.querySelector('#drawings .drawing') && document.querySelector('#matrix button') !== null")
    page.evaluate("document.querySelector('#drawings').scrollIntoView({behavior: 'instant'})")
    page.until("document.querySelectorAll('[data-drawn]').length > 0")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert (ink == "rgb(232, 234, 237)") is dark
    page.evaluate(axe + ";0")
    for step in ("0", "document.querySelector('#matrix button').click()"):
        page.evaluate(step)
        if step != "0":
            page.until("document.querySelectorAll('#viewer .turn').length > 0")
        found = page.evaluate(
            "axe.run().then((one) => one.violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 150))]))"
        )
        assert found == []
    assert page.complaints() == []
    page.close()


def test_all_scores_can_be_read_without_script(browser: Chromium, demo: Path) -> None:
    """The ranking of every task, published numbers and settings are there; what needs a script is not."""
    page = browser.open(demo / "site" / "index.html", script=False)
    html = (demo / "site" / "index.html").read_text(encoding="utf-8")
    document = page.send("DOM.getDocument")["root"]["nodeId"]
    rows = page.send("DOM.querySelectorAll", nodeId=document, selector="#table tr[data-row]")["nodeIds"]
    shown = [page.send("DOM.getBoxModel", nodeId=row)["model"]["height"] for row in rows]
    assert len(shown) == 12 and min(shown) > 20
    hidden = page.send("DOM.querySelector", nodeId=document, selector="#charts")["nodeId"]
    with pytest.raises(RuntimeError, match="box model"):
        page.send("DOM.getBoxModel", nodeId=hidden)
    assert "need JavaScript" in html and page.complaints() == []
    page.close()


def test_dialogues_beside_the_page_are_read_from_the_disk(browser: Chromium, demo: Path, tmp_path: Path) -> None:
    """A large page opens its dialogues as files, without a server; one that is gone is named, and the page goes on."""
    options = SiteOptions("window.vegaEmbed = async () => {};", inline_bytes=0)
    reader = DialogueReader(pack=True)
    scored = score_runs(read_runs(find_runs(demo), witness=reader))
    path = write_site(tmp_path / "site", scored, reader, options, lambda *_: None)
    page = browser.open(path)
    page.until("document.querySelector('#matrix button') !== null")
    page.click('#matrix button[data-row^="repairing"]')
    page.until("document.querySelectorAll('#viewer .turn').length === 2")
    assert page.complaints() == []
    assert [address.rsplit("/", 2)[-2] for address in page.requests()] == ["site", "data"]
    page.press("Escape")
    for file in (tmp_path / "site" / "data").iterdir():
        file.unlink()
    page.click('#matrix button[data-row^="steady"]')
    page.until("document.querySelector('#viewer-body').textContent.includes('cannot be read')")
    page.close()


def test_going_back_closes_the_viewer(page: Page) -> None:
    """The browser's own button returns to the table, as it was filtered."""
    page.click("#search")
    page.type("rep")
    page.until("document.querySelectorAll('#matrix thead th').length === 2")
    page.click("#matrix button")
    page.until("document.querySelectorAll('#viewer .turn').length > 0")
    page.evaluate("history.back()")
    page.until("!document.querySelector('#viewer').open")
    assert _names(page) == ["repairing"]
