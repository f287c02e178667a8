"""Put the applied profile in force at boot and after a sleep."""

from __future__ import annotations

import time
from collections.abc import Callable

from autotuner.active import ActiveProfile, Standing
from autotuner.core.errors import AutotunerError, MachineError
from autotuner.daemon.notify import notify

_ATTEMPTS = 8
_PAUSE_S = 1.0


def apply_at_boot(
    active: ActiveProfile, *, attempts: int = _ATTEMPTS, sleep: Callable[[float], None] = time.sleep
) -> Standing | None:
    """Apply what was in force and verify it.

    Drivers may still be coming up, so there are several *attempts*, and *sleep* between them.
    Return None where there is nothing to apply. Raises what the last attempt raised, MachineError
    when something does not read back as it was set.
    """
    for left in reversed(range(attempts)):
        try:
            standing = active.reapply()
            if standing is None or standing.verified:
                return standing
            raise MachineError(" ".join(standing.differences))
        except AutotunerError as error:
            notify(f"STATUS={error}")
            if not left:
                raise
        sleep(_PAUSE_S)
    return None
