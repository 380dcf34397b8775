"""What models, data and users write is shown as text, whatever it is: nothing runs, loads or hides."""

import base64
import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from chromium import Chromium, Page

from turnwise.leaderboard.page.dialogues import markdown_tree
from turnwise.records.judgement import Judgement
from turnwise.records.report import TestResult, Verdict
from turnwise.records.run_folder import AskedProblem
from turnwise.records.trajectory import Call, Message, Reply, Trajectory

HOSTILE = (
    "<script>window.hit = 'script'</script>",
    "</script><script>window.hit = 'closed'</script>",
    "<!-- <script>",
    "]]><img src=x onerror=\"window.hit = 'event'\">",
    "<svg onload=\"window.hit = 'svg'\"><iframe srcdoc='<script>parent.hit=1</script>'>",
    "<style>body { display: none }</style><base href='https://example.invalid/'>",
    "<meta http-equiv=refresh content='0;url=https://example.invalid/'>",
    "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7} [[7*7]]",
    "[link](javascript:window.hit='link') ![image](https://example.invalid/x.png) <https://example.invalid/>",
    "__proto__ constructor toString \\u003cscript\\u003e &lt;b&gt; &#x3c;b&#x3e;",
    "right \u202egnp.exe\u202c left \u2066hidden\u2069 zero\u200bwidth nul\x00 bell\x07 escape\x1b[31m lone\ud800",
    "'\"`\\ \u2028\u2029 end",
)
EVERYTHING = "\n".join(HOSTILE)
HIDDEN = "expected-output-of-a-hidden-test"
BAD_ID = "b/<img src=x onerror=window.hit=1>"

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]


def _poison(trajectory: Trajectory, program: str) -> Trajectory:
    """Return the dialogue with hostile text in every place that is not chosen from a list."""
    turns = []
    for turn in trajectory.turns:
        messages = tuple(
            Message("user", kind, "<b>id</b>", EVERYTHING)
            for kind in ("system", "statement", "feedback", "instruction")
        )
        call = Call(messages, Reply(EVERYTHING, reasoning=EVERYTHING, prompt_tokens=1, completion_tokens=2))
        wrong = TestResult(0, Verdict.WRONG_ANSWER, output=EVERYTHING, error=EVERYTHING)
        hidden = (TestResult(0, Verdict.WRONG_ANSWER, output=HIDDEN, error=HIDDEN),)
        report = replace(turn.public_report, public=(wrong,), error=EVERYTHING, hidden=hidden)
        turns.append(replace(turn, calls=(call,), program=program, public_report=report))
    return replace(trajectory, turns=tuple(turns))


@pytest.fixture(scope="session")
def hostile_page(
    tmp_path_factory: pytest.TempPathFactory,
    write_run: Callable[..., Path],
    dialogue: MakeDialogue,
    judge: MakeJudgement,
    page_of: Callable[..., Path],
) -> Path:
    """A page on two runs whose every text is hostile; a line of a program is a megabyte long."""
    folder = tmp_path_factory.mktemp("hostile")
    asked = [AskedProblem(id="b/a"), AskedProblem(id=BAD_ID, difficulty="<i>hard</i>", flags=["<u>flag</u>"])]
    runs = []
    for number in range(2):
        program = f"# {EVERYTHING}\nx = '{'<b>' * 350_000}'\nprint({number})\n"
        dialogues = [
            _poison(dialogue("fail", "fail", problem=problem.id), program if problem.id == "b/a" else EVERYTHING)
            for problem in asked
        ]
        judged = [judge(dialogues[0], verdict=Verdict.WRONG_ANSWER, public_passed=True)]
        model = f"{number} </script><script>window.hit='model'</script><img src=x onerror=window.hit=1>\u202e"
        path = folder / f"run{number} <b>&amp;"
        options = {"model": model, "problems": asked, "command": f"turnwise {EVERYTHING}".replace("\ud800", "")}
        runs.append(write_run(path, dialogues, judged, **options))
    return page_of(*runs, title="<b>Title</b> {{ 1 }} </title><script>window.hit=1</script>")


@pytest.fixture
def page(browser: Chromium, hostile_page: Path) -> Page:
    """The hostile page, opened."""
    return browser.open(hostile_page)


