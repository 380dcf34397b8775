"""The page of a comparison of problem sets: pairs of statements side by side, in one file without scripts.

Statements are others' text: all of it is escaped, and the page may load nothing. Shows no test.
"""

from collections.abc import Mapping

from jinja2 import Environment

from turnwise.records.contamination import Contamination, Reason
from turnwise.texts import encodable
from turnwise.training.contamination.search import PUBLISHED

_WHY = {
    Reason.STATEMENT: "one problem by its statement",
    Reason.SOLUTIONS: "one problem by its solutions",
    Reason.NEAR: "near, not counted",
}
_TEMPLATE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Contamination of {{ found.task }}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #8886; }
th:first-child, td:first-child { text-align: left; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.pair > div { min-width: 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; font-size: .9rem; background: #8881;
  padding: .8rem; margin: .3rem 0; max-height: 30rem; overflow: auto; }
summary { cursor: pointer; padding: .3rem 0; }
@media (max-width: 50rem) { .pair { grid-template-columns: 1fr; } }
</style>
<h1>Contamination of {{ found.task }}</h1>
<p>{{ found.problems | length }} of {{ found.compared }} problems are also in a test set: the shorter statement shares
{{ "%g" | format(found.settings.containment) }} of its word 8-grams or more with the other
{%- if found.settings.solutions %}, or known solutions solve both{% endif %}
{%- if found.settings.embed %}; embeddings of {{ found.settings.embed }} found near ones beside{% endif %}.</p>
<p>{{ published }}</p>
<table>
<tr><th>test set<th>problems<th>pairs by statement<th>pairs by solutions<th>near pairs</tr>
{% for name, pairs in sets.items() -%}
<tr><td>{{ name }}<td>{{ found.against[name] }}
{%- for reason in why %}<td>{{ pairs | selectattr("reason", "equalto", reason) | list | length }}{% endfor %}</tr>
{% endfor -%}
</table>
{% for name, pairs in sets.items() if pairs -%}
<h2>{{ name }}</h2>
{% for pair in pairs -%}
<details{% if loop.first %} open{% endif %}>
<summary>{{ "%.2f" | format(pair.containment) }} {{ pair.problem }} / {{ pair.other }}: {{ why[pair.reason] }}
{%- if pair.cosine is not none %}; cosine {{ "%.2f" | format(pair.cosine) }}{% endif %}
{%- if pair.note %}; {{ pair.note }}{% endif %}</summary>
{% if pair.shared %}<p>Words of both: {{ pair.shared }}</p>
{% endif -%}
<div class="pair">
<div><h3>{{ pair.problem }}</h3><pre tabindex="0">{{ statements[found.task][pair.problem] }}</pre></div>
<div><h3>{{ pair.other }}</h3><pre tabindex="0">{{ statements[name][pair.other] }}</pre></div>
</div>
</details>
{% endfor -%}
{% endfor -%}
</html>
"""


def page_of(found: Contamination, statements: Mapping[str, Mapping[str, str]]) -> str:
    """Return the page; ``statements`` are those of each task named in ``found``, by problem id."""
    template = Environment(autoescape=True, keep_trailing_newline=True).from_string(_TEMPLATE)
    sets = {name: [pair for pair in found.pairs if pair.task == name] for name in found.against}
    return encodable(template.render(found=found, statements=statements, sets=sets, why=_WHY, published=PUBLISHED))
