"""Gaussian-process regression for few, noisy, sometimes wild observations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_PIECE = 512
_OUTLIER = 3.0
"""A leave-one-out residual of more standard deviations than this is damped."""

_AMPLITUDES = {
    "linear": (1.0, 1.5),
    "quadratic": (0.05, 1.5),
    "additive": (0.03, 1.2),
    "residual": (0.03, 1.2),
    "noise": (0.03**2, 1.0),
}
_LENGTHSCALE = (1.2, 0.8)
"""Log-normal priors: median, and standard deviation of the logarithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A covariance: a trend, every axis' own effect, and a residual of all axes together.

    The trend is constant, linear and quadratic; effects and residual are Matern-5/2. All are
    variances of the modelled quantity, except *lengthscales*, one for each axis, in units of the
    axis' range.
    """

    constant: float = 4.0
    linear: float = 1.0
    quadratic: float = 0.1
    additive: float = 0.03
    residual: float = 0.03
    noise: float = 0.03**2
    lengthscales: tuple[float, ...]

    def log_prior(self) -> float:
        """Return the log density of what is believed of the parameters, up to a constant."""
        amplitudes = sum(
            -0.5 * (np.log(getattr(self, name) / median) / spread) ** 2
            for name, (median, spread) in _AMPLITUDES.items()
        )
        median, spread = _LENGTHSCALE
        scales = np.log(np.asarray(self.lengthscales) / median) / spread
        return float(amplitudes - 0.5 * np.sum(scales**2))

    def trend(self, products: Array, effects: Array) -> Array:
        """Return the covariance of the trend for inner products of slopes and of effects."""
        slopes = self.linear * products + self.quadratic * products**2
        return self.constant + slopes + self.additive * effects

    def matern(self, squared: Array) -> Array:
        """Return the covariance of the residual for *squared* scaled distances."""
        root = np.sqrt(5.0 * np.maximum(squared, 0.0))
        return self.residual * (1.0 + root + root**2 / 3.0) * np.exp(-root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Points as coordinates, points x columns: *points* to tell distances, *trend* for slopes.

    *axis* is the axis that each column belongs to. *effects* are points x features whose inner
    product is the covariance of the sum of every axis' own effect.
    """

    points: Array
    trend: Array
    effects: Array
    axis: NDArray[np.intp]

    def scaled(self, kernel: Kernel) -> Array:
        """Return the points in units of the kernel's lengthscales."""
        scales: Array = np.asarray(kernel.lengthscales)[self.axis]
        return self.points / scales

    def at(self, rows: NDArray[np.intp]) -> Axes:
        """Return the points of *rows* only."""
        return Axes(
            points=self.points[rows],
            trend=self.trend[rows],
            effects=self.effects[rows],
            axis=self.axis,
        )


class GaussianProcess:
    """The posterior of *values* observed at *axes*, each the mean of *counts* measurements."""

    def __init__(self, kernel: Kernel, axes: Axes, values: Array, counts: Array) -> None:
        self.kernel = kernel
        self._axes = axes
        self._centre = float(np.median(values))
        self._values = values - self._centre
        self._noise = kernel.noise / counts
        self._gram = _gram(kernel, axes)
        self._damp_outliers()

    def _damp_outliers(self) -> None:
        """Give observations that the others contradict as much noise as that takes."""
        for _ in range(2):
            self._factorise()
            inverse = np.diag(self._inverse)
            residual = self._weights / inverse
            wild = np.abs(residual) * np.sqrt(inverse) > _OUTLIER
            if not wild.any():
                return
            self._noise = np.where(wild, np.maximum(self._noise, residual**2 / 2.0), self._noise)
        self._factorise()

    def _factorise(self) -> None:
        covariance = self._gram + np.diag(self._noise)
        self._inverse = np.linalg.inv(covariance)
        self._weights = self._inverse @ self._values

    def predict(self, axes: Axes) -> tuple[Array, Array]:
        """Return mean and standard deviation, free of measurement noise, at *axes*."""
        # In pieces that stay in the processor's cache.
        pieces = [
            self._predict(axes.at(np.arange(start, min(start + _PIECE, len(axes.points)))))
            for start in range(0, len(axes.points), _PIECE)
        ]
        means, deviations = zip(*pieces, strict=True)
        return np.concatenate(means), np.concatenate(deviations)

    def _predict(self, axes: Axes) -> tuple[Array, Array]:
        kernel = self.kernel
        left, right = axes.scaled(kernel), self._axes.scaled(kernel)
        squared = np.sum(left**2, axis=1)[:, None] + np.sum(right**2, axis=1) - 2.0 * left @ right.T
        cross = kernel.matern(squared) + kernel.trend(
            axes.trend @ self._axes.trend.T, axes.effects @ self._axes.effects.T
        )
        slopes, effects = np.sum(axes.trend**2, axis=1), np.sum(axes.effects**2, axis=1)
        own = kernel.trend(slopes, effects) + kernel.residual
        variance = own - np.einsum("ij,ij->i", cross @ self._inverse, cross)
        return cross @ self._weights + self._centre, np.sqrt(np.maximum(variance, 1e-12))


