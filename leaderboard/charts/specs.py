"""The Vega-Lite specification of each chart: plain data, with the places that are filled in later named by ``$``.

``$rows`` are the records, ``$names`` and ``$colours`` the runs and their colours, ``$legend`` whether there is one,
``$width`` the width, ``$bars_height`` and ``$cells_height`` those of charts with a line for each run or prompt,
``$levels`` and ``$ticks`` what stands on an axis, ``$dashes`` the legend of dashes, if there are several, ``$middle``
where a shade turns dark. The page fills them in its script, ``fill`` for files.
"""

from dataclasses import dataclass
from typing import Any

from turnwise.records.choices import ChartName

# Okabe and Ito's palette, each colour with a contrast of at least 3 to its background.
LIGHT = ("#0072b2", "#d55e00", "#007d5a", "#b8568c", "#8a6d00", "#2f8fc4", "#5b4b8a", "#4a4a4a")
DARK = ("#56b4e9", "#f0894a", "#2fc79a", "#e08fbd", "#e6c229", "#9ad1f0", "#b3a4e6", "#c9c9c9")
OUTCOMES_LIGHT = ("#2a8f6d", "#d98032", "#8c3f6f", "#b3a12a", "#4f7fb5", "#9aa0a6")
OUTCOMES_DARK = ("#3fb58c", "#e8954d", "#c274a5", "#d8c64a", "#7ba9dc", "#7d858d")
_DASHES = [[1, 0], [5, 3], [2, 2], [8, 3, 2, 3]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its title, how to read it, and its specification."""

    title: str
    about: str
    spec: dict[str, object]


def charts() -> dict[str, Chart]:
    """Return all charts by name, in the order in which the page shows them."""
    return {
        ChartName.TURNS: Chart(
            "More turns",
            "pass@1 where a dialogue may take so many turns; bars are 95 % intervals over problems.",
            _lines("turns", "turns at most", integer=True),
        ),
        ChartName.N_AT_K: Chart(
            "More replies",
            "n@k: at most n of the programs that k replies make are submitted, chosen by the example tests.",
            _lines("k", "replies k", log=True, dash="metric"),
        ),
        ChartName.PASS_AT_K: Chart(
            "More dialogues",
            "pass@k: one of k dialogues is right, each with all of its turns.",
            _lines("k", "dialogues k", log=True),
        ),
        ChartName.TOKENS: Chart(
            "At equal tokens",
            "Each problem is given the same tokens of prompts and replies; dashes tell turn budgets apart.",
            _lines("tokens", "tokens a problem", log=True, dash="budget"),
        ),
        ChartName.DIFFICULTY: Chart(
            "By difficulty",
            "The usual score on the problems of each level; bars are 95 % intervals over problems.",
            _lines("level", "difficulty", nominal=True),
        ),
        ChartName.FAILURES: Chart(
            "How programs end, turn by turn",
            "Share of the dialogues that reached the turn. Later turns hold only what had not passed before.",
            _failures(),
        ),
        ChartName.SIMILARITY: Chart(
            "How much programs change",
            "Similarity of consecutive programs of a dialogue, from nothing in common (0) to equal (1).",
            _similarity(),
        ),
        ChartName.PROSE: Chart(
            "Text beside code",
            "Mean share of an answer's characters outside of code blocks.",
            _lines("turn", "turn", integer=True, band=False),
        ),
        ChartName.GRID: Chart(
            "Prompt grid",
            "The usual score by reasoning prompt and instruction; of several runs in a cell the mean.",
            _grid(),
        ),
    }


def fill(spec: object, given: dict[str, object]) -> Any:
    """Return ``spec`` with each ``$name`` replaced by what is given under that name."""
    if isinstance(spec, dict):
        return {name: fill(value, given) for name, value in spec.items()}
    if isinstance(spec, list):
        return [fill(value, given) for value in spec]
    return given[spec[1:]] if isinstance(spec, str) and spec.startswith("$") and spec[1:] in given else spec


def theme(*, dark: bool = False) -> dict[str, object]:
    """Return the look of all charts: quiet axes, no frame, the page's colours."""
    ink, soft, line = ("#e8eaed", "#a9b1bb", "#2d333a") if dark else ("#1b1f24", "#555d68", "#e3e6e9")
    font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
    axis = {
        "labelColor": soft,
        "titleColor": soft,
        "gridColor": line,
        "domainColor": soft,
        "tickColor": soft,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    }
    return {
        "background": "transparent",
        "font": font,
        "view": {"stroke": None},
        "axis": axis,
        "axisX": {"grid": False},
        "legend": {"labelColor": ink, "titleColor": soft, "orient": "bottom", "columns": 3, "labelLimit": 260},
        "header": {"labelColor": ink, "titleColor": soft},
        "title": {"color": ink, "anchor": "start", "fontSize": 14},
        "text": {"color": ink},
        "range": {"heatmap": ["#23364a", "#7db8ee"] if dark else ["#e5f0fa", "#0a4a86"]},
    }


_PERCENT = {"format": ".0%", "title": "solved"}
_BY_RUN = {
    "field": "model",
    "type": "nominal",
    "title": None,
    "scale": {"domain": "$names", "range": "$colours"},
    "legend": "$legend",
}
_BESIDE = {
    "domain": "$names",
    "range": [{"expr": "bandwidth('x') / 2 - 12"}, {"expr": "bandwidth('x') / 2 + 12"}],
}


def _base(height: int = 240) -> dict[str, object]:
    return {
        "width": "$width",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": "$rows"},
    }


def _lines(
    field: str,
    title: str,
    *,
    log: bool = False,
    nominal: bool = False,
    integer: bool = False,
    dash: str = "",
    band: bool = True,
) -> dict[str, object]:
    x: dict[str, object] = {"field": field, "type": "quantitative", "title": title, "scale": {"nice": False}}
    if nominal:
        x = {"field": field, "type": "ordinal", "title": title, "sort": None, "scale": {"domain": "$levels"}}
        x["axis"] = {"labelAngle": -30}
    elif integer:
        x = {"field": field, "type": "ordinal", "title": title, "axis": {"labelAngle": 0}}
    elif log:
        x["scale"] = {"type": "log", "nice": False}
        x["axis"] = {"values": "$ticks", "format": ",~s", "labelOverlap": True}
    y = {"field": "value", "type": "quantitative", "scale": {"domainMin": 0, "domainMax": 1}, "axis": _PERCENT}
    if not band:
        y["axis"] = {**_PERCENT, "title": "of the characters"}
    tooltip = [
        {"field": "model", "title": "model"},
        *([{"field": dash, "title": dash}] if dash else []),
        {"field": field, "title": title},
        {"field": "value", "title": "value", "format": ".1%"},
        *([{"field": "lower", "format": ".1%"}, {"field": "upper", "format": ".1%"}] if band else []),
    ]
    line: dict[str, Any] = {
        "mark": {"type": "line", "point": {"size": 45, "filled": True}, "strokeWidth": 2},
        "encoding": {
            "x": x,
            "y": y,
            "color": _BY_RUN,
            "shape": {**_BY_RUN, "scale": {"domain": "$names"}, "legend": None},
            "tooltip": tooltip,
        },
    }
    if dash:
        of_dash = {"field": dash, "type": "nominal", "title": None, "scale": {"range": _DASHES}, "sort": None}
        line["encoding"]["strokeDash"] = of_dash | {"legend": "$dashes"}
    interval: dict[str, Any] = {
        "mark": {"type": "area", "opacity": 0.13},
        "encoding": {
            "x": x,
            "y": {"field": "lower", "type": "quantitative", "axis": _PERCENT},
            "y2": {"field": "upper"},
            "color": _BY_RUN,
            **({"detail": {"field": dash}} if dash else {}),
        },
    }
    if band and (nominal or integer):  # a bar beside those of the others: bands of several runs would hide each other
        interval["mark"] = {"type": "rule", "opacity": 0.6, "strokeWidth": 1.5}
        for layer in (interval, line):
            layer["encoding"]["xOffset"] = {"field": "model", "type": "nominal", "scale": _BESIDE}
    return {**_base(), "layer": [interval, line] if band else [line]}


def _failures() -> dict[str, object]:
    return {
        **_base(),
        "height": "$bars_height",
        "transform": [{"calculate": "datum.model + ', turn ' + datum.turn", "as": "label"}],
        "mark": {"type": "bar", "height": {"band": 0.8}},
        "encoding": {
            "y": {"field": "label", "type": "nominal", "title": None, "sort": None, "axis": {"labelLimit": 180}},
            "x": {
                "field": "share",
                "type": "quantitative",
                "stack": "zero",
                "title": "of the dialogues",
                "axis": {"format": ".0%"},
                "scale": {"domainMax": 1},
            },
            "color": {
                "field": "outcome",
                "type": "nominal",
                "title": None,
                "scale": {"domain": "$outcomes", "range": "$outcome_colours"},
                "legend": {"orient": "bottom", "columns": 3},
            },
            "order": {"field": "order"},
            "tooltip": [
                {"field": "model"},
                {"field": "turn"},
                {"field": "outcome"},
                {"field": "share", "format": ".1%"},
                {"field": "dialogues"},
            ],
        },
    }


def _similarity() -> dict[str, object]:
    return {
        **_base(),
        "mark": {"type": "line", "point": {"size": 40}, "strokeWidth": 2},
        "transform": [{"calculate": "datum.similarity + 0.05", "as": "middle"}],
        "encoding": {
            "x": {
                "field": "middle",
                "type": "quantitative",
                "title": "similarity, in tenths",
                "scale": {"domain": [0, 1]},
                "axis": {"tickCount": 10, "format": ".1f"},
            },
            "y": {"field": "share", "type": "quantitative", "title": "of the pairs", "axis": {"format": ".0%"}},
            "color": _BY_RUN,
            "tooltip": [
                {"field": "model"},
                {"field": "similarity", "title": "from", "format": ".1f"},
                {"field": "share", "format": ".1%"},
            ],
        },
    }


def _grid() -> dict[str, Any]:
    place = {
        "x": {
            "field": "instruction",
            "type": "nominal",
            "title": "instruction",
            "sort": None,
            "axis": {"labelAngle": -40},
        },
        "y": {"field": "reasoning", "type": "nominal", "title": "reasoning", "sort": None},
    }
    shade = {"field": "value", "type": "quantitative", "title": "solved", "legend": {"format": ".0%"}}
    number = {"field": "value", "type": "quantitative", "format": ".1%", "aggregate": "mean"}
    return {
        **_base(),
        "height": "$cells_height",
        "encoding": place,
        "layer": [
            {
                "mark": {"type": "rect"},
                "encoding": {
                    "color": {**shade, "aggregate": "mean"},
                    "tooltip": [{"field": "reasoning"}, {"field": "instruction"}, number],
                },
            },
            {
                "mark": {"type": "text", "fontSize": 10},
                "encoding": {
                    "text": number,
                    "color": {
                        "condition": {"test": {"field": "mean_value", "gt": "$middle"}, "value": "$on_dark"},
                        "value": "$on_light",
                    },
                },
            },
        ],
    }
