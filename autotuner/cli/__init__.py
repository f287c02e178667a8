"""The command line: reads what the user types, hands it to the daemon, shows what comes back."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from autotuner.cli.daemon_options import BOX
from autotuner.core.errors import AutotunerError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command line *arguments* and return the exit status.

    0 done, 1 failed, 2 bad usage or input, 3 nothing keeps the constraints, 130 interrupted.
    """
    try:
        if arguments and arguments[0] in BOX:  # what scripts and units run must start at once
            from autotuner.cli import box  # noqa: PLC0415 - the others need not its imports

            return box.run(arguments)
        from autotuner.cli import options  # noqa: PLC0415 - nor it theirs

        chosen = options.parse(arguments)
        from autotuner.cli import verbs  # noqa: PLC0415 - --help and bad usage do without it

        return verbs.VERBS[chosen.verb](chosen)
    except AutotunerError as error:
        from autotuner.cli import endings  # noqa: PLC0415 - as above

        return endings.complain(error, as_json="--json" in arguments, debug="--debug" in arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain while it flushes.
        sys.stdout = None
        return 0
