"""Every legal cut of a graph and what it costs on two machines. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from autotuner.characterize.messages import SplitRun
from autotuner.core.errors import InputError
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.network import Network
from autotuner.core.partition import Cut, CutCheck
from autotuner.model.cost import Cost


def legal_cuts(
    cost: Cost,
    inputs: Sequence[str],
    outputs: Sequence[str],
    here: LayerProfile,
    there: LayerProfile,
    network: Network,
    *,
    samples: int,
    device_w: float | None = None,
    input_bytes: int | None = None,
) -> tuple[Cut, ...]:
    """Return the cuts along the graph's order that part no step of either machine.

    *inputs* and *outputs* are those of the graph, *samples* how many times the counted cost is in
    one batch; *input_bytes* is what one sample takes as it is sent raw, such as an encoded image.
    Raises InputError when the profiles are of different models or batches.
    """
    _check(here, there)
    device, server = (_times_ms(cost, profile) for profile in (here, there))
    fixed = _fixed(cost, inputs)
    barred = {*_barred(cost, here, fixed), *_barred(cost, there, fixed)}
    ends = [position for position in range(len(cost.nodes) + 1) if position not in barred]
    cuts = []
    for position in ends:
        tensors = _crossing(cost, inputs, fixed, position)
        if input_bytes is not None and set(tensors) == set(inputs):
            sent = samples * input_bytes
        else:
            sent = samples * sum(cost.tensors[name].bytes or 0 for name in tensors)
        received = samples * sum(cost.tensors[name].bytes or 0 for name in outputs)
        device_ms = sum(device[:position])
        up_ms = down_ms = rtt_ms = 0.0
        if position < len(cost.nodes):
            up_ms, down_ms, rtt_ms = network.up_ms(sent), network.down_ms(received), network.rtt_ms
        energy = None
        if device_w is not None and network.tx_w is not None:
            energy = (device_ms * device_w + up_ms * network.tx_w) / 1e3
        cuts.append(
            Cut(
                position=position,
                after=cost.layers[position - 1].name if position else "the input",
                tensors=tensors,
                sent_bytes=sent,
                device_ms=device_ms,
                transfer_ms=up_ms + down_ms + rtt_ms,
                server_ms=sum(server[position:]),
                energy_j=energy,
            )
        )
    return tuple(_without_repeats(cuts))


def checked(cut: Cut, here: LayerProfile, there: LayerProfile, run: SplitRun) -> CutCheck:
    """Return what *run* showed of *cut*, beside what it should have shown.

    The box may be faster or slower than the profiles say, or another one than theirs: the whole
    model, which ran in turn with the parts, tells by how much.
    """
    measured = [1e3 * sum(turn.parts_s) for turn in run.turns]
    expected = [
        cut.device_ms * 1e3 * turn.whole_s[0] / here.plain_ms
        + cut.server_ms * 1e3 * turn.whole_s[1] / there.plain_ms
        for turn in run.turns
    ]
    ratio = statistics.median(m / e for m, e in zip(measured, expected, strict=True))
    measured_ms = statistics.median(measured)
    return CutCheck(
        cut=cut,
        predicted_ms=cut.device_ms + cut.server_ms,
        expected_ms=measured_ms / ratio,
        measured_ms=measured_ms,
        largest_difference=run.largest_difference,
    )


def _check(here: LayerProfile, there: LayerProfile) -> None:
    if here.model_sha256 != there.model_sha256:
        raise InputError(
            f"The profiles are of different models ({here.model}, {there.model}); "
            "run `autotune layers --json` on the same file on both machines."
        )
    batches = (here.config.batch_size, there.config.batch_size)
    if batches[0] != batches[1]:
        raise InputError(
            f"The profiles are of batch {batches[0]} and {batches[1]}; make both with the same "
            "--batch-size."
        )


def _times_ms(cost: Cost, profile: LayerProfile) -> list[float]:
    """Return each node's time in a run whose layers are not timed.

    What the runtime added is charged to the next node of the model.
    """
    scale = profile.plain_ms / profile.layers_ms
    places = {layer.name: index for index, layer in enumerate(cost.layers)}
    times = [0.0] * len(cost.nodes)
    waiting, last = 0.0, 0
    for layer in profile.layers:
        known = [places[name] for name in layer.nodes if name in places]
        waiting += scale * layer.time_us / 1e3
        if known:
            last = max(known)
            times[last] += waiting
            waiting = 0.0
    times[last] += waiting
    return times


def _barred(cost: Cost, profile: LayerProfile, fixed: frozenset[int]) -> Iterator[int]:
    """Yield the positions that would part the nodes of one step."""
    places = {layer.name: index for index, layer in enumerate(cost.layers)}
    for layer in profile.layers:
        known = sorted(places[name] for name in layer.nodes if name in places)
        moving = [index for index in known if index not in fixed]
        if moving:
            yield from range(moving[0] + 1, moving[-1] + 1)


def _fixed(cost: Cost, inputs: Sequence[str]) -> frozenset[int]:
    """Return the nodes that depend on no input: both sides compute them."""
    moving = set(inputs)
    fixed = set()
    for index, node in enumerate(cost.nodes):
        if moving & set(node.input):
            moving.update(node.output)
        else:
            fixed.add(index)
    return frozenset(fixed)


def _crossing(
    cost: Cost, inputs: Sequence[str], fixed: frozenset[int], position: int
) -> tuple[str, ...]:
    """Return what the nodes from *position* on take from before it, in order of its making."""
    made = list(inputs)
    for index, node in enumerate(cost.nodes[:position]):
        if index not in fixed:
            made += [name for name in node.output if name]
    wanted = {name for node in cost.nodes[position:] for name in node.input}
    return tuple(name for name in made if name in wanted)


def _without_repeats(cuts: Sequence[Cut]) -> Iterator[Cut]:
    """Yield each cut once: those that send the same at the same cost are one."""
    kept: dict[tuple[tuple[str, ...], float, float], Cut] = {}
    for cut in cuts:
        kept.setdefault((cut.tensors, round(cut.device_ms, 9), round(cut.server_ms, 9)), cut)
    yield from kept.values()
