"""Draws the README's pictures: ``make images``.

The page and a chart are drawn from turnwise demo, the curves of the miniature of reinforcement learning from
rlef_curves.json beside this file, which two trainings of it make:

    python tests/leaderboard/page/draw_images.py OUT_WITH_TRUE_FEEDBACK OUT_WITH_RANDOM_FEEDBACK
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from chromium import Chromium

from turnwise.commands.demo import demo_command
from turnwise.commands.plot import plot_command
from turnwise.commands.training_page import read_evaluations
from turnwise.leaderboard.charts.specs import DARK, LIGHT
from turnwise.leaderboard.page.plots import HEIGHT, WIDTH, DrawnPlot, Line, Plot, drawn
from turnwise.records.rlef import read_iterations

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "images"
CURVES = Path(__file__).with_name("rlef_curves.json")
_ABOVE = 54  # the height of title and legend
_COLUMN = 205
_STYLE = """
text { font: 11px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif; fill: #555d68; }
.title { font-size: 13px; font-weight: 600; fill: #1b1f24; }
.page { fill: #ffffff; } .rule { stroke: #e3e6e9; } .tick { stroke: #555d68; }
path { fill: none; stroke: var(--hue); stroke-width: 2; } circle { fill: var(--hue); } g line { stroke: var(--hue); }
@media (prefers-color-scheme: dark) {
text { fill: #a9b1bb; } .title { fill: #e8eaed; }
.page { fill: #14171b; } .rule { stroke: #2d333a; } .tick { stroke: #a9b1bb; }
}
"""


def record_curves(trainings: Mapping[str, Path]) -> dict[str, Any]:
    """Return of each training the share solved by iteration, and its evaluations: after how many, value and ends.

    They are those of the first task, by its usual metric.
    """
    curves = {}
    for name, output in trainings.items():
        solved = [[logged.iteration, logged.rollouts.solved] for logged in read_iterations(output)]
        scores = list(read_evaluations(output))
        first = scores[:1] and (scores[0].task, scores[0].metric)
        kept = [
            [score.iteration, score.value, score.lower, score.upper]
            for score in scores
            if (score.task, score.metric) == first
        ]
        curves[name] = {"solved": solved, "metric": scores[0].metric if scores else "", "evaluations": kept}
    return curves


def draw_curves(curves: Mapping[str, Any]) -> str:
    """Return the curves as one SVG that is right on light and on dark pages."""
    lines = []
    for number, (name, one) in enumerate(curves.items()):
        colour = f"c{number}"
        lines.append(Line(f"{name} feedback, rollouts", [tuple(point) for point in one["solved"]], colour))
        points = [(at, value) for at, value, _, _ in one["evaluations"]]
        reach = [(at, lower, upper) for at, _, lower, upper in one["evaluations"] if lower is not None]
        lines.append(
            Line(f"{name} feedback, {one['metric']} evaluated", points, f"{colour} dashed", reach, is_marked=True)
        )
    chart = drawn(Plot("Learning from execution feedback: solved by iteration", "", lines, "share", 1.0))
    if chart is None:
        raise ValueError("there is no curve to draw")
    return _to_svg(chart)


def _to_svg(chart: DrawnPlot) -> str:
    hues = "".join(f".c{number} {{ --hue: {hue}; }}\n" for number, hue in enumerate(LIGHT))
    dark = "".join(f".c{number} {{ --hue: {hue}; }}\n" for number, hue in enumerate(DARK))
    style = (
        f"{hues}@media (prefers-color-scheme: dark) {{\n{dark}}}\n{_STYLE}.dashed path {{ stroke-dasharray: 5 3; }}\n"
    )
    left, _, right, bottom = chart.box
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + _ABOVE}" role="img">',
        f"<title>{escape(chart.label)}</title><style>{style}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT + _ABOVE}"></rect>',
        f'<text class="title" x="12" y="18">{escape(chart.title)}</text>',
    ]
    for number, line in enumerate(chart.lines):
        x, y = 12 + number % 2 * _COLUMN, 34 + number // 2 * 15
        parts.append(f'<g class="{line.colour}"><path d="M{x} {y - 4}h24"></path></g>')
        parts.append(f'<text x="{x + 30}" y="{y}">{escape(line.name)}</text>')
    parts.append(f'<g transform="translate(0 {_ABOVE})">')
    for y, text in chart.y_ticks:
        parts.append(f'<line class="rule" x1="{left}" x2="{right}" y1="{y}" y2="{y}"></line>')
        parts.append(f'<text x="{left - 6}" y="{y}" dy="4" text-anchor="end">{escape(text)}</text>')
    for x, text in chart.x_ticks:
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{escape(text)}</text>')
    parts.append(f'<text x="{(left + right) // 2}" y="{bottom + 30}" text-anchor="middle">{chart.x_name}</text>')
    for line in chart.lines:
        parts.append(f'<g class="{line.colour}"><path d="{line.path}"></path>')
        parts += [f'<line x1="{x}" x2="{x}" y1="{upper}" y2="{lower}"></line>' for x, upper, lower in line.whiskers]
        parts += [f'<circle cx="{x}" cy="{y}" r="2.5"></circle>' for x, y in line.marks] + ["</g>"]
    return "\n".join([*parts, "</g>", "</svg>", ""])


def main(arguments: list[str]) -> None:
    """Write docs/images/leaderboard.png, turns.svg and rlef.svg; with two trainings first record their curves."""
    if arguments:
        true, random = map(Path, arguments)
        CURVES.write_text(json.dumps(record_curves({"true": true, "random": random})) + "\n")
    IMAGES.mkdir(parents=True, exist_ok=True)
    if CURVES.is_file():
        (IMAGES / "rlef.svg").write_text(draw_curves(json.loads(CURVES.read_text())), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        demo_command(demo, environ=dict(os.environ))
        plot_command([demo], IMAGES / "turns.svg", chart="turns", task="sample_humaneval_plus_multiturn")
        with Chromium.start() as browser:
            page = browser.open(demo / "site" / "index.html", width=1200, height=760)
            page.until("document.querySelector('#matrix button') !== null")
            page.screenshot(IMAGES / "leaderboard.png")


if __name__ == "__main__":
    main(sys.argv[1:])
