"""The workers of a profile, fed with the caller's own data."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from autotuner.core.errors import AutotunerError, MachineError
from autotuner.host import mps
from autotuner.serve.messages import Open, Opened, Outputs, Unopened
from autotuner.serve.process import ServerGone, ServerProcess
from autotuner.serve.waiting import Answer, WaitingLine, Work

_MOST_DEATHS = 3
_BATCHES_IN_LINE = 4


class Overloaded(AutotunerError):  # noqa: N818 - a fact, and up to the caller
    """More waits than the pool takes in; ask again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingPlan:
    """What a pool starts: one worker for each of *asked*; *outputs* are the names of answers.

    *mps* says that they share a GPU by CUDA's Multi-Process Service.
    """

    asked: tuple[Open, ...]
    backend: str
    outputs: tuple[str, ...]
    max_delay_s: float
    mps: bool = False


class ServingPool:
    """The workers of one profile; a context manager whose methods any thread may call.

    A worker that dies is replaced, and what it had in hand goes to another one: no request is
    lost. What ran in three workers that died is given up. MPS is there for as long as the workers
    where the profile wants it; a guardian ends it when this process is killed.
    """

    def __init__(self, plan: ServingPlan, *, most_waiting: int | None = None) -> None:
        layout = plan.asked[0].layout
        self._plan = plan
        self._layout = layout
        streams = sum(asked.config.streams for asked in plan.asked)
        most = most_waiting or _BATCHES_IN_LINE * streams * layout.batch_size
        self._line = WaitingLine(layout, max_delay_s=plan.max_delay_s, most=most)
        self._sharing = contextlib.ExitStack()
        environment = self._sharing.enter_context(mps.shared()) if plan.mps else os.environ
        self._workers = [_Worker(self._line, plan, asked, environment) for asked in plan.asked]
        try:
            for worker in self._workers:
                worker.started.result()
        except AutotunerError:
            self.close()
            raise

    def __enter__(self) -> ServingPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """The numbers of the worker processes."""
        return [worker.pid for worker in self._workers]

    def run(self, inputs: Mapping[str, object]) -> Answer:
        """Return the answers to any number of samples, in their order, by the outputs' names.

        They are split into the profile's batches and go to all workers. Waits while more than the
        pool takes in is waiting. Raises InputError for inputs that do not fit the model and
        MachineError for what the runtime refuses.
        """
        arrays, count = self._layout.samples(inputs)
        futures: list[Future[Answer]] = []
        for first in range(0, count, self._layout.batch_size):
            size = min(self._layout.batch_size, count - first)
            part = self._layout.part(arrays, first, size)
            work = Work(arrays=part, count=size, futures=[Future()])
            self._line.add_batch(work, None)
            futures += work.futures
        wait(futures, return_when=FIRST_EXCEPTION)  # once, not for every batch
        answers = [future.result() for future in futures]
        if len(answers) == 1:
            return answers[0]
        return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}

    def submit(
        self, inputs: Mapping[str, object], *, timeout_s: float | None = None
    ) -> Future[Answer]:
        """Hand in one sample, with its batch axis of 1, and return the future of its answer.

        Samples that wait go to a worker together, as they did when the profile was measured.
        Raises Overloaded when there was no room for it within *timeout_s* (None: waits).
        """
        arrays, count = self._layout.samples(inputs)
        if count != 1:
            raise ValueError("submit() takes one sample; run() takes many")
        future = self._line.add_sample(arrays, timeout_s)
        if future is None:
            raise Overloaded("The pool has no room for more requests; ask again later.")
        return future

    def close(self) -> None:
        """End the workers; what still waits is cancelled. Closing twice does no harm."""
        for work in self._line.close():
            for future in work.futures:
                future.cancel()
        for worker in self._workers:
            worker.join()
        self._sharing.close()


