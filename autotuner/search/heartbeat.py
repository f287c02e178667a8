"""Signs of life for the trials of a study that several boxes share."""

from __future__ import annotations

import threading

import optuna
from optuna.storages import BaseStorage, RDBStorage, fail_stale_trials

from autotuner.search.storage import HEARTBEAT_S


class Heartbeat:
    """Says in the background that this process still works on its trials.

    It does nothing where *storage* has no heartbeat, because only one process uses it.
    """

    def __init__(self, study: optuna.Study, storage: BaseStorage, name: str) -> None:
        self._study = study
        self._storage = _beating(storage)
        self._study_id = storage.get_study_id_from_name(name)
        self._trial_ids: dict[int, int] = {}
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, number: int) -> None:
        """Keep the trial *number* alive until :meth:`leave`."""
        if self._storage is None:
            return
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)
        self._storage.record_heartbeat(trial_id)
        self._trial_ids[number] = trial_id
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            self._thread.start()

    def leave(self, number: int) -> None:
        """Let the finished trial *number* go."""
        self._trial_ids.pop(number, None)

    def free_dead_trials(self) -> None:
        """Fail the trials of boxes that died, so that their configurations are free again."""
        if self._storage is not None:
            fail_stale_trials(self._study)

    def stop(self) -> None:
        """Stop beating and wait until the thread has ended."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _beat(self) -> None:
        assert self._storage is not None
        while not self._stopped.wait(HEARTBEAT_S):
            for trial_id in tuple(self._trial_ids.values()):
                try:
                    self._storage.record_heartbeat(trial_id)
                except optuna.exceptions.StorageInternalError:
                    # A database that is away for a moment; the main thread will meet it too.
                    break


def _beating(storage: BaseStorage) -> RDBStorage | None:
    """Return *storage* when it keeps signs of life."""
    if isinstance(storage, RDBStorage) and storage.get_heartbeat_interval() is not None:
        return storage
    return None
