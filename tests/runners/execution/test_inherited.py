"""What a limit of the machine may have done is told from what a program did, by what each limit leaves behind."""

import resource

import pytest

from turnwise.errors import InfrastructureError
from turnwise.records.problem import Limits
from turnwise.runners.execution.host import InheritedLimits, need_descriptors, raise_descriptors
from turnwise.runners.execution.interface import Ending, Execution

LIMITS = Limits(2.0, 256 << 20)
AS, DATA, STACK, FSIZE = resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK, resource.RLIMIT_FSIZE
CPU, NPROC = resource.RLIMIT_CPU, resource.RLIMIT_NPROC
LOW = {AS: 500 << 20, DATA: 500 << 20, STACK: 8 << 20, FSIZE: 1000, CPU: 5, NPROC: 20}
FAILED = Execution(Ending.FAILED, error="ZeroDivisionError")


@pytest.mark.parametrize("kind", LOW)
def test_each_limit_that_is_too_low_is_named(kind: int) -> None:
    """With its value, what is needed, and how to raise it."""
    (found,) = InheritedLimits({kind: LOW[kind]}).shortfalls(LIMITS)
    assert "The hard limit of " in str(found) and "Raise it (ulimit -" in str(found)
    assert not InheritedLimits({kind: found.needed}).shortfalls(LIMITS)


def test_a_limit_of_cpu_time_is_one_of_the_judge_too() -> None:
    """However high it is for a program, a judge reaches it."""
    assert "7200 s, with which this process itself is killed" in InheritedLimits({CPU: 7200}).advice(LIMITS)[0]
    assert not InheritedLimits({AS: 1}).advice(LIMITS)
    low = InheritedLimits({CPU: 5})
    assert low.advice(LIMITS) == () and "this process itself is killed" in str(low.shortfalls(LIMITS)[0])


def test_limits_that_are_high_enough_change_nothing() -> None:
    """Nor do those that a problem with less memory does not reach."""
    assert InheritedLimits({}).read_execution(FAILED, LIMITS) == FAILED
    enough = InheritedLimits({AS: 2 << 30})
    assert enough.read_execution(FAILED, LIMITS) == FAILED
    assert enough.read_execution(FAILED, Limits(2.0, 4 << 30)).ending is Ending.INFRASTRUCTURE


def test_other_processes_of_the_user_count() -> None:
    """A limit of processes that they fill up is too low."""
    assert not InheritedLimits({NPROC: 4000}, other_tasks=100).shortfalls(LIMITS)
    assert InheritedLimits({NPROC: 4000}, other_tasks=3900).shortfalls(LIMITS)


@pytest.mark.parametrize(
    ("kind", "execution"),
    [
        (AS, FAILED),  # whatever it says, it may have met the limit before
        (DATA, Execution(Ending.IDLE_LIMIT)),
        (NPROC, FAILED),
        (AS, Execution(Ending.MEMORY_LIMIT, error="MemoryError", peak_memory_bytes=10 << 20)),
        (AS, Execution(Ending.COMPILE_ERROR, error="MemoryError")),
        (STACK, Execution(Ending.FAILED, error="The program was killed by SIGSEGV.")),
        (STACK, Execution(Ending.COMPILE_ERROR, error="Compiling crashed. The program was killed by SIGSEGV.")),
        (FSIZE, Execution(Ending.OUTPUT_LIMIT, output=b"x" * 1000)),
        (FSIZE, Execution(Ending.FAILED, error="OSError: [Errno 27] File too large")),
        (CPU, Execution(Ending.CPU_LIMIT, error="The program was killed by SIGXCPU.", cpu_seconds=1.0)),
    ],
)
def test_what_a_limit_may_have_done_is_the_machines_failure(kind: int, execution: Execution) -> None:
    """The words of the program are kept, and the limit's stand below them."""
    read = InheritedLimits({kind: LOW[kind]}).read_execution(execution, LIMITS)
    assert read.ending is Ending.INFRASTRUCTURE
    assert read.error.startswith(execution.error) and "The hard limit of" in read.error


@pytest.mark.parametrize(
    ("kind", "execution"),
    [
        (AS, Execution(Ending.COMPILE_ERROR, error="SyntaxError: invalid syntax")),
        (AS, Execution(Ending.CPU_LIMIT, cpu_seconds=2.1)),
        (AS, Execution(Ending.MEMORY_LIMIT, peak_memory_bytes=257 << 20)),
        (STACK, FAILED),
        (FSIZE, FAILED),
        (CPU, Execution(Ending.CPU_LIMIT, cpu_seconds=2.1)),
    ],
)
def test_what_it_cannot_have_done_stays_the_programs(kind: int, execution: Execution) -> None:
    """A syntax error, time or memory that was used, an exception of another kind."""
    assert InheritedLimits({kind: LOW[kind]}).read_execution(execution, LIMITS) == execution


def test_an_output_is_marked_where_it_may_be_due_to_a_limit() -> None:
    """A pass is one all the same; whoever compares decides by it what a wrong one is."""
    finished = Execution(Ending.FINISHED, output=b"2\n")
    assert "address space" in InheritedLimits({AS: LOW[AS]}).read_execution(finished, LIMITS).hampered
    assert not InheritedLimits({STACK: LOW[STACK]}).read_execution(finished, LIMITS).hampered
    assert InheritedLimits({FSIZE: 2}).read_execution(finished, LIMITS).hampered


def test_open_files_are_raised_as_far_as_may_be() -> None:
    """To what is wanted, to the hard limit at most, and never lowered; what is needed and not to be had is refused."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
        need_descriptors(1)
        assert 256 < resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 500
        raise_descriptors(1100)
        raise_descriptors(10)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1100
        with pytest.raises(InfrastructureError, match=r"hard limit of open files is .* or give fewer --workers"):
            need_descriptors(10_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
