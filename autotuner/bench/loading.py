"""Loading that takes long: told while it goes on, and never part of a measurement."""

from __future__ import annotations

from collections.abc import Generator

from autotuner.bench.bench import Bench
from autotuner.core.config import Config
from autotuner.core.events import Working
from autotuner.core.outcome import Failed
from autotuner.host import accelerators

_SILENT_S, _LONGEST_SILENCE_S = 3.0, 60.0


def load(bench: Bench, config: Config) -> Generator[Working, None, Failed | None]:
    """Load *config* for the measurement that follows, or return why that is not possible."""
    builds = config.provider in accelerators.ENGINE_PROVIDERS
    step = "building the engine" if builds else "loading the model"
    steps, tell_at_s, told = bench.load(config), _SILENT_S, False
    while True:
        try:
            elapsed_s = next(steps)
        except StopIteration as end:
            failed: Failed | None = end.value
            break
        if elapsed_s >= tell_at_s:
            tell_at_s = elapsed_s + min(elapsed_s, _LONGEST_SILENCE_S)
            told = True
            yield Working(what=str(config), step=step, elapsed_s=round(elapsed_s, 1))
    if told:
        yield Working(what=str(config), step="loaded")
    return failed
