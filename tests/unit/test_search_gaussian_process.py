from __future__ import annotations

import numpy as np
import pytest

from autotuner.core import Dimension, SearchSpace
from autotuner.search.features import coordinates
from autotuner.search.gaussian_process import GaussianProcess, Kernel, fit
from autotuner.search.normal import cumulative, expected_improvement

SPACE = SearchSpace(
    [
        Dimension("size", (1, 2, 4, 8, 16, 32), ordered=True),
        Dimension("depth", tuple(range(1, 9)), ordered=True),
        Dimension("kind", ("a", "b", "c")),
    ]
)
AXES = coordinates(SPACE)
TRUE = np.asarray(
    [np.log(c["size"]) - 0.1 * c["depth"] + 0.3 * (c["kind"] == "b") for c in SPACE.configs]
)
START = Kernel(lengthscales=(1.0, 1.0, 1.0))


def regression(rows, values):
    """Return the fitted process for *values* at *rows*."""
    counts = np.ones(len(rows))
    kernel = fit(START, AXES.at(rows), values, counts, steps=3)
    return GaussianProcess(kernel, AXES.at(rows), values, counts)


def test_a_trend_is_learnt_from_few_points():
    """Twenty noisy points tell the rest of a log-linear grid to within a few per cent."""
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(SPACE))[:20]
    mean, sd = regression(rows, TRUE[rows] + rng.normal(0, 0.02, 20)).predict(AXES)
    assert np.abs(mean - TRUE).mean() < 0.1
    assert np.mean(np.abs(mean - TRUE) < 3 * sd) > 0.95


def test_uncertainty_is_least_where_it_was_measured():
    """Measured points are surer than all others on average, and sd is never negative."""
    rows = np.arange(0, len(SPACE), 9)
    _, sd = regression(rows, TRUE[rows]).predict(AXES)
    assert sd.min() > 0.0
    assert sd[rows].mean() < np.delete(sd, rows).mean()


def test_an_outlier_is_damped():
    """One wild value among many moves the others' predictions only a little."""
    rng = np.random.default_rng(1)
    rows = rng.permutation(len(SPACE))[:40]
    values = TRUE[rows] + rng.normal(0, 0.02, 40)
    values[7] += 1.5
    mean, _ = regression(rows, values).predict(AXES)
    assert abs(mean[rows[7]] - TRUE[rows[7]]) < 0.3
    assert np.abs(mean - TRUE).mean() < 0.1


def test_more_measurements_make_surer():
    """The standard deviation at a point falls with the number of its measurements."""
    rows = np.arange(0, len(SPACE), 12)
    once = GaussianProcess(START, AXES.at(rows), TRUE[rows], np.ones(len(rows)))
    often = GaussianProcess(START, AXES.at(rows), TRUE[rows], np.full(len(rows), 9.0))
    assert np.all(often.predict(AXES)[1][rows] < once.predict(AXES)[1][rows])


@pytest.mark.parametrize(("z", "p"), [(-3.0, 0.0013499), (0.0, 0.5), (1.0, 0.8413447)])
def test_cumulative_matches_the_tables(z, p):
    """The approximation keeps six digits."""
    assert cumulative(np.asarray([z]))[0] == pytest.approx(p, abs=1e-6)


def test_expected_improvement_grows_with_mean_and_doubt():
    """A better mean and a larger standard deviation both promise more."""
    mean, sd = np.asarray([0.0, 0.1, 0.0]), np.asarray([0.1, 0.1, 0.2])
    base, better, wider = expected_improvement(mean, sd, 0.0)
    assert 0.0 < base < better
    assert base < wider
