"""The page section on how far verdicts can be trusted: audits of its tasks and judges, beside published rates."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from chromium import Chromium

from turnwise.errors import TurnwiseError
from turnwise.records.audit import Audit, Rate, Truth, Unit, write_audit
from turnwise.records.judgement import Judgement
from turnwise.records.settings import JudgeRecord
from turnwise.records.trajectory import Trajectory

HEADING = "How far to trust these verdicts"
# Of the data and the judge of the run that ``run`` writes, with another executor and another number of turns.
AUDIT = Audit(
    turnwise="0",
    task="t_singleturn",
    benchmark="b",
    split="test",
    data_sha256="0" * 64,
    judge=JudgeRecord("hardened 1", "CPython 3.12", "tokens", 1.0),
    tier="A",
    problems=8,
    rates=(
        Rate("solutions of the data set", Truth.RIGHT, Unit.PROGRAMS, 9, 1),
        Rate("<b onclick='x'>\u202emodels", Truth.WRONG, Unit.PROGRAMS, 1, 3, 2),
    ),
    by_problem=(),
    labels="<i>labels.jsonl</i> (sha256 0123456789ab)",
    unknown=4,
)


@pytest.fixture
def run(
    tmp_path: Path,
    write_run: Callable[..., Path],
    dialogue: Callable[..., Trajectory],
    judge: Callable[..., Judgement],
) -> Path:
    """A run with one right dialogue of the task t_multiturn."""
    right = dialogue("pass", task="t_multiturn")
    return write_run(tmp_path / "run", [right], [judge(right)], tasks={"t_multiturn": 3})


def test_an_audit_of_the_pages_data_and_judge_is_shown(run: Path, page_of: Callable[..., Path], tmp_path: Path) -> None:
    """Its rates with intervals, its notes, its judge, and the published rates, all of it as text."""
    write_audit(tmp_path / "audits" / "one.json", AUDIT)
    text = page_of(run, audits=[tmp_path / "audits"]).read_text(encoding="utf-8")
    for part in (
        HEADING,
        "TPR 90.00 %",
        "59.6 to 98.2",  # Wilson's of 9 of 10
        "TNR 75.00 %",
        "&lt;b onclick=&#39;x&#39;&gt;\\u202emodels",
        "Labels: &lt;i&gt;labels.jsonl&lt;/i&gt; (sha256 0123456789ab).",
        "4 programs of unknown truth left out.",
        "Judge: matcher tokens, time factor 1, answers equality, tests all, CPython 3.12",
        "85.05 %",
        "README of CodeContests-O",
    ):
        assert part in text, part


def test_a_page_without_audits_has_no_such_section(run: Path, page_of: Callable[..., Path]) -> None:
    """Nor the published rates."""
    text = page_of(run).read_text(encoding="utf-8")
    assert HEADING not in text and "CodeContests-O" not in text


@pytest.mark.parametrize(
    "other",
    [
        replace(AUDIT, judge=replace(AUDIT.judge, answers="checkers-1", answers_sha256="1" * 64)),
        replace(AUDIT, judge=replace(AUDIT.judge, tests="valid")),
        replace(AUDIT, judge=replace(AUDIT.judge, time_factor=2.0)),
        replace(AUDIT, data_sha256="1" * 64),
        replace(AUDIT, split="train"),
        replace(AUDIT, task="t_hard_singleturn"),
    ],
)
def test_an_audit_of_other_data_or_another_judge_is_not_shown(
    other: Audit, run: Path, page_of: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside one that fits it is left out, and said to be; alone it is refused."""
    write_audit(tmp_path / "fits.json", AUDIT)
    write_audit(tmp_path / "other.json", replace(other, problems=99))
    text = page_of(run, audits=[tmp_path / "fits.json", tmp_path / "other.json"]).read_text(encoding="utf-8")
    assert "8 problems" in text and "99 problems" not in text
    assert "1 of 2 audits are of other data or another judge than these runs: left out." in capsys.readouterr().err
    with pytest.raises(TurnwiseError, match=r"No audit is of the data and the judge .* leave out --audit\."):
        page_of(run, audits=[tmp_path / "other.json"])


def test_what_is_no_audit_is_refused(run: Path, page_of: Callable[..., Path], tmp_path: Path) -> None:
    """By its name, as an empty folder is."""
    (tmp_path / "empty").mkdir()
    for path, said in (
        (run / "run.json", r"run\.json' cannot be read"),
        (tmp_path / "no.json", r"no\.json' cannot be read"),
        (tmp_path / "empty", r"empty' holds no \.json file"),
    ):
        with pytest.raises(TurnwiseError, match=said):
            page_of(run, audits=[path])


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_a_browser_shows_the_section_and_complains_of_nothing(
    run: Path, browser: Chromium, page_of: Callable[..., Path], tmp_path: Path
) -> None:
    """Two tables, no text of the audit being an element, and nothing wider than the page."""
    write_audit(tmp_path / "audit.json", AUDIT)
    page = browser.open(page_of(run, audits=[tmp_path / "audit.json"]))
    assert page.evaluate("document.querySelectorAll('#trust table').length") == 2
    assert page.evaluate("document.querySelectorAll('#trust b, #trust i, #trust [onclick]').length") == 0
    assert page.evaluate("document.querySelector('#trust-title').textContent") == HEADING
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints() == []
    page.close()
