"""One search as a study of Optuna's: ask for a trial, tell what it showed, resume after a crash."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import optuna
from optuna.trial import FrozenTrial, TrialState

from autotuner.core import Measurement, Objective, Outcome, SearchSpace, Value
from autotuner.core.encoding import encode
from autotuner.core.errors import SpaceError
from autotuner.search.acquisition import BELOW_NOISE, improvement
from autotuner.search.evidence import Evidence
from autotuner.search.facts import IMPORTED, fact_key
from autotuner.search.heartbeat import Heartbeat
from autotuner.search.identity import introduce
from autotuner.search.judge import Judge, stored_outcome
from autotuner.search.parameters import distributions, from_params, to_params
from autotuner.search.recommendation import promising, recommended, worth_repeating
from autotuner.search.sampler import SwitchingCost
from autotuner.search.samplers import make_sampler
from autotuner.search.scores import scored
from autotuner.search.storage import close_storage, is_shared, open_storage, reported

optuna.logging.set_verbosity(optuna.logging.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One proposal and what came of it; *outcome* is None while it runs.

    *number* is Optuna's number within the study, *why* says in short words why it was proposed,
    *seconds* is what it took.
    """

    number: int
    config: Mapping[str, Value]
    why: str
    outcome: Outcome | None = None
    seconds: float | None = None


