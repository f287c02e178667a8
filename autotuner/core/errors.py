"""What can go wrong, drawn as a tree by what the caller may do about it.

    AutotunerError
    ├── InputError          the user's input: mend it and run again          (exit 2)
    │   ├── ModelError      the model, its data or its shapes
    │   └── SpaceError      a dimension, restriction, objective or constraint
    ├── StateError          the disk: state directory, database, profile     (exit 2)
    ├── MachineError        this machine lacks something the request needs   (exit 2)
    └── ProtocolError       client and daemon do not understand each other   (exit 2)

A configuration that cannot be measured is no exception; it is a
:class:`~autotuner.core.outcome.Failed`.
"""

from __future__ import annotations


class AutotunerError(Exception):
    """A broken contract; the message is one clear sentence that says what to do next."""


class InputError(AutotunerError):
    """What the user typed or handed in cannot be used as it is."""


class ModelError(InputError):
    """The model, its external data, its input data or its shapes cannot be used."""


class SpaceError(InputError):
    """A dimension, restriction, objective or constraint makes no sense."""


class StateError(AutotunerError):
    """Something on disk cannot be read, is damaged or cannot be written."""


class MachineError(AutotunerError):
    """This machine or installation lacks what the request needs."""


class ProtocolError(AutotunerError):
    """Client and daemon do not understand each other."""
