"""Problem names as other files write them, brought to ours.

Sources disagree: Mbpp/11, MBPP/11, mbpp_11_remove_Occ and 11 are one problem, HumanEval/11 is another. Ids of turnwise
are ``<benchmark>/<name>``; ``normalise_name`` returns the name part.
"""

import re

_NUMBERED = {"humaneval_plus": "HumanEval", "mbpp_plus": "Mbpp"}
_NUMBER = re.compile(r"(?:(?P<word>[A-Za-z+]+)[/_ -])?(?P<number>[0-9]+)(?:[/_].*)?")
_LARGEST = 10**18


def source_name(value: object) -> str | None:
    """Return the name of a problem that a file gives as a text or a number, None for a value that can be none."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST
    return str(value) if is_number else None


def normalise_name(benchmark: str, source_name: str | int) -> str:
    """Return the name within ``benchmark`` of what a file calls ``source_name``; an unknown form stays as it is."""
    name = str(source_name).removeprefix(f"{benchmark}/")
    if benchmark in _NUMBERED:
        match = _NUMBER.fullmatch(name)
        if match is None or _is_of_another(benchmark, match["word"] or ""):
            return name
        return f"{_NUMBERED[benchmark]}/{match['number']}"
    return name


def problem_id(benchmark: str, source_name: str | int) -> str:
    """Return the id of the problem that a file calls ``source_name``."""
    return f"{benchmark}/{normalise_name(benchmark, source_name)}"


def _is_of_another(benchmark: str, word: str) -> bool:
    """Return whether ``word`` names a benchmark that numbers its problems, too, and is not this one."""
    others = (word.lower().startswith(prefix.lower()) for of, prefix in _NUMBERED.items() if of != benchmark)
    return any(others)
