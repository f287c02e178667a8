"""Make one variant: the order comes, and the answers go, over the file descriptor given."""

from __future__ import annotations

import sys
from multiprocessing.connection import Connection

from autotuner.child import tie_to_parent
from autotuner.core.errors import AutotunerError
from autotuner.core.outcome import Failed
from autotuner.model.precision.builder import build
from autotuner.model.precision.messages import Answer, Order, Refused, Rejected
from autotuner.model.precision.unsupported import Unsupported


def main() -> None:
    """Serve one order."""
    tie_to_parent()
    connection = Connection(int(sys.argv[1]))
    order: Order = connection.recv()
    connection.send(_answer(order, connection))


def _answer(order: Order, connection: Connection) -> Answer:
    try:
        return build(order, connection.send)
    except Unsupported as reason:
        return Refused(Failed("unsupported", f"{order.variant}: {reason}"))
    except MemoryError:
        return Refused(Failed("oom", f"{order.variant}: building it needs more memory"))
    except AutotunerError as error:
        return Rejected(str(error))
    except Exception as error:  # noqa: BLE001 - whatever a tool meets costs this variant alone
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return Refused(
            Failed("unsupported", f"{order.variant}: the converter failed: {text[:300]}")
        )


if __name__ == "__main__":
    main()
