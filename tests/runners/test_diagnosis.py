"""Before a run begins the machine has shown that verdicts can be trusted there."""

import errno
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from turnwise.errors import InfrastructureError
from turnwise.records.problem import Limits
from turnwise.runners import diagnosis
from turnwise.runners.diagnosis import check_machine
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Execution, Executor, Program, Session
from turnwise.runners.execution.worker import LayerMissingError


class _Garbling:
    """An executor that runs programs as another does and spoils the first letter of what they print."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner
        self.name, self.tier, self.interpreter = inner.name, inner.tier, inner.interpreter

    def open(self, program: Program, language: str, limits: Limits) -> Session:
        session: Any = self._inner.open(program, language, limits)
        run = session.run

        def garbled(inputs: Iterable[bytes]) -> Iterator[Execution]:
            for execution in run(inputs):
                yield replace(execution, output=b"?" + execution.output[1:])

        session.run = garbled
        return session

    def close(self) -> None:
        self._inner.close()


def test_a_machine_that_is_well_gets_only_advice() -> None:
    """More workers than cores is no reason to refuse, but said."""
    with HardenedExecutor() as executor:
        advice = check_machine(executor, workers=10_000, environ={})
    assert any("10000 workers share" in sentence for sentence in advice)


def test_nothing_is_sampled_where_reference_solutions_fail() -> None:
    """The error names the solutions and what shows more."""
    with (
        HardenedExecutor() as executor,
        pytest.raises(InfrastructureError, match=r"fail .*sample_taco/0.*turnwise doctor"),
    ):
        check_machine(_Garbling(executor), workers=1, environ={})


def test_a_slow_machine_is_told_which_factor_makes_scores_comparable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits are CPU time, so a slow core fails programs that pass elsewhere."""
    monkeypatch.setattr(diagnosis, "USUAL_LOOP_SECONDS", 1e-4)
    with HardenedExecutor() as executor:
        advice = check_machine(executor, workers=1, environ={})
    assert any("times slower than usual" in sentence and "--time_factor" in sentence for sentence in advice)


def test_a_tier_that_falls_for_want_of_something_is_said_with_the_remedy() -> None:
    """Not where the machine's rules forbid the better one: that is known, and stands in every result."""
    with HardenedExecutor() as executor:
        executor.unavailable = {"A": LayerMissingError("namespaces", "Too many open files", errno.EMFILE)}
        assert any("tier A lacks namespaces" in one and "ulimit -n" in one for one in _advice(executor))
        executor.unavailable = {"A": LayerMissingError("namespaces", "Operation not permitted", errno.EPERM)}
        assert not any("lacks" in one for one in _advice(executor))
    assert "user namespaces" in executor.unavailable["A"].remedy


def test_a_full_folder_for_temporary_files_is_not_taken_for_a_rule_of_the_kernel() -> None:
    """Tier B keeps a program's files there; only where namespaces run out is it the kernel's own number."""
    full = LayerMissingError("privileges", "No space left on device: './solution.py'", errno.ENOSPC)
    assert full.remedy == "make room in the folder for temporary files, or set TMPDIR to another"
    assert not full.is_forbidden
    few = LayerMissingError("namespaces", "No space left on device", errno.ENOSPC)
    assert few.is_forbidden and "max_user_namespaces" in few.remedy


def _advice(executor: Executor) -> list[str]:
    return check_machine(executor, workers=1, environ={})
