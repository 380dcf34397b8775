"""What the page shows is what scores.json and turnwise compare say, whatever is chosen, with a script and without."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import Chromium, Page

from turnwise.exchange.runs import find_runs, read_runs
from turnwise.leaderboard.comparison import compare_tasks
from turnwise.leaderboard.report import score_runs
from turnwise.records.choices import Over
from turnwise.records.metrics import NAtK
from turnwise.records.settings import JudgeRecord

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

Cells = dict[str, dict[str, list[str]]]
# By row and metric: the score, and the ends of its interval where they are shown.
CELLS = """Object.fromEntries([...document.querySelectorAll("#table tr[data-row]")].map((line) => [line.dataset.row,
Object.fromEntries([...line.querySelectorAll("td[data-metric]")].map((cell) => [cell.dataset.metric,
[cell.firstChild?.textContent?.trim() ?? "", cell.querySelector("small")?.textContent ?? ""]]))]))"""


def _choose(page: Page, select: str, value: str) -> None:
    page.until(f"[...document.querySelector('#{select}').options].some((one) => one.value === {json.dumps(value)})")
    page.evaluate(
        f"(() => {{ const one = document.querySelector('#{select}'); one.value = {json.dumps(value)}; "
        "one.dispatchEvent(new Event('change')); })()"
    )


def _expected(task: dict[str, Any], metrics: list[str], turns: int, group: str, over: str) -> dict[str, list[str]]:
    """Return what a row's cells have to say, from its part of scores.json."""
    found = {(one["group"], one["metric"], one["turns"]): one for one in task["estimates"]}
    budget = min(turns or task["max_turns"], task["max_turns"])
    cells = {}
    for metric in metrics:
        is_pass = metric.startswith("pass@")
        one = found.get((group, metric, budget if is_pass else min(budget, int(metric.partition("@")[2]))))
        ends = one["intervals"].get(over) if one and metric == f"1@{task['max_turns']}" else None
        text = f"{100 * one['value']:.1f}" if one else ""
        cells[metric] = [text, f"{100 * ends['lower']:.1f}\u2013{100 * ends['upper']:.1f}" if ends else ""]
    return cells


def test_the_numbers_are_those_of_scores_json(browser: Chromium, demo: Path) -> None:
    """Every score of every row with its interval, for each budget of turns, group of problems and kind of interval."""
    tasks: list[dict[str, Any]] = json.loads((demo / "scores.json").read_text(encoding="utf-8"))["tasks"]
    page = browser.open(demo / "site" / "index.html")
    page.click('button[data-task="*"]')
    numbers = set()
    for turns, group, over in (
        (0, "all", "problems"),
        (1, "all", "problems"),
        (2, "all", "problems"),
        (0, "clean", "problems"),
        (2, "clean", "samples"),
        (0, "all", "samples"),
    ):
        for select, value in (("turns", str(turns or "")), ("group", group), ("over", over)):
            _choose(page, select, value)
        seen: Cells = page.evaluate(CELLS)
        assert len(seen) == len(tasks) == 12
        for task in tasks:
            cells = seen[f"{task['run']}.{task['task']}"]
            assert cells == _expected(task, list(cells), turns, group, over), (task["run"], turns, group, over)
            numbers |= {text for cell in cells.values() for text in cell}
    assert len(numbers) > 15
    assert page.complaints() == []
    page.close()


def test_a_comparison_says_what_turnwise_compare_says(browser: Chromium, demo: Path) -> None:
    """B minus A, whichever of the two is A."""
    task = "sample_humaneval_plus_multiturn"
    scored = {
        one.run.path.name: one.outcomes
        for one in score_runs(read_runs(find_runs(demo)))
        if one.outcomes.record.task == task
    }
    page = browser.open(demo / "site" / "index.html")
    page.click(f'button[data-task="{task}"]')
    for first, second in (("careless", "repairing"), ("steady", "careless")):
        for select, name in (("first", first), ("second", second)):
            _choose(page, select, f"{name}.{task}")
        generator = np.random.default_rng(0)
        wanted = [
            [one.metric, f"{100 * one.first:.1f}", f"{100 * one.second:.1f}", f"{100 * (one.second - one.first):+.1f}"]
            for one in compare_tasks(
                scored[first], scored[second], over=Over.PROBLEMS, generator=generator, n_at_k=[NAtK(1, 6)]
            )
        ]
        assert any(row[3] != "+0.0" for row in wanted)
        table = "[...document.querySelectorAll('#differences tbody tr')].map((line) => [...line.children]"
        shown = f"{table}.map((cell) => cell.textContent.replace('\u2212', '-')))"
        page.until(f"{shown}[0]?.[2] === {json.dumps(wanted[0][1])} && {shown}[0]?.[3] === {json.dumps(wanted[0][2])}")
        assert [[row[0], row[2], row[3], row[4]] for row in page.evaluate(shown)] == wanted
    page.close()


