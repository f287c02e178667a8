"""What the machine is made of, made once: kernel, modules, first files, ACPI table."""

from __future__ import annotations

import fcntl
import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

from rigs import CACHE, lacking, need_programs, need_root, required

_HERE = Path(__file__).parent
_SOURCES = ("cpus.asl", "riggpu.c", "init.sh")
_MODULES = (
    "virtio_pci",
    "9pnet_virtio",
    "9p",
    "overlay",
    "acpi_cpufreq",
    "cpufreq_powersave",
    "cpufreq_ondemand",
    "cpufreq_userspace",
    "governor_simpleondemand",
)
_PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "iasl": "acpica-tools",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "depmod": "kmod",
    "gcc": "gcc",
    "make": "make",
}


class Parts:
    """The files that QEMU is started with: *kernel*, *initrd* and *table*."""

    def __init__(self, folder):
        self.kernel = folder / "kernel"
        self.initrd = folder / "initrd"
        self.table = folder / "cpus.aml"

    def made_of(self, sources):
        """Say whether the parts are those of *sources*."""
        kept = self.initrd.with_name("sources")
        return kept.exists() and kept.read_text() == sources


def parts():
    """Return the parts; they are made where rigs are required, else the test ends."""
    need_root()
    need_programs(**_PROGRAMS)
    folder = CACHE / "vm"
    folder.mkdir(parents=True, exist_ok=True)
    made = Parts(folder)
    sources = "".join((_HERE / name).read_text() for name in _SOURCES) + repr(_MODULES)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.made_of(sources):
            if not required():
                lacking(f"make {folder} with AUTOTUNE_REQUIRE_RIGS=1")
            _make(made, folder)
            (folder / "sources").write_text(sources)
    return made


def _make(made, folder):
    release = _release()
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    image = f"linux-image-{release}"
    _run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", image, cwd=tree)
    _run("dpkg-deb", "-x", next(tree.glob("*.deb")), tree)
    shutil.copy(tree / f"boot/vmlinuz-{release}", made.kernel)
    _run("depmod", "-b", tree, release)
    _run("iasl", "-p", made.table.with_suffix(""), _HERE / "cpus.asl")
    first = folder / "first"
    shutil.rmtree(first, ignore_errors=True)
    for name in ("bin", "proc", "sys", "dev", "root", "lower", "layer", "modules"):
        (first / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", first / "bin")
    shutil.copy(_HERE / "init.sh", first / "init")
    (first / "init").chmod(0o755)
    order = [*_with_dependencies(tree, release), _gpu_module(folder, release)]
    for module in order:
        shutil.copy(module, first / "modules")
    (first / "modules/order").write_text("\n".join(module.name for module in order))
    listed = subprocess.run(["find", "."], cwd=first, capture_output=True, check=True).stdout
    archive = ["cpio", "-o", "-H", "newc", "--quiet"]
    packed = subprocess.run(archive, cwd=first, input=listed, capture_output=True, check=True)
    made.initrd.write_bytes(gzip.compress(packed.stdout, compresslevel=1))
    shutil.rmtree(tree)


def _release():
    """Return the release of the kernel that Debian installs at present."""
    told = _run("apt-cache", "depends", "linux-image-amd64").split()
    names = [word for word in told if word.startswith("linux-image-") and word[12].isdigit()]
    if not names:
        lacking("run apt-get update")
    return names[0].removeprefix("linux-image-")


def _with_dependencies(tree, release):
    """Return the modules in an order in which they can be loaded."""
    found = {}
    for name in _MODULES:
        told = _run("modprobe", "-d", tree, "-S", release, "--show-depends", name)
        for line in told.splitlines():
            if line.startswith("insmod "):
                found[Path(line.split()[1])] = None
    return list(found)


def _gpu_module(folder, release):
    """Build the module of the GPU against the kernel's headers."""
    if not Path(f"/usr/src/linux-headers-{release}").exists():
        waiting = ("-o", "DPkg::Lock::Timeout=300")  # other processes of the run may be at it
        install = ("apt-get", "-qq", *waiting, "install", "-y", "--no-install-recommends")
        _run(*install, f"linux-headers-{release}")
    build = folder / "module"
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir()
    shutil.copy(_HERE / "riggpu.c", build)
    (build / "Makefile").write_text("obj-m := riggpu.o\n")
    _run("make", "-s", "-C", f"/usr/src/linux-headers-{release}", f"M={build}", "modules")
    _run("strip", "-g", build / "riggpu.ko")
    return build / "riggpu.ko"


def _run(*command, cwd=None):
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    ran = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        sys.stderr.write(ran.stdout + ran.stderr)
        raise RuntimeError(f"{command[0]} failed with status {ran.returncode}")
    return ran.stdout
