"""A problem has one id, whatever the file that speaks of it calls it."""

import pytest

from turnwise.benchmarks.ids import normalise_name, problem_id


@pytest.mark.parametrize(
    ("benchmark", "source_name", "name"),
    [
        *[("mbpp_plus", form, "Mbpp/11") for form in ("Mbpp/11", "MBPP/11", "mbpp_11_remove_Occ", "11", 11)],
        ("mbpp_plus", "mbpp_plus/Mbpp/11", "Mbpp/11"),
        ("mbpp_plus", "MBPP+/11", "Mbpp/11"),
        *[("humaneval_plus", form, "HumanEval/0") for form in ("HumanEval/0", "HumanEval_0", "humaneval-0", "0", 0)],
        ("humaneval_plus", "humaneval_plus/HumanEval/163", "HumanEval/163"),
        ("humaneval_plus", "has_close_elements", "has_close_elements"),
        ("humaneval_plus", "", ""),
        ("taco", 5, "5"),
        ("taco", "taco/5", "5"),
        ("codecontests", "1575_A. Another Sorting", "1575_A. Another Sorting"),
        ("codecontests", "codecontests/1575_A. Another Sorting", "1575_A. Another Sorting"),
        ("codecontests", "11", "11"),
        ("sample_taco", "sample_taco/0", "0"),
        ("sample_mbpp_plus", "Sample/100", "Sample/100"),
    ],
)
def test_every_form_of_a_name_becomes_ours(benchmark: str, source_name: str | int, name: str) -> None:
    assert normalise_name(benchmark, source_name) == name
    assert problem_id(benchmark, source_name) == f"{benchmark}/{name}"


@pytest.mark.parametrize("form", ["١١", "Mbpp/١١", "1.1", "-11", "Mbpp/"])
def test_what_is_no_number_stays_as_it_is(form: str) -> None:
    assert normalise_name("mbpp_plus", form) == form
