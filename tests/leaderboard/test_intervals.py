"""Intervals over samples and over problems: against direct computation, at the edges, and by their coverage."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.leaderboard.bootstrap import bca, cluster_sums, resampled_means
from turnwise.leaderboard.counts import Counts, count, value_of
from turnwise.leaderboard.intervals import (
    Interval,
    effective_number,
    jackknife,
    jackknife_variances,
    wilson,
    wilson_mean,
)

KS = [1, 10, 33, 100]
HARD, ALL_OR_NOTHING, EASY = (0.3, 1.2), (0.4, 0.4), (2.0, 0.7)
# Beta distribution of the problems, problems, samples, k, and the most that an interval may cover.
STUDIES = {
    "hard": (HARD, 165, 200, KS, [0.97, 0.97, 0.97, 0.975]),
    "all or nothing": (ALL_OR_NOTHING, 165, 200, KS, [0.97, 0.97, 0.97, 0.975]),
    "saturated": (EASY, 165, 200, KS, [0.97, 1.0, 1.0, 1.0]),
    "hard, small": (HARD, 100, 20, [1, 10], [0.97, 0.975]),
    "hard, tiny": (HARD, 30, 10, [1, 5], [0.97, 0.99]),
}


def _counts(samples: int, right: list[int], public: list[int] | None = None) -> Counts:
    size = np.full(len(right), samples)
    return Counts(size, np.array(public or right, dtype=np.int64), np.array(right, dtype=np.int64))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([(False, False), (False, True), (True, True)]), min_size=2, max_size=7), st.data())
def test_the_jackknife_leaves_out_each_sample_once(rows: list[tuple[bool, bool]], data: st.DataObject) -> None:
    """(K - 1) / K times the squares of the K estimates without one sample, about their mean."""
    drawn = data.draw(st.integers(1, len(rows) - 1))
    n = data.draw(st.integers(1, drawn) | st.none())
    both = np.array([rows])
    whole = count(both[..., 0], both[..., 1])
    without = [
        value_of(count(*(np.delete(both[..., part], one, axis=1) for part in (0, 1))), n=n, drawn=drawn)[0]
        for one in range(len(rows))
    ]
    expected = (len(rows) - 1) * np.var(without)
    assert jackknife_variances(whole, n=n, drawn=drawn)[0] == pytest.approx(expected, abs=1e-10)


def test_the_interval_of_pass_at_1_is_the_textbook_one() -> None:
    """The mean plus and minus 1.96 roots of the summed p(1 - p) / (K - 1)."""
    interval = jackknife(_counts(10, [2, 5, 10] * 4), n=None, drawn=1)
    half = 1.959964 * np.sqrt(4 * (0.2 * 0.8 + 0.25) / 9) / 12
    assert interval is not None
    assert (interval.method, interval.level) == ("jackknife over samples", 0.95)
    assert (interval.lower, interval.upper) == pytest.approx((1.7 / 3 - half, 1.7 / 3 + half), abs=1e-6)


def test_a_draw_of_all_samples_has_no_interval_over_samples() -> None:
    """One problem without a sample to spare is enough, and so is no problem at all."""
    sizes = np.array([10, 9])
    assert jackknife(Counts(sizes, sizes // 2, sizes // 2), n=None, drawn=9) is None
    assert jackknife(_counts(10, []), n=None, drawn=1) is None


@pytest.mark.parametrize(("right", "ends"), [(0, (0.0, 0.1611)), (20, (0.8389, 1.0))])
def test_at_0_and_1_the_interval_is_wilsons(right: int, ends: tuple[float, float]) -> None:
    """Two problems with 20 samples at k = 2 make 20 separate draws: the reach is z2 / (20 + z2)."""
    interval = jackknife(_counts(20, [right, right]), n=None, drawn=2)
    assert interval is not None
    assert (interval.lower, interval.upper) == pytest.approx(ends, abs=1e-4)
    assert interval.method == "Wilson over samples"


def test_problems_that_are_all_or_nothing_still_have_a_width() -> None:
    """Half of them solved always and half never: no sample varies, and the interval is not a point."""
    interval = jackknife(_counts(20, [0, 20]), n=None, drawn=2)
    assert interval is not None
    assert (interval.lower, interval.upper) == pytest.approx((0.5 - 0.1611, 0.5 + 0.1611), abs=1e-4)


def test_wilson_solves_its_equation() -> None:
    """Each end is the share from which the observed one is 1.96 standard errors away."""
    for share, trials in ((0.1, 20), (0.5, 7), (0.97, 165)):
        interval = wilson(share, trials=trials)
        for end in (interval.lower, interval.upper):
            assert abs(share - end) / np.sqrt(end * (1 - end) / trials) == pytest.approx(1.959964, abs=1e-5)
    assert (wilson(0.0, trials=9).lower, wilson(1.0, trials=9).upper) == (0.0, 1.0)


def test_wilsons_interval_of_a_mean_is_that_of_its_share() -> None:
    """Of a difference it is the gains' less the losses': 0 reaches as far to both sides, a gain alone is its share."""
    reach = wilson(0.0, trials=30).upper
    assert wilson_mean(np.zeros(30), trials=30) == (0.0, reach)
    assert wilson_mean(np.ones(30), trials=30) == pytest.approx((1.0 - reach, 1.0))
    assert wilson_mean(np.zeros(30), trials=30, signed=True) == (-reach, reach)
    gain = np.array([1.0] * 6 + [0.0] * 24)
    lower, upper = wilson_mean(gain, trials=30, signed=True)
    assert wilson_mean(-gain, trials=30, signed=True) == pytest.approx((-upper, -lower))
    assert upper == pytest.approx(wilson(0.2, trials=30).upper)
    assert lower == pytest.approx(0.2 - np.hypot(0.2 - wilson(0.2, trials=30).lower, reach))


@given(st.integers(0, 9), st.floats(0.1, 5))
def test_equal_parts_are_counted(parts: int, size: float) -> None:
    """So many parts of any size, however many others are 0, count as that many."""
    assert effective_number(np.array([size] * parts + [0.0] * 4)) == pytest.approx(parts)


def test_few_varying_problems_are_not_trusted_alone() -> None:
    """One problem of 60 that varies: the interval reaches further than its jackknife, by what may be unseen."""
    interval = jackknife(_counts(20, [20] * 59 + [10]), n=None, drawn=1)
    assert interval is not None and interval.method == "jackknife and Wilson over samples"
    half, unseen = 1.959964 * np.sqrt(0.25 / 19) / 60, wilson(0.0, trials=1200).upper
    assert 59.5 / 60 - interval.lower == pytest.approx(half + unseen, abs=1e-6)


def test_few_differing_problems_have_wilsons_interval_too() -> None:
    """Three of 100 unsolved: neither end lies inside Wilson's."""
    values = np.array([0.0] * 3 + [1.0] * 97)[:, None]
    (interval,) = bca(values, generator=np.random.default_rng(0))
    assert interval is not None and interval.method == "BCa and Wilson over problems"
    expected = wilson(0.97, trials=100)
    assert interval.lower <= expected.lower and interval.upper >= expected.upper


