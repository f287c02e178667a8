"""Mixed precision: which part of a network loses too much in INT8 and is left in float.

The nodes are cut into blocks in the order in which they run. Each block is quantised alone, and its
noise at the outputs measured: noise of independent sources adds up, so the loudest blocks are what
to leave out. How many is found by bisection, judged on the samples that were held out. Blocks keep
the float part in one piece, where single nodes would convert back and forth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autotuner.core.accuracy import Accuracy

MOST_BLOCKS = 16
_LARGEST_SHARE = 0.75
"""Beyond, too little is left to be faster than float."""

FloatNodes = tuple[str, ...]


def blocks(nodes: Sequence[str], weighted: Sequence[str]) -> list[FloatNodes]:
    """Cut *nodes* into at most 16 blocks with about as many *weighted* nodes each."""
    heavy = set(weighted)
    per_block = -(-len(heavy) // MOST_BLOCKS)
    made: list[list[str]] = [[]]
    inside = 0
    for node in nodes:
        if node in heavy and inside == per_block:
            made.append([])
            inside = 0
        inside += node in heavy
        made[-1].append(node)
    return [tuple(block) for block in made]


def noise(accuracy: Accuracy) -> float:
    """Return noise over signal, as powers, at the worst output."""
    if accuracy.faults:
        return float("inf")
    levels = [output.snr_db for output in accuracy.outputs if output.snr_db is not None]
    return 10.0 ** (-min(levels) / 10) if levels else 1 - accuracy.score


def mend(
    blocks: Sequence[FloatNodes],
    noises: Sequence[float],
    judge: Callable[[FloatNodes], Accuracy],
    min_accuracy: float,
) -> tuple[FloatNodes, Accuracy]:
    """Return the nodes to leave in float and the accuracy with them, which may still not do.

    *noises* are those of the *blocks* quantised alone; *judge* quantises all but the nodes it is
    given. The fewest blocks that pass *min_accuracy* are left out, at most three quarters.
    """
    order = sorted(range(len(blocks)), key=lambda at: noises[at], reverse=True)

    def loudest(count: int) -> FloatNodes:
        return tuple(node for at in sorted(order[:count]) for node in blocks[at])

    most = max(1, int(len(blocks) * _LARGEST_SHARE))
    best = (loudest(most), judge(loudest(most)))
    if not best[1].passed(min_accuracy):
        return best
    too_few, enough = 0, most
    while enough - too_few > 1:
        count = (too_few + enough) // 2
        accuracy = judge(loudest(count))
        if accuracy.passed(min_accuracy):
            enough, best = count, (loudest(count), accuracy)
        else:
            too_few = count
    return best
