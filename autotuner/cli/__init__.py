"""The command line: reads what the user types, hands it to the daemon, shows what comes back."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from autotuner.cli.daemon_options import BOX
from autotuner.cli.options import parse
from autotuner.core.errors import AutotunerError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command line *arguments* and return the exit status.

    0 done, 1 failed, 2 bad usage or input, 3 nothing keeps the constraints, 130 interrupted.
    """
    try:
        options = parse(arguments)
        if options.verb in BOX:  # what scripts and units run must start at once
            from autotuner.cli import box  # noqa: PLC0415 - --help and bad usage do without it

            return box.VERBS[options.verb](options)
        from autotuner.cli import verbs  # noqa: PLC0415 - as above

        return verbs.VERBS[options.verb](options)
    except AutotunerError as error:
        from autotuner.cli import endings  # noqa: PLC0415 - as above

        return endings.complain(error, as_json="--json" in arguments, debug="--debug" in arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain while it flushes.
        sys.stdout = None
        return 0
