"""Templates from outside: nothing of theirs runs, reads or fills the machine; what they may do still works."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from turnwise.errors import TurnwiseError
from turnwise.tasks.prompts import DEFAULT_SET, PromptSet

BUNDLED = Path(__file__).resolve().parents[2] / "tasks" / "prompts" / DEFAULT_SET

HOSTILE = {
    "globals_of_a_global": "{{ cycler.__init__.__globals__.os.popen('touch PWNED').read() }}",
    "globals_of_a_method": "{{ self.__init__.__globals__ }}",
    "globals_of_range": "{{ range.__globals__ }}{{ range.__self__ }}",
    "subclasses": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "attribute_filter": "{{ ''|attr('__class__') }}",
    "attribute_map": "{{ ['']|map(attribute='__class__')|first }}",
    "attribute_item": "{{ ''['__class__'] }}",
    "attribute_format": "{{ '{0.__class__}'.format('') }}",
    "attribute_format_map": "{{ '{a.__class__}'.format_map({'a': ''}) }}",
    "macro_globals": "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}",
    "loop_globals": "{% for a in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "changes_a_list": "{% set a = [] %}{{ a.append(1) }}",
    "file_outside": "{% include '../../../etc/passwd' %}",
    "file_absolute": "{% include '/etc/passwd' %}",
    "import_outside": "{% import '../secret.j2' as a %}{{ a }}",
    "extends_outside": "{% extends '../secret.j2' %}",
    "includes_itself": "{% include 'no_code.j2' %}",
    "includes_itself_twice": "{% if 1 %}{% include 'no_code.j2' %}{% include 'no_code.j2' %}{% endif %}",
    "extends_itself": "{% extends 'no_code.j2' %}",
    "loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "long_loop": "{% for a in range(10 ** 10) %}{% endfor %}",
    "loop_filters": "{% for a in range(9999)|map('string') %}{% for b in range(9999)|list %}{% endfor %}{% endfor %}",
    "macro_tree": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(99) }}",
    "recursive_loop": "{% for a in [[1]] recursive %}{{ loop([[1], [1]]) }}{% endfor %}",
    "long_text": "{{ 'a' * 10 ** 10 }}",
    "long_text_reversed": "{{ 10 ** 9 * 'a' }}",
    "long_list": "{{ [1] * 10 ** 9 }}",
    "long_number": "{{ 10 ** (10 ** 10) }}",
    "long_product": "{% set a = 10 ** 999 %}" + "{% set a = a * a %}" * 40 + "{{ a }}",
    "doubled_text": "{% set a = 'a' * 999 %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "doubled_sum": "{% set a = 'a' * 999 %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "doubled_block": "{% set a = 'a' * 999 %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40 + "{{ a }}",
    "doubled_list": "{% set a = [1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}",
    "doubled_tuple": "{% set a = (1,) %}" + "{% set a = (a, a) %}" * 40 + "{{ a ~ '' }}",
    "doubled_mapping": "{% set a = {} %}" + "{% set a = {1: a, 2: a} %}" * 40 + "{{ a|tojson }}",
    "doubled_by_macro": "{% macro m(a) %}{{ a }}{{ a }}{% endmacro %}{% set a = 'a' * 999 %}"
    + "{% set a = m(a) %}" * 40
    + "{{ a }}",
    "percent_width": "{{ '%999999999d' % 1 }}",
    "percent_star": "{{ '%*d' % (10 ** 9, 1) }}",
    "format_filter": "{{ '%999999999d'|format(1) }}",
    "format_width": "{{ '{:999999999}'.format(1) }}",
    "center_filter": "{{ 'a'|center(10 ** 9) }}",
    "indent_filter": "{{ ('\\n' * 99999)|indent(10 ** 6) }}",
    "replace_filter": "{% set a = 'a' * 9999 %}{{ a|replace('a', a)|replace('a', a) }}",
    "join_filter": "{{ range(99999)|join('a' * 9999) }}",
    "padding_method": "{{ 'a'.ljust(10 ** 9) }}{{ 'a'.zfill(10 ** 9) }}",
    "number_method": "{{ (5).to_bytes(10 ** 9, 'big') }}",
    "lorem": "{{ lipsum(n=10 ** 9) }}",
    "object": "{{ range }}",
}
BROKEN = {
    "nested": "{{ " + "(" * 20_000 + ")" * 20_000 + " }}",
    "nested_lists": "{{ " + "[" * 20_000 + "]" * 20_000 + " }}",
    "nested_loops": "{% for a in b %}" * 200 + "{% endfor %}" * 200,
    "long_name": "{{ a.b" + "c" * 200_000 + " d }}",
    "unknown_filter": "{{ 'a'|attr('b') }}",
    "large": " " * 300_000,
}
LEGAL = {
    "{% set names = ['b', 'a'] %}{% for one in names|sort %}{{ loop.index }}{{ one }}{% endfor %}": "1a2b",
    "{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(1) }}{{ m('x') ~ 2 }}": "<1><x>2",
    "{{ ' a\nb '.strip().splitlines()|join(', ') }}": "a, b",
    "{{ 'Attempt %02d of %s'|format(3, 'ten') }}{{ '%d' % 5 }}": "Attempt 03 of ten5",
    "{% for a in range(3) %}{{ a }}{{ ',' if not loop.last }}{% endfor %}": "0,1,2",
    "{% set a %}x{{ 1 + 2 * 3 }}{% endset %}{{ a|upper|replace('7', 'y')|indent(2, true) }}": "  Xy",
    "{{ [1, 2]|sum }}{{ {'a': [1]}.a[0] }}{{ none|default('d', true) }}{{ [3]|map('string')|list }}": "31d['3']",
    "{% include 'parts/one.j2' %}": "a part",
}


def _folder(tmp_path: Path, template: str) -> Path:
    folder = shutil.copytree(BUNDLED, tmp_path / "mine")
    (folder / "no_code.j2").write_text(template)
    return folder


def _sentence(error: TurnwiseError) -> str:
    message = str(error)
    assert "\n" not in message and len(message) < 600 and message.endswith(".")
    return message


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_one_sentence(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reaches nothing, and ends before it has taken much time or memory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.j2").write_text("secret")
    with pytest.raises(TurnwiseError) as caught:
        PromptSet.load(_folder(tmp_path, HOSTILE[name])).render("no_code")
    assert "no_code" in _sentence(caught.value)
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize("name", BROKEN)
def test_a_template_that_breaks_the_parser_is_one_sentence(tmp_path: Path, name: str) -> None:
    """However deep or long it is."""
    with pytest.raises(TurnwiseError) as caught:
        PromptSet.load(_folder(tmp_path, BROKEN[name]))
    assert "no_code.j2" in _sentence(caught.value)


@pytest.mark.parametrize("template", LEGAL)
def test_what_templates_do_still_works(tmp_path: Path, template: str) -> None:
    """Loops, macros, filters, methods of texts and files of the folder."""
    folder = _folder(tmp_path, template)
    (folder / "parts").mkdir()
    (folder / "parts" / "one.j2").write_text("a part")
    assert PromptSet.load(folder).render("no_code").strip("\n") == LEGAL[template]


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_template_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    """A link could show the model any file; a pipe would never be read to its end."""
    folder = _folder(tmp_path, "text")
    path = folder / "feedback" / "none.j2"
    path.unlink()
    if kind == "link":
        (tmp_path / "secret").write_text("secret")
        path.symlink_to(tmp_path / "secret")
    else:
        os.mkfifo(path)
    with pytest.raises(TurnwiseError) as caught:
        PromptSet.load(folder)
    reason = "it is a link, and links are not followed" if kind == "link" else "it is no regular file"
    assert str(caught.value) == f"The prompt {str(path)!r} cannot be read ({reason}): put the text itself there."


def test_a_hostile_folder_does_nothing_through_the_command(tmp_path: Path) -> None:
    """The command says one sentence and ends with status 2."""
    folder = _folder(tmp_path, "text")
    with (folder / "statement.j2").open("a") as file:
        file.write(HOSTILE["globals_of_a_global"])
    show = ["prompts", "show", "-t", "sample_humaneval_plus_multiturn", "--prompts", str(folder)]
    done = subprocess.run([sys.executable, "-m", "turnwise", *show], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("turnwise: The prompt 'statement' of 'mine' cannot be filled in: ")
    assert not (tmp_path / "PWNED").exists()