def _check_inert(page: Page) -> None:
    assert page.evaluate("window.hit") is None
    assert page.complaints() == []
    assert page.requests() == page.requests()[:1]
    strange = "img, iframe, base, object, i, u, form:not(.vega-bindings), a:not(.skip), b b, meta[http-equiv=refresh]"
    assert page.evaluate(f"[...document.querySelectorAll('{strange}')].map((one) => one.outerHTML)") == []
    assert (
        page.evaluate(
            "document.querySelectorAll('[onerror], [onload], [onclick], [style]:not(.drawing, .drawing *)').length"
        )
        == 0
    )


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_names_and_settings_are_text(page: Page) -> None:
    """Title, model names, problems, difficulties, flags and the command are shown as they were written."""
    page.until("document.querySelector('#matrix button') !== null")
    assert page.evaluate("document.title").startswith("<b>Title</b> {{ 1 }} </title>")
    assert "</script><script>window.hit='model'</script>" in page.evaluate("document.querySelector('#table').innerText")
    assert "\u202e" not in page.evaluate("document.body.textContent")
    matrix = page.evaluate("document.querySelector('#matrix').innerText")
    assert BAD_ID in matrix and "<i>hard</i>" in matrix and "<u>flag</u>" in matrix
    page.click("#table button[data-details]")
    details = page.evaluate("document.querySelector('#details').innerText")
    assert "turnwise <script>window.hit = 'script'</script>" in details and "U+202E" in details
    page.press("Escape")
    page.evaluate("document.querySelector('#drawings').scrollIntoView({behavior: 'instant'})")
    page.until("document.querySelectorAll('[data-drawn]').length > 0")
    page.click("#copy")
    for number in range(1, 5):
        page.click(f"#copy-kinds button:nth-child({number})")
    assert "\u202e" not in page.evaluate("document.querySelector('#copy-text').value")
    _check_inert(page)
    page.close()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_dialogues_are_text(page: Page) -> None:
    """Prompts, replies, thoughts, programs, outputs and errors; what cannot be seen is named; a long line is cut."""
    page.until("document.querySelector('#matrix button') !== null")
    page.click("#matrix button")
    page.until("document.querySelectorAll('#viewer .turn').length === 2")
    page.evaluate("document.querySelectorAll('#viewer details').forEach((one) => { one.open = true; })")
    page.until("[...document.querySelectorAll('#viewer details')].every((one) => one.children.length > 1)")
    text = page.evaluate("document.querySelector('#viewer').textContent")
    shown = re.sub(r"U\+[0-9A-F]{4}", "", text)
    for line in HOSTILE:
        assert re.sub(r"[^\x20-\x7e]", "", line) in re.sub(r"[^\x20-\x7e]", "", shown), line
    for name in ("U+202E", "U+2066", "U+200B", "U+0000", "U+0007", "U+001B", "U+D800", "U+2028"):
        assert name in text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x00\x07\x1b]", text)
    assert "Show all 1,05" in text and len(text) < 800_000
    assert HIDDEN not in text and "hidden tests: wrong answer" in text
    _check_inert(page)
    page.evaluate(
        "[...document.querySelectorAll('#viewer button')].find((one) => one.textContent.startsWith('Show all')).click()"
    )
    assert page.evaluate("document.querySelector('#viewer').textContent.length") > 1_000_000
    _check_inert(page)
    page.close()


def test_nothing_hidden_is_in_the_file(hostile_page: Path) -> None:
    """Not even in what is compressed."""
    html = hostile_page.read_text(encoding="utf-8")
    pieces = re.findall(r'id="piece-[\d-]+">([^<]*)<', html)
    assert len(pieces) == 4
    unpacked = [gzip.decompress(base64.b64decode(one)).decode("ascii") for one in pieces]
    assert "window.hit" in unpacked[0]
    assert all(HIDDEN not in one for one in [html, *unpacked])


def test_the_policy_lets_nothing_in(hostile_page: Path) -> None:
    """Scripts and style by hash, no connection, no image, no frame, no form, no inline, no eval."""
    html = hostile_page.read_text(encoding="utf-8")
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert found is not None
    policy = found[1].replace("&#39;", "'")
    assert re.fullmatch(
        r"default-src 'none'; script-src 'sha256-\S{44}' 'sha256-\S{44}'; style-src 'sha256-\S{44}'; "
        r"base-uri 'none'; form-action 'none'",
        policy,
    )
    assert html.count("<script>") == 2 and "unsafe" not in policy


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_becomes_text_and_known_tags_only(text: str) -> None:
    """No attribute, no HTML, no link: a tree of strings and lists that begin with a tag of ours."""

    def check(node: object) -> str:
        if isinstance(node, str):
            return node
        assert isinstance(node, list) and node[0] in {"p", "h", "pre", "code", "em", "strong", "ul", "li", "blockquote"}
        return "".join(check(child) for child in node[1:])

    tree = markdown_tree(text)
    assert tree is not None
    assert all(isinstance(node, list) for node in tree)
    assert "".join(check(node) for node in tree).strip()


def test_a_very_long_reply_is_not_parsed() -> None:
    """Markdown can take quadratic time; such a reply is shown as it is."""
    assert markdown_tree("[" * 20_001) is None
    assert markdown_tree("*" * 20_000) is not None
