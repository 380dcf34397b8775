"""Charts as files: the page's specification with its places filled in, drawn by vl-convert without a browser.

>>> write_chart(Path("turns.pdf"), "turns", chart_data(series)["turns"])

The page draws with Vega's own script, which is taken out of the installed vl-convert-python and kept, since making it
takes seconds: nothing of it is committed here, and nothing is loaded from elsewhere.
"""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.files import replacing, write_atomically, write_synced
from turnwise.json_text import json_text
from turnwise.leaderboard.charts.data import KINDS, ChartData
from turnwise.leaderboard.charts.specs import DARK, LIGHT, OUTCOMES_DARK, OUTCOMES_LIGHT, charts, fill, theme

FORMATS = (".svg", ".png", ".pdf", ".json")
MOST_RUNS = len(LIGHT)
_STEPS = (1, 2, 3, 5)
_POINTS_AN_INCH = 72
_PIXELS_AN_INCH = 200
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True, slots=True)
class Look:
    """How wide the drawing is, in points, and whether it is for a dark page."""

    width: int = 420
    dark: bool = False


def filled_spec(name: str, data: ChartData, look: Look) -> dict[str, object]:
    """Return the whole specification of a chart; raises TurnwiseError for more runs than there are colours."""
    names = list(dict.fromkeys(str(row[1]) for row in data.rows))
    if len(names) > MOST_RUNS and name != "grid":
        raise TurnwiseError(f"There are {len(names)} runs, and a chart has colours for {MOST_RUNS}: name fewer.")
    places = _places(data.records(), look, names)
    spec: dict[str, object] = fill(charts()[name].spec, places)
    return spec | {"config": theme(dark=look.dark) | ({} if look.dark else {"background": "white"})}


def write_chart(path: Path, name: str, data: ChartData, look: Look | None = None) -> None:
    """Write a chart to ``path``, as its ending says; raises TurnwiseError for one that is not of FORMATS."""
    if path.suffix not in FORMATS:
        raise TurnwiseError(f"The file {str(path)!r} cannot be drawn: let its name end in one of {', '.join(FORMATS)}.")
    spec = filled_spec(name, data, look or Look())
    with replacing(path) as temporary:
        write_synced(temporary, _draw(spec, path.suffix))


def _draw(spec: dict[str, object], suffix: str) -> bytes:
    if suffix == ".json":
        return (json_text(spec, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
    import vl_convert

    if suffix == ".svg":
        text: str = vl_convert.vegalite_to_svg(spec)
        return text.encode("utf-8")
    if suffix == ".pdf":
        document: bytes = vl_convert.vegalite_to_pdf(spec)
        return document
    image: bytes = vl_convert.vegalite_to_png(spec, scale=_PIXELS_AN_INCH / _POINTS_AN_INCH)
    return image


def _places(records: list[dict[str, Any]], look: Look, names: list[str]) -> dict[str, object]:
    """Return what fills the places of a specification."""
    kinds = list(KINDS)
    at = [one.get("k", one.get("tokens")) or 1 for one in records]
    powers = range(len(str(int(max(at)))))
    steps = [step * 10**power for power in powers for step in _STEPS]
    dashes = {one.get("metric", one.get("budget")) for one in records}
    values = [one["value"] for one in records if one.get("value") is not None] or [0.0]
    return {
        "middle": min(values) + 0.5 * (max(values) - min(values)),
        "rows": [one | {"order": kinds.index(one["outcome"])} if "outcome" in one else one for one in records],
        "names": names,
        "colours": list(DARK if look.dark else LIGHT)[: len(names)],
        "legend": {"symbolOpacity": 1} if len(names) > 1 else None,
        "dashes": {"symbolType": "stroke"} if len(dashes) > 1 else None,
        "width": look.width,
        "bars_height": 18 * len({(one["run"], one.get("turn")) for one in records}),
        "cells_height": 28 * len({one.get("reasoning") for one in records}),
        "levels": list(dict.fromkeys(one.get("level") for one in records)),
        "ticks": [step for step in steps if min(at) <= step <= max(at)],
        "outcomes": kinds,
        "outcome_colours": list(OUTCOMES_DARK if look.dark else OUTCOMES_LIGHT),
        "on_dark": "#14171b" if look.dark else "#ffffff",
        "on_light": "#ffffff" if look.dark else "#1b1f24",
    }


def vega_script(cache: Path) -> str:
    """Return the script that defines ``vegaEmbed``, from the folder ``cache`` if it is there."""
    kept = cache / "page" / f"vega-{version('vl-convert-python')}.js"
    if kept.is_file() and (text := kept.read_text(encoding="utf-8")):
        return text
    import vl_convert

    script: str = vl_convert.javascript_bundle(_SNIPPET)
    script = script.replace("</script", "<\\/script")
    write_atomically(kept, script)
    return script