def fit(kernel: Kernel, axes: Axes, values: Array, counts: Array, *, steps: int) -> Kernel:
    """Return a kernel that explains *values* better than *kernel*: *steps* sweeps uphill.

    It climbs the marginal likelihood times the prior, one parameter at a time.
    """
    if len(values) < 3:
        return kernel
    centred = np.clip(values - np.median(values), -8.0, 8.0)
    products, effects = axes.trend @ axes.trend.T, axes.effects @ axes.effects.T
    squares = _axis_squares(axes)

    def height(candidate: Kernel) -> float:
        scales = np.asarray(candidate.lengthscales)
        squared = np.tensordot(scales**-2.0, squares, axes=1)
        covariance = candidate.matern(squared) + candidate.trend(products, effects)
        # Huber's robustness: one wild value must not raise the noise of all others.
        covariance[np.diag_indices(len(centred))] += candidate.noise / counts
        try:
            factor = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            return -np.inf
        white = np.linalg.solve(factor, centred)
        robust = np.where(
            np.abs(white) < _OUTLIER, white**2, _OUTLIER * (2 * np.abs(white) - _OUTLIER)
        )
        return float(
            -0.5 * np.sum(robust) - np.sum(np.log(np.diag(factor))) + candidate.log_prior()
        )

    best, best_height = kernel, height(kernel)
    for _ in range(steps):
        for neighbours in _moves(len(kernel.lengthscales)):
            for move in neighbours:
                candidate = _moved(best, *move)
                candidate_height = height(candidate)
                if candidate_height > best_height + 1e-3:
                    best, best_height = candidate, candidate_height
                    break
    return best


def _moves(axes: int) -> list[list[tuple[str | int, float]]]:
    names: list[str | int] = [*_AMPLITUDES, *range(axes)]
    return [[(name, 1.6), (name, 1 / 1.6)] for name in names]


def _moved(kernel: Kernel, name: str | int, factor: float) -> Kernel:
    if isinstance(name, int):
        scales = list(kernel.lengthscales)
        scales[name] *= factor
        return replace(kernel, lengthscales=tuple(scales))
    return replace(kernel, **{name: getattr(kernel, name) * factor**2})


def _gram(kernel: Kernel, axes: Axes) -> Array:
    squared = np.tensordot(np.asarray(kernel.lengthscales) ** -2.0, _axis_squares(axes), axes=1)
    return kernel.matern(squared) + kernel.trend(
        axes.trend @ axes.trend.T, axes.effects @ axes.effects.T
    )


def _axis_squares(axes: Axes) -> Array:
    """Return the squared distances along every axis: axes x points x points."""
    differences = axes.points[:, None, :] - axes.points[None, :, :]
    count = int(axes.axis.max()) + 1
    squares = np.zeros((count, len(axes.points), len(axes.points)))
    for column, axis in enumerate(axes.axis):
        squares[axis] += differences[:, :, column] ** 2
    return squares
