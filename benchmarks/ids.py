"""Problem names as other files write them, brought to ours.

Sources disagree: Mbpp/11, MBPP/11, mbpp_11_remove_Occ and 11 are one problem, HumanEval/11 is another. Ids of turnwise
are ``<benchmark>/<name>``; ``normalise_name`` returns the name part.
"""

import re

_NUMBERED = {"humaneval_plus": "HumanEval", "mbpp_plus": "Mbpp"}
_NUMBER = re.compile(r"(?:([A-Za-z+]+)[/_ -])?([0-9]+)(?:[/_].*)?")


def normalise_name(benchmark: str, source_name: str | int) -> str:
    """Return the name within ``benchmark`` of what a file calls ``source_name``; an unknown form stays as it is."""
    name = str(source_name).removeprefix(f"{benchmark}/")
    if benchmark in _NUMBERED:
        match = _NUMBER.fullmatch(name)
        if match is None or _is_of_another(match[1] or "", benchmark):
            return name
        return f"{_NUMBERED[benchmark]}/{match[2]}"
    if benchmark == "taco":
        return name.removeprefix("taco/")
    return name


def _is_of_another(word: str, benchmark: str) -> bool:
    return any(word.lower().startswith(own.lower()) for other, own in _NUMBERED.items() if other != benchmark)


def problem_id(benchmark: str, source_name: str | int) -> str:
    """Return the id of the problem that a file calls ``source_name``."""
    return f"{benchmark}/{normalise_name(benchmark, source_name)}"
