from __future__ import annotations

import pytest

from autotuner.core.accuracy import Accuracy, OutputAccuracy
from autotuner.model.precision.mixed import MOST_BLOCKS, blocks, mend, noise

BLOCKS = [("a", "b"), ("c",), ("d",), ("e",), ("f",), ("g",), ("h",), ("i",)]
NOISES = [0.001, 0.02, 0.0, 0.005, 0.03, 0.0, 0.001, 0.002]


def accuracy(noise_over_signal):
    """Return the verdict on outputs with this noise."""
    return Accuracy(
        score=1 - noise_over_signal / 2, judged_by="signal to noise", judged_on="data", samples=1
    )


def judge_of(asked):
    """Return a judge for whom the noise of the quantised blocks adds up, and note its calls."""

    def judge(float_nodes):
        asked.append(float_nodes)
        left = set(float_nodes)
        return accuracy(
            sum(n for block, n in zip(BLOCKS, NOISES, strict=True) if not left.issuperset(block))
        )

    return judge


@pytest.mark.parametrize("weighted", [1, 5, 16, 17, 100])
def test_blocks_hold_every_node_once_in_order(weighted):
    """At most 16 blocks, with about the same work in each."""
    nodes = [f"{kind}{number}" for number in range(weighted) for kind in ("conv", "relu")]
    heavy = [node for node in nodes if node.startswith("conv")]
    made = blocks(nodes, heavy)
    assert [node for block in made for node in block] == nodes
    assert len(made) <= MOST_BLOCKS
    counts = [sum(node in heavy for node in block) for block in made]
    assert max(counts) - min(counts[:-1], default=counts[0]) == 0


@pytest.mark.parametrize(
    ("bound", "left"),
    [(0.983, ("f",)), (0.99, ("c", "f")), (0.998, ("c", "e", "f")), (0.9984, ("c", "e", "f", "i"))],
)
def test_the_fewest_loudest_blocks_stay_in_float(bound, left):
    """Enough to pass, not one more, in the order of the network."""
    asked = []
    found, verdict = mend(BLOCKS, NOISES, judge_of(asked), bound)
    assert found == left
    assert verdict.passed(bound)
    assert len(asked) <= 5


def test_what_cannot_be_mended_is_given_back_with_its_accuracy():
    """The judge knows it fails; three quarters of the blocks were tried."""
    asked = []
    found, verdict = mend(BLOCKS, NOISES, judge_of(asked), 1.01)
    assert not verdict.passed(1.01)
    assert (len(asked), len(found)) == (1, 7)


def test_a_broken_block_is_the_loudest():
    """A block whose outputs are NaN comes before any noise."""
    output = OutputAccuracy(name="y", score=0.0, fault="holds NaN")
    broken = Accuracy(
        score=0.0, judged_by="signal to noise", judged_on="data", samples=1, outputs=(output,)
    )
    assert noise(broken) == float("inf")


def test_noise_is_the_inverse_of_the_ratio_in_powers():
    """20 dB is a hundredth."""
    output = OutputAccuracy(name="y", score=0.995, snr_db=20.0)
    verdict = Accuracy(
        score=0.995, judged_by="signal to noise", judged_on="data", samples=1, outputs=(output,)
    )
    assert noise(verdict) == pytest.approx(0.01)
