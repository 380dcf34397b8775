"""Intervals over samples and over problems: against direct computation, at the edges, and by their coverage."""

from math import factorial
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.leaderboard.estimators import Counts, count, value_of
from turnwise.leaderboard.intervals import (
    Interval,
    bca,
    cluster_sums,
    effective_number,
    jackknife,
    jackknife_variances,
    resampled_means,
    sample_variances,
    t_quantile,
    wilson,
    wilson_mean,
)


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


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_variance_over_samples_has_no_bias(data: st.DataObject) -> None:
    """Its mean over all outcomes of K samples is the variance of the estimate, of any n@k up to K / 2."""
    samples, drawn = data.draw(st.sampled_from([(2, 1), (4, 2), (5, 2), (6, 3)]))
    n = data.draw(st.integers(1, drawn) | st.none())
    right = data.draw(st.floats(0, 1))
    public = data.draw(st.floats(0, 1)) * (1 - right)
    cases = [(s, e) for e in range(samples + 1) for s in range(e + 1)]
    counts = Counts(
        *(np.array(column) for column in ([samples] * len(cases), *zip(*[(e, s) for s, e in cases], strict=True)))
    )
    wrong = max(0.0, 1 - right - public)
    chances = np.array(
        [
            factorial(samples)
            / (factorial(s) * factorial(e - s) * factorial(samples - e))
            * right**s
            * public ** (e - s)
            * wrong ** (samples - e)
            for s, e in cases
        ]
    )
    values = value_of(counts, n=n, drawn=drawn)
    variance = chances @ values**2 - (chances @ values) ** 2
    assert chances @ sample_variances(counts, n=n, drawn=drawn) == pytest.approx(variance, abs=1e-12)


def test_of_more_than_half_of_the_samples_the_variance_is_the_jackknifes() -> None:
    """No two separate draws of 3 of 5 exist; a problem with more samples has its own without bias."""
    counts = Counts(np.array([5, 6]), np.array([2, 2]), np.array([2, 2]))
    found = sample_variances(counts, n=None, drawn=3)
    assert found[0] == jackknife_variances(counts, n=None, drawn=3)[0]
    assert 0 < found[1] < jackknife_variances(counts, n=None, drawn=3)[1]


def test_students_quantiles_are_the_tables() -> None:
    """Those of 95 and 99 % at 4, 10 and 30 degrees of freedom, and the normal one beyond all bounds."""
    for freedom, expected in ((4, 2.776), (10, 2.228), (30, 2.042)):
        assert t_quantile(0.95, freedom=freedom) == pytest.approx(expected, abs=0.001)
    assert t_quantile(0.99, freedom=10) == pytest.approx(3.169, abs=0.002)
    assert t_quantile(0.95, freedom=1e9) == pytest.approx(1.959964, abs=1e-6)


def test_the_interval_of_pass_at_1_is_the_textbook_one() -> None:
    """The mean plus and minus t roots of the summed p(1 - p) / (K - 1), with twice as many degrees as problems vary."""
    interval = jackknife(_counts(10, [2, 5, 10] * 4), n=None, drawn=1)
    varying = (4 * 0.16 + 4 * 0.25) ** 2 / (4 * 0.16**2 + 4 * 0.25**2)
    half = t_quantile(0.95, freedom=2 * varying) * np.sqrt(4 * (0.2 * 0.8 + 0.25) / 9) / 12
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
    """One of 60 problems varies: the reach is that of t with two degrees, and no less than what may be unseen."""
    interval = jackknife(_counts(20, [20] * 59 + [10]), n=None, drawn=1)
    assert interval is not None and interval.method == "jackknife and Wilson over samples"
    assert 59.5 / 60 - interval.lower == pytest.approx(t_quantile(0.95, freedom=2) * np.sqrt(0.25 / 19) / 60, abs=1e-9)
    hardly = jackknife(_counts(20, [20] * 59 + [19]), n=None, drawn=10)
    assert hardly is not None
    assert hardly.upper - hardly.lower == pytest.approx(wilson(0.0, trials=120).upper, abs=1e-9)  # cut at 1


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


@pytest.mark.parametrize("sign", [1, -1])
def test_bca_ends_where_efrons_formula_says(sign: int) -> None:
    """Of 40 uneven values: bias from the resamples, skewness by the third moment, Student's t for the normal."""
    values = 0.5 + sign * 0.5 * np.linspace(0, 1, 40) ** 4
    (interval,) = bca(values[:, None], generator=np.random.default_rng(0))
    (drawn,) = resampled_means(values[:, None], np.ones(40), generator=np.random.default_rng(0), resamples=10_000).T
    off = values - values.mean()
    acceleration = (off**3).sum() / 6 / (off**2).sum() ** 1.5
    normal = NormalDist()
    bias = normal.inv_cdf(float(np.mean(drawn < values.mean())))
    differing = (off**2).sum() ** 2 / (off**4).sum()
    reach = t_quantile(0.95, freedom=2 * differing * 40 / (40 - differing)) * (40 / 39) ** 0.5
    shares = [normal.cdf(bias + (bias + z) / (1 - acceleration * (bias + z))) for z in (-reach, reach)]
    assert interval is not None and interval.method == "BCa over problems"
    assert abs(acceleration) > 0.02
    assert (interval.lower, interval.upper) == pytest.approx(tuple(np.quantile(drawn, shares)), abs=1e-9)


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
