"""The sandbox of lm_eval's tasks."""

from turnwise.harness.driver import open_judge, open_machine
from turnwise.harness.options import read_options
from turnwise.tasks.catalog import TASKS


def test_the_tasks_of_a_process_share_one_sandbox() -> None:
    """Expected outputs, dialogues and the final judgement of every task run in it; opening one takes a second."""
    first, second = (read_options(TASKS[name], {"workers": 1}) for name in TASKS if name.startswith("sample_mbpp"))
    with open_machine(first) as one, open_machine(second) as other, open_judge(first) as judge:
        assert one.executor is other.executor
        assert judge.environment.interpreter == one.executor.interpreter
    with open_machine(second) as again:
        assert again.executor is other.executor
