"""Vega as one script, out of the installed vl-convert-python, and kept: making it takes seconds.

Nothing of it is committed here, and nothing is loaded from elsewhere.
"""

from importlib.metadata import version
from pathlib import Path

from turnwise.files import write_atomically

_SNIPPET = "window.vegaEmbed = vegaEmbed;"


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
