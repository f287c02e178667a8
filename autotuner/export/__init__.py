"""A profile as the files that other tools read; pure: text comes out, nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from autotuner.core.profile import Profile
from autotuner.export import environment, onnxruntime, openvino, triton

TARGETS: Mapping[str, Callable[[Profile], dict[str, str]]] = {
    "triton": triton.files,
    "ort": onnxruntime.files,
    "openvino": openvino.files,
    "env": environment.files,
}
"""What a profile can be exported to, by the name that is typed."""


def files(profile: Profile, target: str) -> dict[str, str]:
    """Return the text of each file, by its name, that *target* reads for *profile*.

    Raises InputError when the profile was tuned for a runtime that *target* does not have.
    """
    return TARGETS[target](profile)


__all__ = ["TARGETS", "files"]
