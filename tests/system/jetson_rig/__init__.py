"""A pretended Jetson in which unmodified programs run: simulated hardware, real software.

A private mount and process namespace has an overlay of this machine's files as its root and
file trees of its own at ``/sys``, ``/proc`` and ``/run``. A process applies the limits that are
found there to clocks, load, power and temperature, so that who sets limits sees what they do.
Nothing outside of the namespace is changed, and nothing is left when its first process ends.

    PYTHONPATH=tests/system python -m jetson_rig up --board agx-orin
    PYTHONPATH=tests/system python -m jetson_rig exec -- nvpmodel -q
    PYTHONPATH=tests/system python -m jetson_rig down
"""
