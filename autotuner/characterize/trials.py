"""The configurations of a sweep, measured one after the other and recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from autotuner.bench.bench import Bench
from autotuner.bench.harness import Cancelled
from autotuner.bench.loading import load
from autotuner.characterize.protocols import SweepProtocol
from autotuner.core.config import Config
from autotuner.core.events import Event, TrialDone, TrialStarted
from autotuner.core.judgement import Judgement
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.sweep import ACCURACY_KEPT
from autotuner.search import Search

_POLL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """What is measured on an open *bench* by *protocol*.

    *judgements* say what is not to be measured, and what the rest keeps of FP32's accuracy. A
    *simulated* machine needs no rest.
    """

    bench: Bench
    protocol: SweepProtocol
    judgements: Sequence[Judgement]
    simulated: bool
    cancelled: Callable[[], bool]

    def run(self, search: Search, number: int) -> Iterator[Event]:
        """Measure the next *number* configurations of *search*; raises Cancelled."""
        judged = {(j.provider, j.precision): j for j in self.judgements}
        for done in range(1, number + 1):
            trial = search.ask()
            config = Config.from_mapping(trial.config)
            yield TrialStarted(phase="search", number=trial.number, config=config)
            began = time.monotonic()
            judgement = judged.get((config.provider, config.precision))
            try:
                failed = judgement.failed if judgement else None
                failed = failed or (yield from load(self.bench, config))
                outcome = failed or self._measured(config, judgement)
            except Cancelled:
                search.release(trial)
                raise
            search.tell(trial, outcome, seconds=time.monotonic() - began)
            yield TrialDone(
                phase="search",
                number=trial.number,
                config=config,
                outcome=outcome,
                trials=done,
            )

    def _measured(self, config: Config, judgement: Judgement | None) -> Measurement | Failed:
        if not self.simulated:
            self._rest()
        found = self.bench.measure(config, self.protocol.window(config))
        if isinstance(found, Failed):
            return found
        measurement = self.protocol.measurement(found)
        if judgement is None or judgement.accuracy is None:
            return measurement
        extra = {**measurement.extra, ACCURACY_KEPT: judgement.accuracy.score}
        return replace(measurement, extra=extra)

    def _rest(self) -> None:
        """Let the machine cool off; raises Cancelled."""
        until = time.monotonic() + self.protocol.cool_off_s
        while time.monotonic() < until:
            if self.cancelled():
                raise Cancelled
            time.sleep(min(_POLL_S, self.protocol.cool_off_s))