def test_the_script_draws_what_stood_there_without_it(
    browser: Chromium, tmp_path: Path, write_run: Any, dialogue: Any, judge: Any, page_of: Callable[..., Path]
) -> None:
    """To the last digit, also where a share is as near to one number as to the next: 1, 3, 5 and 7 of 16."""
    runs = []
    for right in (1, 3, 5, 7):
        several = [dialogue("pass" if at < right else "fail", problem=f"b/{at}") for at in range(16)]
        problems = [one.problem for one in several]
        runs.append(
            write_run(tmp_path / f"r{right}", several, [judge(one) for one in several[:right]], problems=problems)
        )
    path = page_of(*runs)
    html = path.read_text(encoding="utf-8")
    without = {
        row: re.findall(r'data-metric="[^"]*">([^<]*?)\s*<', text)
        for row, text in re.findall(r'<tr data-row="([^"]*)">(.*?)</tr>', html, re.DOTALL)
    }
    page = browser.open(path)
    page.until("document.querySelector('#matrix button') !== null")
    seen: Cells = page.evaluate(CELLS)
    assert {row: [text for text, _ in cells.values()] for row, cells in seen.items()} == without
    assert {cells["pass@1"][0] for cells in seen.values()} == {"6.2", "18.8", "31.2", "43.8"}
    page.close()


def test_sections_of_different_judges_stay_apart(
    browser: Chromium, checked_run: Callable[..., Path], page_of: Callable[..., Path]
) -> None:
    """However they are sorted; scores by equality are drawn anew and copied, filters name answers and tests."""
    equality = JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0)
    page = browser.open(page_of(checked_run("a"), checked_run("b"), checked_run("c", judged_by=equality)))
    page.until("document.querySelector('#matrix button') !== null")
    sections = """[...document.querySelectorAll("#table tbody")].map((body) =>
[...body.querySelectorAll("tr[data-row]")].map((line) => line.dataset.row))"""
    assert page.evaluate(sections) == [["a.t", "b.t"], ["c.t"]]
    page.click('th[data-sort="name"] button')
    page.click('th[data-sort="name"] button')
    assert page.evaluate(sections) == [["b.t", "a.t"], ["c.t"]]
    cell = 'document.querySelector(\'tr[data-row="b.t"] td[data-metric="1@2"]\').textContent'
    assert page.evaluate(cell).endswith("by equality 25.0")
    page.click("#copy")
    copied = page.evaluate("document.querySelector('#copy-text').value").splitlines()
    assert copied[0] == "place,model,task,score,value,by equality,lower,upper,problems,tokens"
    assert [line.split(",")[5] for line in copied[1:]] == ["25.0"] * 3
    page.evaluate("document.querySelector('#copied').close()")
    _choose(page, "first", "a.t")
    _choose(page, "second", "c.t")
    page.until("document.querySelector('#difference').textContent.includes('were judged differently')")
    page.click("#more")
    names = page.evaluate("[...document.querySelectorAll('[data-facet]')].map((one) => one.dataset.facet)")
    assert names == ["answers", "tests"]
    about = "document.querySelector('#charts-about').textContent"
    assert "Some were judged differently" in page.evaluate(about)
    page.evaluate(
        "(() => { const one = document.querySelector('[data-facet=tests]'); one.value = 'valid'; "
        "one.dispatchEvent(new Event('change')); })()"
    )
    page.until("[...document.querySelectorAll('#table tbody')].filter((one) => !one.hidden).length === 1")
    assert "judged differently" not in page.evaluate(about)
    assert page.complaints() == []
    page.close()


def test_what_is_not_judged_is_neither_right_nor_wrong(
    browser: Chromium, tmp_path: Path, write_run: Any, dialogue: Any, page_of: Callable[..., Path]
) -> None:
    """In the table, among the problems and in the viewer."""
    run = write_run(tmp_path / "run", [dialogue("fail", "pass")], [])
    page = browser.open(page_of(run, allow_missing=True))
    page.until("document.querySelector('#matrix button') !== null")
    assert page.evaluate(CELLS)["run.t"]["1@3"][0] == "missing"
    assert page.evaluate("document.querySelector('#matrix button').textContent") == "?"
    page.evaluate("document.querySelector('#matrix button').click()")
    page.until("document.querySelectorAll('#viewer .turn').length === 2")
    turns = page.evaluate("[...document.querySelectorAll('#viewer .overview button')].map((one) => one.textContent)")
    assert turns == ["\u2717 Turn 1: wrong answer", "? Turn 2: passed the example tests"]
    assert "not judged" in page.evaluate("document.querySelector('#viewer select[aria-label=Dialogue]').textContent")
    page.close()
