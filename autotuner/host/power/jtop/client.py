"""The process that asks jtop's service for another power mode: ``python client.py NUMBER``.

It is run by whatever Python jtop is installed for, so it imports nothing of ours, and what lies
beside it must not bear the name of anything that jtop imports. Its status
is 0 when the mode was set; otherwise it says why not. Whoever starts it sets a deadline.
"""

from __future__ import annotations

import sys
import time

_POLL_S = 0.2
_BEGIN_S = 1.0


def main() -> int:
    """Set the mode with the number given as argument."""
    from jtop import JtopException, jtop  # noqa: PLC0415 - the only thing that may be missing

    wanted = int(sys.argv[1])
    try:
        with jtop(interval=1.0) as service:
            service.ok()
            # The service drops a request that comes while it works on another, and never says so.
            while service.nvpmodel.is_running():
                time.sleep(_POLL_S)
            service.nvpmodel = wanted
            asked = time.monotonic()
            while service.ok(spin=True):
                time.sleep(_POLL_S)
                if service.nvpmodel.is_running():
                    continue
                if service.nvpmodel.id == wanted:
                    return 0
                if time.monotonic() - asked > _BEGIN_S:
                    sys.stdout.write("jtop's service did not set the mode\n")
                    return 1
    except JtopException as error:
        sys.stdout.write(f"{error}\n")
        return 1
    sys.stdout.write("jtop's service hung up\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