def test_the_resampled_means_have_the_mean_and_spread_of_drawing_problems() -> None:
    """The standard deviation over n problems is that of the values over root n."""
    values = np.random.default_rng(3).random((40, 2))
    means = resampled_means(values, np.ones(40), generator=np.random.default_rng(4), resamples=20_000)
    assert means.mean(axis=0) == pytest.approx(values.mean(axis=0), abs=0.002)
    assert means.std(axis=0) == pytest.approx(values.std(axis=0) / np.sqrt(40), rel=0.03)


def test_large_benchmarks_are_resampled_in_parts() -> None:
    """More weights than are held at a time: all rows are filled, with the right mean."""
    values = np.random.default_rng(3).random((3_000, 1))
    means = resampled_means(values, np.ones(3_000), generator=np.random.default_rng(4), resamples=700)
    assert means.mean() == pytest.approx(values.mean(), abs=0.002)
    assert 0 < means.std() < 0.02


def test_bca_is_close_to_normal_for_even_values_and_skewed_for_uneven_ones() -> None:
    """On 400 even values it is the mean and 1.96 standard errors; rare successes reach further up than down."""
    even = np.tile(np.linspace(0, 1, 20), 20)
    rare = np.array([1.0] * 4 + [0.0] * 96)
    (interval,) = bca(even[:, None], generator=np.random.default_rng(0))
    assert interval is not None
    half = NormalDist().inv_cdf(0.975) * even.std() / np.sqrt(400)
    assert (interval.lower, interval.upper) == pytest.approx((0.5 - half, 0.5 + half), abs=0.002)
    (skewed,) = bca(rare[:, None], generator=np.random.default_rng(0))
    assert skewed is not None
    assert skewed.upper - 0.04 > 1.2 * (0.04 - skewed.lower)


