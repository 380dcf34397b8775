"""The HTML document: the template filled, with everything it needs inside, and a policy that lets nothing else in.

The policy names the two scripts and the style by their hashes, so that no other script can run, whatever the data
hold. All text goes through Jinja's escaping; JSON stands in scripts of type application/json with every ``<``,
``>`` and ``&`` written as an escape, so that it cannot end them.
"""

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from turnwise.json_text import json_line
from turnwise.leaderboard.page.table import Bar

SCRIPTS = ("dom", "state", "ranking", "code", "viewer", "charts", "problems", "copy", "main")
_ESCAPES = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


def asset(name: str) -> str:
    """Return the text of a file in ``assets``."""
    return (resources.files("turnwise.leaderboard.page") / "assets" / name).read_text(encoding="utf-8")


def island(data: Any) -> Markup:
    """Return ``data`` as JSON that can stand in a script element of type application/json."""
    text = json_line(data)
    return Markup(text.translate(_ESCAPES))  # every character that HTML knows is escaped just above


def render_document(context: Mapping[str, Any], *, vega: str, sidecars: bool) -> str:
    """Return the page; ``vega`` is the script that draws charts, ``sidecars`` whether data lie beside the page."""
    script = '(() => {\n"use strict";\n' + "\n".join(asset(f"{name}.js") for name in SCRIPTS) + "})();\n"
    style = asset("page.css")
    if "</script" in vega.lower():
        raise ValueError("the script that draws charts would end its element")
    hashes = " ".join(_source(text) for text in (script, vega))
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {hashes}" + (" 'self'" if sidecars else ""),
            f"style-src {_source(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    # Our own files; nothing of a run is in them.
    trusted = {"script": Markup(script), "style": Markup(style), "vega": Markup(vega)}
    environment = Environment(
        loader=FunctionLoader(asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.j2").render({**context, **trusted, "policy": policy, "bar": _draw_bar})


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _draw_bar(bar: Bar) -> Markup:
    rules = Markup("").join(
        Markup('<line class="rule" x1="{0}" x2="{0}" y1="0" y2="20"></line>').format(x)
        for x in (0, 250, 500, 750, 1000)
    )
    drawn = Markup("")
    if bar.point is not None:
        drawn = Markup(
            '<rect class="reach" x="{}" y="6" width="{}" height="8" rx="2"></rect>'
            '<rect class="point" x="{}" y="2" width="8" height="16"></rect>'
        ).format(bar.start, bar.width, bar.point)
    start = Markup('<svg class="bar" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true">')
    return start + rules + drawn + Markup("</svg>")
