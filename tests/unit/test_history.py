from __future__ import annotations

from autotuner.core.outcome import Failed, Measurement
from autotuner.core.space import Dimension, SearchSpace
from autotuner.history import within

SPACE = SearchSpace(
    [
        Dimension("batch_size", (1, 4), ordered=True),
        Dimension("workers", (1,), ordered=True),
        Dimension("provider", ("onnxruntime-cpu",)),
    ]
)
FOUND = Measurement(throughput_ips=1.0)


def fact(outcome=FOUND, **settings):
    """Return a fact about batch 4 with these *settings* named too."""
    return {"batch_size": 4, "workers": 1, "provider": "onnxruntime-cpu", **settings}, outcome


def test_a_fact_is_known_under_the_dimensions_of_any_space():
    """What is no choice in one of two spaces has its default there."""
    named = fact(precision="fp32", affinity="none", power_mode="present")
    assert within(SPACE, [named]) == (fact(),)
    wider = SearchSpace([*SPACE.dimensions, Dimension("precision", ("fp32", "bf16"))])
    assert within(wider, [fact()]) == (fact(precision="fp32"),)


def test_facts_about_other_configurations_are_left_out():
    """Whether a dimension of the space differs or one that it does not have."""
    other = [fact(batch_size=2), fact(precision="bf16"), fact(affinity="compact")]
    assert within(SPACE, other) == ()


def test_a_refused_precision_is_no_fact():
    """Another bound may let it pass; running out of memory stays what it is."""
    lost = fact(Failed("oom", "no more"))
    assert within(SPACE, [fact(Failed("inaccurate", "0.97")), lost]) == (lost,)
