"""An environment file, as systemd's ``EnvironmentFile=`` and POSIX shells both read it."""

from __future__ import annotations

from autotuner.core.errors import InputError
from autotuner.core.profile import Profile
from autotuner.export.origin import heading

_SPECIAL = frozenset('"\\`$')


def files(profile: Profile) -> dict[str, str]:
    """Return ``autotune.env``; what is left to the runtime or not known is left out.

    Raises InputError for a value that no line of such a file can hold.
    """
    config = profile.winner.config
    values = {
        "AUTOTUNE_PROFILE": profile.name,
        "AUTOTUNE_MODEL": profile.model.path,
        "AUTOTUNE_MODEL_SHA256": profile.model.sha256,
        "AUTOTUNE_PROVIDER": config.provider,
        "AUTOTUNE_PRECISION": config.precision,
        "AUTOTUNE_BATCH_SIZE": config.batch_size,
        "AUTOTUNE_WORKERS": config.workers,
        "AUTOTUNE_STREAMS": config.streams,
        "AUTOTUNE_INTRA_OP_THREADS": config.intra_op_threads,
        "AUTOTUNE_AFFINITY": config.affinity,
        "AUTOTUNE_POWER_MODE": config.power_mode,
        "AUTOTUNE_MAX_QUEUE_DELAY_MS": config.max_queue_delay_ms,
        "AUTOTUNE_MPS": int(config.mps) if config.mps is not None else None,
        "AUTOTUNE_SIMULATED": profile.simulated,
        # What the runtimes and their thread pools read by themselves.
        "OMP_NUM_THREADS": config.intra_op_threads,
    }
    lines = (f"{name}={_quoted(name, value)}\n" for name, value in values.items())
    known = (line for line, value in zip(lines, values.values(), strict=True) if value is not None)
    return {"autotune.env": heading(profile) + "".join(known)}


def _quoted(name: str, value: object) -> str:
    """Return *value* in double quotes (systemd.exec(5), EnvironmentFile=)."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if any(ord(character) < 32 or character == "\x7f" for character in text):
        raise InputError(
            f"{name} holds a control character, which no environment file can hold: {text!r}; "
            "rename the model's file and tune again."
        )
    return '"' + "".join(f"\\{c}" if c in _SPECIAL else c for c in text) + '"'
