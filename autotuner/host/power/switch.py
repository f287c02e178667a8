"""Power modes for as long as they are needed: the machine's own state comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autotuner.host.power.base import PRESENT, PowerControl, PowerError, State, offered
from autotuner.host.power.guard import Guard
from autotuner.host.power.journal import Journal

_CLAIM_S = 60.0


class Switch:
    """Sets modes of *control*; a context manager that puts back what it changed.

    Originals go to the *journal* and a guardian process starts before the first change, so that
    they come back also when this process is killed. *root* is where the guardian finds ``/sys``.
    Unless the body raised, leaving raises PowerError for what could not be put back; ``close``
    returns it instead. Not for several threads.
    """

    def __init__(self, control: PowerControl, journal: Path, *, root: Path = Path("/")) -> None:
        self.present = offered(control)[0]
        self._control = control
        self._journal = Journal(journal)
        self._root = root
        self._mode = self.present
        self._base: State | None = None
        self._set = State()
        self._guard: Guard | None = None

    def __enter__(self) -> Switch:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if left := self.close():
            raise PowerError(" ".join(left)) from error

    def use(self, mode: str) -> tuple[str, ...]:
        """Set *mode* unless it is set; return notes, such as clocks that do not follow.

        Raises PowerError when it was not reached; the machine is as it was found then, or the
        message says what is not. Raises StateError when the originals cannot be kept.
        """
        mode = self.present if mode == PRESENT else mode
        if mode == self._mode:
            return ()
        base = self._begin() if self._base is None else self._base
        try:
            notes = self._control.apply(mode, base)
        except PowerError as error:
            self._mode = self.present
            left = self._control.restore(base)
            self._set = self._control.current()
            raise PowerError(" ".join([str(error), *left])) from error
        self._mode = mode
        self._set = self._control.current()
        return notes

    def undone(self) -> tuple[str, ...]:
        """Return a sentence for each setting that somebody else has changed since ``use``."""
        if self._base is None:
            return ()
        now = self._control.current().values
        return tuple(
            f"{name} was set to {value!r} and is {now.get(name, 'gone')!r} now: a power daemon or "
            "the kernel's protection against heat sets it too."
            for name, value in self._set.values.items()
            if now.get(name) != value
        )

    def close(self) -> tuple[str, ...]:
        """Put everything back; return a sentence for each setting that is not."""
        if self._base is None:
            return ()
        left = self._control.restore(self._base)
        if not left:
            self._journal.remove()
        self._base = None
        self._mode = self.present
        self._end_watch()
        # Where something was left, the guardian has tried once more.
        return left if self._journal.path.exists() else ()

    def _begin(self) -> State:
        """Keep the originals and set the guardian up; nothing has been changed until then."""
        lock = self._journal.claim(_CLAIM_S)
        try:
            base = self._originals()
            self._guard = Guard(self._journal.path, self._root, lock)
            self._journal.write(base)
        except BaseException:
            self._end_watch()
            raise
        self._base = base
        return base

    def _originals(self) -> State:
        """Return what is set now, but for what an earlier run could not put back."""
        found = self._control.current()
        try:
            kept = self._journal.read()
        except ValueError:
            self._journal.set_aside()
            return found
        if kept is None or not kept[1]:
            return found
        return State(values={**found.values, **kept[0].values})

    def _end_watch(self) -> None:
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None
        self._journal.release()


@contextmanager
def held(
    control: PowerControl, mode: str, journal: Path, *, root: Path = Path("/")
) -> Iterator[Switch]:
    """Run the body in *mode* and put the machine's own state back, whatever happens."""
    with Switch(control, journal, root=root) as switch:
        switch.use(mode)
        yield switch