class _Worker:
    """A thread with a process of its own: feeds it, takes its answers, replaces it."""

    def __init__(
        self, line: WaitingLine, plan: ServingPlan, asked: Open, environment: Mapping[str, str]
    ) -> None:
        self._line = line
        self._plan = plan
        self._asked = asked
        self._environment = environment
        self._bell: int | None = None
        self._in_hand: dict[int, Work] = {}  # by slot, the oldest first
        self._free = list(range(asked.slots))
        self.started: Future[ServerProcess] = Future()
        # A process ends with the thread that started it (prctl(2), PR_SET_PDEATHSIG), so it is this
        # one that starts them all.
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def join(self) -> None:
        self._thread.join()

    def _live(self) -> None:
        try:
            self._process = self._start()
        except AutotunerError as error:
            self.started.set_exception(error)
            return
        self.started.set_result(self._process)
        try:
            with contextlib.ExitStack() as stack:
                if self._asked.config.streams > 1:
                    self._bell = stack.enter_context(self._line.bell())
                self._serve()
        except AutotunerError as error:
            self._give_up(error)
        finally:
            self._process.kill()

    def _serve(self) -> None:
        """Serve until the line is closed; raises AutotunerError when no worker can be had."""
        while True:
            try:
                self._fill()
                if not self._in_hand:
                    return
                self._take_answer()
            except ServerGone:
                self._replace()

    def _fill(self) -> None:
        """Feed the process until its slots are full, waiting for work while it has none.

        While one of several streams is idle, that is until an answer is there.
        """
        while self._free and (work := self._next()):
            slot = self._free.pop()
            self._in_hand[slot] = work
            self._process.feed(slot, work.arrays, work.count)

    def _next(self) -> Work | None:
        if self._bell is not None and 0 < len(self._in_hand) < self._asked.config.streams:
            return self._line.take_before(self._process.connection, self._bell)
        return self._line.take(wait=not self._in_hand)

    def _take_answer(self) -> None:
        answer = self._process.receive()
        assert not isinstance(answer, Opened | Unopened)
        work = self._in_hand.pop(answer.slot)
        self._free.append(answer.slot)
        if isinstance(answer, Outputs):
            _fulfil(work, dict(zip(self._plan.outputs, answer.arrays, strict=True)))
        else:
            failed = answer.failed
            _refuse(
                work, MachineError(f"The batch was refused ({failed.reason}: {failed.detail}).")
            )

    def _replace(self) -> None:
        """Start another process; what the dead one had in hand goes back to the line."""
        self._process.kill()
        works = list(self._in_hand.values())
        self._in_hand.clear()
        self._free = list(range(self._asked.slots))
        for work in works[: self._asked.config.streams]:
            work.deaths += 1  # the oldest ones were running
            if work.deaths >= _MOST_DEATHS:
                text = f"A batch ended {_MOST_DEATHS} workers, so it is given up."
                _refuse(work, MachineError(text))
        self._line.put_back([work for work in works if work.deaths < _MOST_DEATHS])
        self._process = self._start()

    def _start(self) -> ServerProcess:
        for _ in range(_MOST_DEATHS):
            try:
                return ServerProcess(self._asked, self._plan.backend, self._environment)
            except ServerGone:
                continue
        raise MachineError(f"The workers of {self._asked.model.name} die while they load it.")

    def _give_up(self, error: AutotunerError) -> None:
        for work in self._in_hand.values():
            _refuse(work, error)
        for work in self._line.close():
            _refuse(work, error)


def _fulfil(work: Work, answer: Answer) -> None:
    if len(work.futures) == 1:
        work.futures[0].set_result(answer)
        return
    for index, future in enumerate(work.futures):
        future.set_result({name: _sample(a, index, work.count) for name, a in answer.items()})


def _sample(array: NDArray[np.generic], index: int, count: int) -> NDArray[np.generic]:
    shared = not array.ndim or len(array) != count
    return array if shared else array[index : index + 1]


def _refuse(work: Work, error: AutotunerError) -> None:
    for future in work.futures:
        if not future.done():
            future.set_exception(error)
