"""Exact pass@k and pass n@k from boolean arrays; no resampling, no randomness.

pass@k (Chen et al., arXiv 2107.03374): 1 - C(K-c, k) / C(K, k) for c right of K samples.

pass n@k (Li et al., arXiv 2203.07814; with turns: Gehring et al., arXiv 2410.02089): the probability that
one of at most n submissions, drawn among those of k samples that pass the public tests, is right.
Multi-turn, k counts replies: k replies make k // turns dialogues, each with one candidate. With R
dialogues drawn out of K without replacement, e of them passing the public tests and s of those right:

    sum over e' of  C(e, e') C(K-e, R-e') / C(K, R)  *  [1 - C(e-s, m) / C(e, m)],   m = min(e', n)

Arrays are [problem, sample]; a missing sample has no place in them: callers leave it out, explicitly.
"""

import numpy as np
import numpy.typing as npt

Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def pass_at_k(passed_P_K: Booleans, *, k: int) -> Floats:
    """Return pass@k of each problem: float64[P] from bool[P, K]; raises ValueError if K < k or k < 1."""
    passed = _checked(passed_P_K, k, "k")
    samples = passed.shape[1]
    right = passed.sum(axis=1)
    return 1.0 - np.exp(_log_choose(samples - right, k) - _log_choose(np.array(samples), k))


def pass_n_at_k(passed_P_K: Booleans, public_P_K: Booleans, *, n: int, k: int, turns: int = 1) -> Floats:
    """Return pass n@k of each problem: float64[P] from two bool[P, K] arrays.

    ``passed`` says which dialogues are right (public and hidden tests), ``public`` which pass the public
    tests; ``k`` counts replies, so k // turns dialogues are drawn. Raises ValueError if the shapes differ,
    a dialogue passed without passing the public tests, n exceeds the dialogues drawn, or K has too few.
    """
    if turns < 1 or k < turns:
        raise ValueError(f"k={k} replies make no dialogue of turns={turns}: k must be at least turns >= 1")
    drawn = k // turns
    passed = _checked(passed_P_K, drawn, f"k // turns = {k} // {turns}")
    public = np.asarray(public_P_K, dtype=bool)
    if public.shape != passed.shape:
        raise ValueError(f"passed has shape {passed.shape} but public has {public.shape}")
    if np.any(passed & ~public):
        raise ValueError("a sample that passed everything must have passed the public tests")
    if not 1 <= n <= drawn:
        raise ValueError(f"n={n} submissions need 1 <= n <= {drawn}, the dialogues in k={k} replies")
    return _hypergeometric_mean(passed.sum(axis=1), public.sum(axis=1), passed.shape[1], n=n, drawn=drawn)


def _hypergeometric_mean(
    right: npt.NDArray[np.int64], eligible: npt.NDArray[np.int64], samples: int, *, n: int, drawn: int
) -> Floats:
    found = np.arange(drawn + 1)[None, :]  # e': how many of the drawn dialogues pass the public tests
    e, s = eligible[:, None], right[:, None]
    log_weight = _log_choose(e, found) + _log_choose(samples - e, drawn - found) - _log_choose(np.array(samples), drawn)
    submitted = np.minimum(found, n)
    possible = found <= e
    with np.errstate(invalid="ignore"):  # -inf - -inf where e' > e: weight zero, masked below
        log_all_wrong = _log_choose(e - s, submitted) - _log_choose(e, submitted)
        terms = np.exp(log_weight) * (1.0 - np.exp(log_all_wrong))
    result: Floats = np.where(possible, terms, 0.0).sum(axis=1)
    return np.clip(result, 0.0, 1.0)


def _checked(passed: Booleans, needed: int, name: str) -> Booleans:
    array = np.asarray(passed, dtype=bool)
    if array.ndim != 2:
        raise ValueError(f"expected an array [problem, sample], got shape {array.shape}")
    if needed < 1:
        raise ValueError(f"{name} must be at least 1, got {needed}")
    if array.shape[1] < needed:
        raise ValueError(f"K={array.shape[1]} samples are too few for {name} = {needed}")
    return array


def _log_choose(total: npt.NDArray[np.int64], chosen: npt.NDArray[np.int64] | int) -> Floats:
    """Return log C(total, chosen), -inf where chosen > total or chosen < 0."""
    total, chosen = np.broadcast_arrays(np.asarray(total), np.asarray(chosen))
    valid = (chosen >= 0) & (chosen <= total)
    size, part = np.where(valid, total, 0), np.where(valid, chosen, 0)
    log_factorial = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, size.max(initial=0) + 1)))))
    return np.where(valid, log_factorial[size] - log_factorial[part] - log_factorial[size - part], -np.inf)
