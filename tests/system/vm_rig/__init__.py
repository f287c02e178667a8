"""A machine whose clocks are real to the kernel: Debian's own kernel in QEMU, without KVM.

Its CPUs have performance states in an ACPI table, which the kernel's acpi-cpufreq drives, and its
GPU is a devfreq device of a small module. Its files are those of the host, read through 9p under a
layer that is forgotten, so that any program of the host runs inside as it is.
"""
