"""From a study's trials to what they say of every configuration."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from autotuner.core import Objective, Outcome, SearchSpace, Value
from autotuner.core.encoding import decode
from autotuner.core.errors import InputError, StateError
from autotuner.search.blas import one_thread
from autotuner.search.evidence import Evidence
from autotuner.search.parameters import from_params
from autotuner.search.surrogate import Belief, Surrogate

_KNOWN = (TrialState.COMPLETE, TrialState.RUNNING)


class Judge:
    """Gathers a study's evidence, and believes something of it only when it is new.

    It holds nothing that the study does not say, so it may be made anew at any time.
    """

    def __init__(self, space: SearchSpace, objective: Objective) -> None:
        self.space = space
        self._surrogate = Surrogate(space, objective)
        self._rows = {tuple(config.values()): row for row, config in enumerate(space.configs)}
        self._outcomes: dict[int, tuple[int, Outcome]] = {}
        self._believed: tuple[object, Belief] | None = None

    def evidence(self, study: Study, *, asking: int | None = None) -> Evidence:
        """Return what *study* has shown; the trial *asking* does not count as running."""
        outcomes, running = [], []
        for frozen in study.get_trials(deepcopy=False, states=_KNOWN):
            if frozen.state is TrialState.COMPLETE:
                if frozen.number not in self._outcomes:
                    self._outcomes[frozen.number] = (self._row(frozen), stored_outcome(frozen))
                outcomes.append(self._outcomes[frozen.number])
            elif frozen.number != asking and len(frozen.params) == len(self.space.dimensions):
                running.append(self._row(frozen))
        return Evidence.gathered(outcomes, running)

    def belief(self, evidence: Evidence) -> Belief:
        """Return what *evidence*, at least one measurement, says of every configuration."""
        key = (evidence.measured, evidence.failed)
        if self._believed is None or self._believed[0] != key:
            with one_thread():
                self._believed = (key, self._surrogate.believe(evidence))
        return self._believed[1]

    def row(self, config: Mapping[str, Value]) -> int:
        """Return where in the space's grid *config* stands."""
        return self._rows[tuple(config[name] for name in self.space.names)]

    def _row(self, frozen: FrozenTrial) -> int:
        return self.row(from_params(self.space, frozen.params))


def stored_outcome(frozen: FrozenTrial) -> Outcome:
    """Return the outcome that *frozen* keeps; raises StateError when it is damaged."""
    try:
        outcome: Outcome = decode(Outcome, frozen.user_attrs["outcome"])
    except (InputError, KeyError, ValueError) as error:
        raise StateError(
            f"Trial {frozen.number} of the study is damaged ({error}); "
            "choose another study to start afresh."
        ) from error
    return outcome
