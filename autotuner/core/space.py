"""The search space: named dimensions, and restrictions that leave out what makes no sense."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from autotuner.core.errors import SpaceError

Value = int | float | str | bool | None
"""One setting of one dimension."""

Restriction = Callable[[Mapping[str, Value]], bool]
"""True for a configuration that is allowed; its docstring says the rule in words."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One knob: its name and the values it may take.

    *ordered* says that the values form a ladder, so that neighbours behave alike; otherwise they
    are categories. Raises SpaceError for an empty or repeated list of values.
    """

    name: str
    values: tuple[Value, ...]
    ordered: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        if not self.name:
            raise SpaceError("A dimension needs a name.")
        if not self.values:
            raise SpaceError(f"Dimension {self.name!r} has no values; give it at least one.")
        if len(set(self.values)) != len(self.values):
            raise SpaceError(f"Dimension {self.name!r} lists a value twice; list each value once.")


class SearchSpace:
    """The legal configurations: the product of *dimensions* less what *restrictions* leave out.

    A configuration is a mapping from every dimension's name to one of its values. Raises
    SpaceError when two dimensions share a name or no configuration is legal.
    """

    def __init__(
        self, dimensions: Iterable[Dimension], restrictions: Iterable[Restriction] = ()
    ) -> None:
        self.dimensions = tuple(dimensions)
        self.restrictions = tuple(restrictions)
        if not self.dimensions:
            raise SpaceError("A search space needs at least one dimension.")
        if len(set(self.names)) != len(self.names):
            raise SpaceError("Two dimensions of the search space share a name; rename one.")
        if not self.configs:
            raise SpaceError(
                "The restrictions leave no configuration in the search space; "
                "widen a dimension or drop a restriction."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the dimensions, in order."""
        return tuple(dimension.name for dimension in self.dimensions)

    @cached_property
    def configs(self) -> tuple[dict[str, Value], ...]:
        """Every legal configuration, the last dimension varying fastest."""
        product = itertools.product(*(dimension.values for dimension in self.dimensions))
        candidates = (dict(zip(self.names, values, strict=True)) for values in product)
        return tuple(config for config in candidates if self.allows(config))

    def allows(self, config: Mapping[str, Value]) -> bool:
        """Say whether every restriction allows *config*, whatever its values."""
        return all(restriction(config) for restriction in self.restrictions)

    def __len__(self) -> int:
        return len(self.configs)

    def __iter__(self) -> Iterator[dict[str, Value]]:
        return iter(self.configs)

    def __contains__(self, config: object) -> bool:
        return (
            isinstance(config, Mapping)
            and set(config) == set(self.names)
            and all(config[d.name] in d.values for d in self.dimensions)
            and self.allows(config)
        )

    def __getitem__(self, name: str) -> Dimension:
        for dimension in self.dimensions:
            if dimension.name == name:
                return dimension
        raise KeyError(name)
