"""What the rewards of rollouts cost: python tests/performance/rollouts.py [DATA_DIR]

By default the data are those of the tests, which are said to be absent where they are. The replies about each train
problem are a wrong program, then one of its own, through the environment of training, two threads at a time, no verdict
known before. All tests of a problem are run, none is sampled. CPU seconds are those of all processes together.
"""

import resource
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tabulate import tabulate

from turnwise.records.problem import Problem
from turnwise.training.environment import Environments, open_environments

TASK = "codecontests_train_multiturn"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
ROLLOUTS = 1024  # of an iteration of RLEF
THREADS = 2
_WRONG = "import sys\n\nsys.stdin.read()\nprint(-1)"


def cpu_seconds() -> float:
    """Return what this process and all that have ended below it have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def programs_of(problem: Problem) -> list[str]:
    """Return the replies about a problem: a wrong program, then one of its own."""
    return [_WRONG, problem.solutions[0]]


def play(environments: Environments, name: str, programs: Mapping[str, list[str]]) -> tuple[int, bool, float | None]:
    """Carry one dialogue to its end; return how many programs were judged, whether it passed, and its last reward."""
    environment = environments.make(name, sample=0)
    environment.reset()
    for count, program in enumerate(programs[name], start=1):
        step = environment.step(f"```python\n{program}\n```")
        if step.done:
            return count, environment.episode().solved, step.reward
    return len(programs[name]), False, None


def main() -> None:
    """Print the costs."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    if not data.is_dir():
        print(f"{data} is not there: give the folder of the data.")
        return
    with open_environments(TASK, data_dir=data, own_solutions=0, workers=THREADS) as environments:
        problems = [environments.training_problems.find(name) for name in environments.problems]
        programs = {problem.id: programs_of(problem) for problem in problems if problem.solutions}
        tests = sum(len(problem.public_tests) + len(problem.hidden_tests) for problem in problems) / len(problems)
        cpu, begun = cpu_seconds(), time.perf_counter()
        with ThreadPoolExecutor(THREADS) as pool:
            played = list(pool.map(lambda name: play(environments, name, programs), programs))
        wall = time.perf_counter() - begun
    cpu = cpu_seconds() - cpu  # workers have ended
    judged, ended = sum(count for count, _, _ in played), sum(reward is not None for _, _, reward in played)
    each = cpu / len(played)
    print(
        tabulate(
            [
                ("dialogues", len(played)),
                ("that ended, with a reward", ended),
                ("that passed all tests", sum(solved for _, solved, _ in played)),
                ("programs judged", judged),
                ("tests of a problem, mean", f"{tests:.0f}"),
                ("CPU ms a dialogue", f"{1000 * each:.0f}"),
                ("CPU ms a program", f"{1000 * cpu / judged:.0f}"),
                (f"dialogues/s, {THREADS} threads", f"{len(played) / wall:.1f}"),
                (f"CPU s of {ROLLOUTS:,} such dialogues", f"{ROLLOUTS * each:.0f}"),
            ]
        )
    )


if __name__ == "__main__":
    main()
