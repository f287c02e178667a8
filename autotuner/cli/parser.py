"""The parser of every verb: what it says about bad usage, and what all verbs have in common."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Protocol

from autotuner.core.errors import InputError

Add = Callable[[argparse.ArgumentParser], None]
"""Gives a verb's parser its options."""


class Verbs(Protocol):
    """What argparse returns for the verbs of a parser."""

    def add_parser(self, name: str, **settings: Any) -> argparse.ArgumentParser:
        """Return the parser of another verb."""


class Parser(argparse.ArgumentParser):
    """Raises InputError for bad usage."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)
        # What begins like a negative number is a value with or without a unit, never an option.
        self._negative_number_matcher = re.compile(r"-[0-9.]")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with what was typed."""
        raise InputError(f"{message[0].upper()}{message[1:]}; see `{self.prog} --help`.")


def add_verbs(verbs: Verbs, options: Mapping[str, Add], words: Mapping[str, str]) -> None:
    """Add a verb for each of *options*; *words* says what each does."""
    for name, add in options.items():
        what = words[name]
        add(verbs.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}."))


def with_output(add: Add) -> Add:
    """Return *add* and the choice of what is printed after it."""

    def add_both(verb: argparse.ArgumentParser) -> None:
        add(verb)
        add_output(verb)

    return add_both


def add_output(verb: argparse.ArgumentParser) -> None:
    """Give *verb* the choice of what is printed."""
    verb.add_argument(
        "--json", action="store_true", help="print one JSON document; all else goes to stderr"
    )
    verb.add_argument("--debug", action="store_true", help="show the traceback of an error")