class Search:
    """Ask and tell over one study, which is opened or created under *name* in *storage*.

    *storage* is a URL of Optuna's, None is memory. *sampler* is one of ``auto tpe gp random``.
    *seeds* are measured first. *fingerprint* marks what the measurements hold for.
    *switching_cost* lets the sampler ``auto`` prefer cheap changes. Trials that a killed process
    left behind are completed when their outcome was stored and freed otherwise.
    Raises StateError when the storage cannot be used, SpaceError when a seed is not in *space*.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        name: str = "search",
        storage: str | None = None,
        sampler: str = "auto",
        seed: int | None = 0,
        seeds: Sequence[Mapping[str, Value]] = (),
        fingerprint: str | None = None,
        switching_cost: SwitchingCost | None = None,
    ) -> None:
        self.space = space
        self.objective = objective
        self._url = storage
        self._distributions = distributions(space)
        self._judge = Judge(space, objective)
        self._sampler = make_sampler(sampler, self._judge, seed=seed, switching_cost=switching_cost)
        self._running: dict[int, optuna.Trial] = {}
        self._finished: dict[int, Trial] = {}
        self._storage = open_storage(storage)
        try:
            self._open(name, fingerprint, seeds)
        except BaseException:
            close_storage(self._storage)
            raise

    def _open(
        self, name: str, fingerprint: str | None, seeds: Sequence[Mapping[str, Value]]
    ) -> None:
        with reported(self._url):
            self._study = optuna.create_study(
                storage=self._storage,
                sampler=self._sampler,
                study_name=name,
                direction=self.objective.direction,
                load_if_exists=True,
            )
            introduce(self._study, self.space, self.objective, fingerprint=fingerprint)
            self._heartbeat = Heartbeat(self._study, self._storage, name)
            if not is_shared(self._url):
                self._recover(name)
            self._enqueue(seeds)

    def __enter__(self) -> Search:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the trials that still run and close the storage."""
        self._heartbeat.stop()
        try:
            with reported(self._url):
                for number in tuple(self._running):
                    self._fail(number)
        finally:
            close_storage(self._storage)

    def ask(self) -> Trial:
        """Return the next trial to run."""
        with reported(self._url), warnings.catch_warnings():
            # The heartbeat is ours: Optuna's own beats only inside its optimize().
            warnings.filterwarnings("ignore", message="Heartbeat of storage")
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._heartbeat.free_dead_trials()
            proposed = self._study.ask(self._distributions)
            self._heartbeat.watch(proposed.number)
            self._running[proposed.number] = proposed
            config = from_params(self.space, proposed.params)
            why = proposed.user_attrs.get("why") or self._sampler.why or "the only one"
            proposed.set_user_attr("why", why)
            proposed.set_user_attr("config", config)
        return Trial(number=proposed.number, config=types.MappingProxyType(config), why=why)

    def tell(self, trial: Trial, outcome: Outcome, *, seconds: float | None = None) -> Trial:
        """Record what *trial* showed and return it finished; *seconds* is what it took.

        Raises SpaceError when the outcome lacks a metric that the objective names.
        """
        score = scored(self.objective, outcome, self._known_values())
        running = self._running[trial.number]
        with reported(self._url):
            running.set_user_attr("outcome", encode(outcome))
            if seconds is not None:
                running.set_user_attr("trial_s", round(seconds, 3))
            for name, violation in score.violations.items():
                running.set_constraint(name, violation)
            self._study.tell(trial.number, score.value)
            self._heartbeat.leave(trial.number)
        del self._running[trial.number]
        finished = replace(trial, outcome=outcome, seconds=seconds)
        self._finished[trial.number] = finished
        return finished

    def release(self, trial: Trial) -> None:
        """Give *trial* up without an outcome; its configuration may be proposed again."""
        with reported(self._url):
            self._fail(trial.number)

    def trials(self) -> tuple[Trial, ...]:
        """Return every finished trial in order, imported ones too."""
        with reported(self._url):
            stored = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            for frozen in stored:
                if frozen.number not in self._finished:
                    self._finished[frozen.number] = self._thawed(frozen)
        return tuple(self._finished[frozen.number] for frozen in stored)

    def best(self) -> Trial | None:
        """Return the recommendation: the best trial that is sure of its constraints, if any is."""
        evidence = self._evidence()
        if not evidence.measured:
            return None
        rows = recommended(self._judge.belief(evidence), evidence)
        return self._latest(rows[:1])[0] if len(rows) else None

    def finalists(self, n: int) -> tuple[Trial, ...]:
        """Return up to *n* trials of distinct configurations worth proving, best first."""
        evidence = self._evidence()
        if not evidence.measured:
            return ()
        return self._latest(promising(self._judge.belief(evidence), evidence)[:n])

    def exhausted(self) -> str | None:
        """Return why nothing is left worth a trial, or None while something is."""
        evidence = self._evidence()
        if not evidence.measured:
            tried = len(evidence.failed) == len(self.space)
            return "every configuration failed" if tried else None
        belief = self._judge.belief(evidence)
        again = worth_repeating(belief, evidence)
        if len(evidence.measured) + len(evidence.failed) == len(self.space):
            return None if again else "every configuration is measured"
        if again is None and improvement(belief, evidence).max() < BELOW_NOISE:
            return "no configuration promises an improvement"
        return None

    def import_trials(self, facts: Iterable[tuple[Mapping[str, Value], Outcome]]) -> int:
        """Add *facts* of other studies, scored for this objective, and return how many were added.

        Left out is what lies outside the space, lacks a metric or is known already.
        """
        known = {fact_key(trial.config, trial.outcome) for trial in self.trials()}
        added = 0
        for config, outcome in facts:
            key = fact_key(config, outcome)
            if key in known or config not in self.space:
                continue
            try:
                score = scored(self.objective, outcome, self._known_values())
            except SpaceError:
                continue
            known.add(key)
            added += 1
            with reported(self._url):
                self._study.add_trial(
                    optuna.trial.create_trial(
                        value=score.value,
                        params=to_params(self.space, config),
                        distributions=self._distributions,
                        constraints=dict(score.violations),
                        user_attrs={
                            "why": IMPORTED,
                            "config": dict(config),
                            "outcome": encode(outcome),
                        },
                    )
                )
        return added

    def _recover(self, name: str) -> None:
        """Complete or free the trials that a killed process left running."""
        study_id = self._storage.get_study_id_from_name(name)
        for left in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if "outcome" not in left.user_attrs:
                self._study.tell(left.number, state=TrialState.FAIL)
                continue
            trial_id = self._storage.get_trial_id_from_study_id_trial_number(study_id, left.number)
            running = optuna.Trial(self._study, trial_id)
            outcome = stored_outcome(left)
            score = scored(self.objective, outcome, self._known_values())
            for key, violation in score.violations.items():
                if key not in left.constraints:
                    running.set_constraint(key, violation)
            self._study.tell(left.number, score.value)

    def _enqueue(self, seeds: Sequence[Mapping[str, Value]]) -> None:
        """Queue the *seeds* that no trial measured, measures or waits for."""
        taken = [
            frozen.system_attrs.get("fixed_params", frozen.params)
            for frozen in self._study.get_trials(deepcopy=False)
            if frozen.state in {TrialState.COMPLETE, TrialState.RUNNING, TrialState.WAITING}
        ]
        for config in seeds:
            if config not in self.space:
                raise SpaceError(f"The seed {dict(config)} is not in the search space.")
            params = to_params(self.space, config)
            if params not in taken:
                taken.append(params)
                self._study.enqueue_trial(params, user_attrs={"why": "seed"})

    def _known_values(self) -> list[float]:
        """Return the objective's values of everything that this process knows to be measured."""
        measured = (trial.outcome for trial in self._finished.values())
        return [self.objective.value(m) for m in measured if isinstance(m, Measurement)]

    def _evidence(self) -> Evidence:
        with reported(self._url):
            return self._judge.evidence(self._study)

    def _latest(self, rows: Iterable[int]) -> tuple[Trial, ...]:
        """Return the latest trial of the configuration in each of *rows*."""
        latest = {
            self._judge.row(trial.config): trial
            for trial in self.trials()
            if isinstance(trial.outcome, Measurement)
        }
        return tuple(latest[int(row)] for row in rows)

    def _thawed(self, frozen: FrozenTrial) -> Trial:
        return Trial(
            number=frozen.number,
            config=types.MappingProxyType(from_params(self.space, frozen.params)),
            why=frozen.user_attrs.get("why", ""),
            outcome=stored_outcome(frozen),
            seconds=frozen.user_attrs.get("trial_s"),
        )

    def _fail(self, number: int) -> None:
        self._study.tell(number, state=TrialState.FAIL, skip_if_finished=True)
        self._heartbeat.leave(number)
        self._running.pop(number, None)
