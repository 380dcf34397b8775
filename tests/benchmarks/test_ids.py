"""A problem has one id, whatever the file that speaks of it calls it."""

import pytest

from turnwise.benchmarks.ids import normalise_name, problem_id

_MBPP = ("Mbpp/11", "MBPP/11", "mbpp_11_remove_Occ", "11", 11, "MBPP+/11", "mbpp_plus/Mbpp/11")
_CONTEST = "1575_A. Another Sorting"


@pytest.mark.parametrize(
    ("benchmark", "name", "forms"),
    [
        ("mbpp_plus", "Mbpp/11", _MBPP),
        ("humaneval_plus", "HumanEval/0", ("HumanEval/0", "HumanEval_0", "humaneval-0", "0", 0, "HumanEval 0")),
        ("humaneval_plus", "has_close_elements", ("has_close_elements",)),
        ("taco", "5", (5, "5", "taco/5")),
        ("codecontests", _CONTEST, (_CONTEST, f"codecontests/{_CONTEST}")),
        ("codecontests", "11", ("11", 11)),
        ("sample_taco", "0", (0, "sample_taco/0")),
        ("sample_mbpp_plus", "Sample/100", ("Sample/100", "sample_mbpp_plus/Sample/100")),
        *[
            ("mbpp_plus", form, (form,))
            for form in ("HumanEval/11", "HUMANEVAL_11", "humaneval-11", "HumanEvalPlus/11")
        ],
        *[("humaneval_plus", form, (form,)) for form in ("Mbpp/11", "mbpp_11_remove_Occ", "MBPP+/11")],
        *[("mbpp_plus", form, (form,)) for form in ("", "1.1", "-11", "Mbpp/", "\u0661\u0661")],
    ],
)
def test_every_form_of_a_name_becomes_ours_and_what_is_no_number_stays(
    benchmark: str, name: str, forms: tuple[str | int, ...]
) -> None:
    assert [normalise_name(benchmark, form) for form in forms] == [name] * len(forms)
    assert {problem_id(benchmark, form) for form in forms} == {f"{benchmark}/{name}"}