def test_columns_see_the_same_resamples() -> None:
    """So equal columns have equal intervals, and each is as if it stood alone."""
    values = np.random.default_rng(1).random((30, 1))
    pair = bca(np.hstack([values, values]), generator=np.random.default_rng(0))
    assert pair[0] == pair[1] == bca(values, generator=np.random.default_rng(0))[0]


def test_where_all_problems_agree_the_interval_is_wilsons() -> None:
    """At 0, at 1, and for a difference of 0; one problem alone has none."""
    generator = np.random.default_rng(0)
    zero, one = bca(np.array([[0.0, 1.0]] * 30), generator=generator)
    reach = wilson(0.0, trials=30).upper
    assert zero == Interval("Wilson over problems", 0.95, 0.0, reach)
    assert one == Interval("Wilson over problems", 0.95, pytest.approx(1.0 - reach), 1.0)
    assert bca(np.array([[0.3]]), generator=generator) == [None]


def test_problems_of_a_contest_are_drawn_together() -> None:
    """Four copies of each problem in its contest say no more than one: the interval is that of the contests."""
    values = np.random.default_rng(2).random(25)
    four = np.repeat(values, 4)[:, None]
    contests = [f"c{number // 4}" for number in range(100)]
    (clustered,) = bca(four, generator=np.random.default_rng(0), clusters=contests)
    (alone,) = bca(values[:, None], generator=np.random.default_rng(0))
    assert clustered is not None and alone is not None
    assert (clustered.lower, clustered.upper) == pytest.approx((alone.lower, alone.upper), abs=0.01)
    assert (clustered.method, alone.method) == ("BCa over contests", "BCa over problems")


def test_contests_of_different_size_weigh_by_their_problems() -> None:
    """The mean stays the mean over problems; a cluster that is not named for each problem is an error."""
    values = np.array([[1.0], [0.0], [0.0], [0.0]])
    sums, sizes = cluster_sums(values, ["a", "b", "b", "b"])
    assert (sums.sum() / sizes.sum(), sorted(sizes)) == (0.25, [1.0, 3.0])
    with pytest.raises(ValueError, match="4 problems have 1 clusters"):
        cluster_sums(values, ["a"])


def coverage(
    *, shape: tuple[float, float], problems: int, samples: int, ks: list[int], benchmarks: int, seed: int
) -> dict[str, list[float]]:
    """Return how many of the simulated benchmarks' intervals hold the truth, for each k, over samples and problems.

    Over samples the truth is pass@k of this benchmark's problems, over problems that of all problems.
    """
    generator = np.random.default_rng(seed)
    population = generator.beta(*shape, size=1_000_000)
    truth = [float((1 - (1 - population) ** k).mean()) for k in ks]
    hits = {"samples": np.zeros(len(ks)), "problems": np.zeros(len(ks))}
    for _ in range(benchmarks):
        solved = generator.beta(*shape, size=problems)
        right = generator.binomial(samples, solved)
        counts = Counts(np.full(problems, samples), right, right)
        values = value_of(counts, n=None, drawn=np.array(ks))
        over_problems = bca(values, generator=generator, resamples=2_000)
        for column, k in enumerate(ks):
            over_samples, fixed = jackknife(counts, n=None, drawn=k), float((1 - (1 - solved) ** k).mean())
            hits["samples"][column] += _holds(over_samples, fixed)
            hits["problems"][column] += _holds(over_problems[column], truth[column])
    return {name: list(found / benchmarks) for name, found in hits.items()}


def _holds(interval: Interval | None, truth: float) -> bool:
    assert interval is not None
    return interval.lower <= truth <= interval.upper


def test_the_claimed_intervals_cover_on_a_small_benchmark() -> None:
    """Of 300 benchmarks of 60 problems with 40 samples, 91 to 99 % of the intervals hold the truth."""
    found = coverage(shape=HARD, problems=60, samples=40, ks=[1, 10], benchmarks=300, seed=1)
    assert all(0.91 <= share <= 0.99 for shares in found.values() for share in shares), found


@pytest.mark.long
@pytest.mark.parametrize("name", STUDIES)
def test_the_claimed_intervals_cover_on_a_thousand_benchmarks(name: str) -> None:
    """93 to 97 %; more where k is half of the samples, or the score so near 1 that hardly a problem varies."""
    shape, problems, samples, ks, most = STUDIES[name]
    found = coverage(shape=shape, problems=problems, samples=samples, ks=ks, benchmarks=1_000, seed=7)
    print(name, {over: [round(float(share), 3) for share in shares] for over, shares in found.items()})
    for shares in found.values():
        assert all(0.93 <= share <= limit for share, limit in zip(shares, most, strict=True)), found
