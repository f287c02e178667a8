"""How much work a model is for a processor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one sample asks for in FP32.

    *macs* are the multiply-adds of convolutions and matrix products, *nodes* those that a runtime
    starts on their own, *traffic_bytes* what they write and read again, *activation_bytes* what has
    to be kept at a time.
    """

    macs: float
    nodes: int
    weight_bytes: float
    traffic_bytes: float
    activation_bytes: float
