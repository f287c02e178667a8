"""Which nodes of a model each step of a runtime stands for: runtimes fuse, rename and add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotuner.model.cost import Cost

# What a runtime folds into the operator before it.
_FUSABLE = frozenset(
    [
        "Add",
        "BatchNormalization",
        "Clip",
        "Div",
        "Dropout",
        "Elu",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "Mul",
        "PRelu",
        "Relu",
        "Sigmoid",
        "Sub",
        "Sum",
        "Tanh",
    ]
)


def attribute(cost: Cost, origins: Sequence[Sequence[str]]) -> tuple[tuple[int, ...], ...]:
    """Return for each step the positions of the nodes that it does, in the graph's order.

    *origins* names for each step nodes or the tensors that they make. A node that no step names
    belongs to the step of the operator before it when it can be fused into that, else to the step
    of the only node that takes its output. A node may be left over, and a step without any.
    """
    owners = _named(cost, origins)
    producers = {name: i for i, node in enumerate(cost.nodes) for name in node.output if name}
    consumers = _consumers(cost)
    for index, node in enumerate(cost.nodes):
        if index in owners or node.op_type not in _FUSABLE:
            continue
        for name in node.input:
            before = producers.get(name)
            if before in owners and consumers[name] == [index]:
                owners[index] = owners[before]
                break
    for index in reversed(range(len(cost.nodes))):
        if index in owners:
            continue
        takers = {taker for name in cost.nodes[index].output for taker in consumers.get(name, [])}
        if len(takers) == 1 and (taker := takers.pop()) in owners:
            owners[index] = owners[taker]
    return tuple(
        tuple(index for index in range(len(cost.nodes)) if owners.get(index) == step)
        for step in range(len(origins))
    )


def _named(cost: Cost, origins: Sequence[Sequence[str]]) -> dict[int, int]:
    """Return the step of every node that is named by one, by its own name or its output's."""
    places: dict[str, int] = {}
    for index, (node, layer) in enumerate(zip(cost.nodes, cost.layers, strict=True)):
        for name in (layer.name, *node.output):
            places.setdefault(name, index)
    owners: dict[int, int] = {}
    for step, names in enumerate(origins):
        for name in names:
            if name in places:
                owners.setdefault(places[name], step)
    return owners


def _consumers(cost: Cost) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, node in enumerate(cost.nodes):
        for name in node.input:
            takers = found.setdefault(name, [])
            if index not in takers:
                takers.append(index)
    return found
