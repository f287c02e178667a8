"""When requests arrive under an open load, which asks for nobody's leave. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NS_PER_S = 1e9


def poisson_arrivals(
    rate_ips: float, duration_s: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return arrivals of a Poisson process, in nanoseconds from its start, rising.

    The times between them are exponential with mean 1 / *rate_ips*. The last arrival is the first
    one after *duration_s*, so that there always is one.
    """
    gaps_ns = np.empty(0)
    while gaps_ns.sum() <= duration_s * _NS_PER_S:
        missing = rate_ips * (duration_s - gaps_ns.sum() / _NS_PER_S)
        drawn = rng.exponential(_NS_PER_S / rate_ips, size=int(missing) + 16)
        gaps_ns = np.concatenate([gaps_ns, drawn])
    arrivals = np.cumsum(gaps_ns)
    last = int(np.searchsorted(arrivals, duration_s * _NS_PER_S, side="right"))
    return arrivals[: last + 1].astype(np.int64)
