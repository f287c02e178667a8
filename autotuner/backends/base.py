"""The seam between the bench and a runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """A model loaded by a runtime under one configuration; used by one thread at a time."""

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Run one batch and return its outputs; raises BackendFailure."""

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

    def open(self, model: Path, config: Config) -> Session:
        """Load *model* under *config* in this process; raises BackendFailure."""
