"""Hostile programs under the tracer: no canary is touched, nothing of an expected answer is seen, the next one runs."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from canaries import Canaries
from hostile import Arena, Kind, hostile_programs

from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Program
from turnwise.runners.execution.tracing import trace_run

EVERY = 24  # of those that are traced each time; all of them where time is no matter


def _cases() -> Iterator[object]:
    for number, name in enumerate(hostile_programs()):
        yield pytest.param(name, marks=() if number % EVERY == 0 else pytest.mark.long)


@pytest.fixture(scope="module")
def arena() -> Iterator[tuple[Arena, HardenedExecutor, Canaries]]:
    """An executor among canaries that are older than it."""
    with tempfile.TemporaryDirectory(prefix="canaries-") as folder:
        canaries = Canaries(Path(folder))
        with closing(canaries), closing(HardenedExecutor()) as executor:
            yield Arena(executor, canaries), executor, canaries


@pytest.mark.parametrize("name", list(_cases()))
def test_a_hostile_program_gains_nothing_by_being_traced(
    arena: tuple[Arena, HardenedExecutor, Canaries], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the canaries' names as when it is judged; what it shows in its trace betrays none of them."""
    monkeypatch.setattr("turnwise.runners.execution.tracing.TRACE_SECONDS", 1.0)
    judged, executor, canaries = arena
    hostile = hostile_programs()[name]
    nonce = f"answer-{secrets.token_hex(16)}"
    problem = hostile.problem({**canaries.names, "nonce": nonce})
    program = Program(hostile.source, problem.entry_point)
    traced = trace_run(executor, program, problem.public_tests[0].input.encode(), problem.limits)
    shown = (
        "\n".join(text for run in traced.runs for text in (*run.before.values(), *run.after.values())) if traced else ""
    )
    assert nonce not in shown and len(shown) <= 10 * 2 * 12 * 106
    assert not (hostile.expected.kind is Kind.ESCAPE and "ESCAPED" in shown)
    assert list(canaries.traces(shown)) == []
    assert judged.judge(hostile_programs()["legal_bytesio_input"]).traces == ()
