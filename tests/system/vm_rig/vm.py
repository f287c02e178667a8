"""One boot of the machine, for one job."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vm_rig.parts import parts


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a job did."""

    status: int
    said: str


def boot(folder, script, *, timeout_s=240.0):
    """Boot, run the shell *script* inside as root, and return what it did.

    *folder* is ``/tmp/job`` inside and may be written. When the job does not end within
    *timeout_s* the plug is pulled.
    """
    made = parts()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.sh").write_text(script)
    output, console = folder / "output", folder / "console"
    for file in (output, console):
        file.write_bytes(b"")
    files = "local,security_model=none"
    command = [
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-M", "pc"),
        # acpi-cpufreq has no ports for the CPU that QEMU pretends by itself.
        *("-cpu", "max,vendor=GenuineIntel", "-smp", "2", "-m", "2048"),
        *("-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot"),
        *("-serial", f"file:{console}", "-serial", f"file:{output}"),
        *("-acpitable", f"file={made.table}", "-device", "pc-testdev"),
        *("-virtfs", f"{files},path=/,mount_tag=host,readonly=on,multidevs=remap"),
        *("-virtfs", f"{files},path={folder},mount_tag=job"),
        *("-kernel", str(made.kernel), "-initrd", str(made.initrd)),
        *("-append", "console=ttyS0 quiet panic=-1"),
    ]
    with (folder / "qemu").open("wb") as log:
        machine = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        machine.wait(timeout=timeout_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(machine.pid, signal.SIGKILL)
        machine.wait()
    return _judged(folder)


def _judged(folder: Path):
    lines = (folder / "output").read_text(errors="replace").splitlines()
    status = [line.split()[1] for line in lines if line.startswith("RIG-STATUS ")]
    said = "\n".join(line for line in lines if not line.startswith("RIG-"))
    broken = [line for line in lines if line.startswith("RIG-FAILED ")]
    if broken or not status:
        logs = "".join((folder / log).read_text(errors="replace") for log in ("console", "qemu"))
        raise RuntimeError(f"the machine did not finish {broken}: {logs[-2000:]}")
    return Ran(status=int(status[0]), said=said)
