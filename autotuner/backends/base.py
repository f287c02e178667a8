"""The seam between the bench and a runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from autotuner.core.config import Config


class BackendFailure(Exception):  # noqa: N818 - it becomes a Failed, which is no error
    """The runtime cannot run this model under this configuration.

    *reason* is one of :data:`autotuner.core.outcome.FAILURE_REASONS`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Session(Protocol):
    """A model loaded by a runtime under one configuration; used in the thread that opened it."""

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Run one batch, full or smaller, and return its outputs; raises BackendFailure.

        They lie in the host's memory, as *feeds* do, so that a GPU's time includes the copies.
        """

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], object]:
        """Return what runs the full batch *feeds* within the memory that the provider computes in.

        The batch is laid there once and its outputs stay there. Both raise BackendFailure.
        """

    def close(self) -> None:
        """Give the memory back; closing twice does no harm."""


class Backend(Protocol):
    """A runtime. Making one is cheap and needs no runtime installed."""

    def providers(self) -> Mapping[str, str | None]:
        """Return each provider of this runtime with None, or why it is not usable here."""

    def version(self) -> str | None:
        """Return the version of the runtime that is installed, None when there is none."""

    def start(self) -> None:
        """Import the runtime, so that loading a model does not pay for it."""

    def precisions(self, provider: str) -> Mapping[str, str]:
        """Return every precision that *provider* can compute in here and the graph it reads.

        A graph is the variant of the model that has to be handed to :meth:`open`: ``fp32``,
        ``fp16``, ``int8``, ``int8-symmetric`` (without zero points, biases in float) or
        ``int8-dynamic``. Only for a provider that is usable here.
        """

    def open(self, model: Path, config: Config, shapes: Mapping[str, tuple[int, ...]]) -> Session:
        """Load the graph *model* under *config* in this process; raises BackendFailure.

        *shapes* are those of the inputs of one full batch, by name. Sessions that were opened in
        different threads may run at the same time.
        """
