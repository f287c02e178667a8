"""A tuned profile at work: exactly the workers that were measured, for the caller's own data."""

from autotuner.serve.opening import open_profile
from autotuner.serve.pool import Overloaded, ServingPool

__all__ = ["Overloaded", "ServingPool", "open_profile"]
