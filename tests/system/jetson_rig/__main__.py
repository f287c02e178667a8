"""The rig by hand; ``JETSON_RIG_DIR`` says where it is."""

from __future__ import annotations

import argparse
import os
import sys

from jetson_rig.boards import BOARDS
from jetson_rig.rig import Rig


def main():
    """Do what the first argument says."""
    parser = argparse.ArgumentParser(prog="jetson_rig")
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="start the rig")
    up.add_argument("--board", choices=BOARDS, default="orin-nano")
    up.add_argument("--jtop", metavar="PYTHON", help="start the service that PYTHON has")
    up.add_argument("--share", action="append", default=[], metavar="FOLDER")
    run = verbs.add_parser("exec", help="run a command inside")
    run.add_argument("--user", choices=("edge", "guest"))
    run.add_argument("command", nargs="+")
    knob = verbs.add_parser("knob", help="turn a knob")
    knob.add_argument("name")
    knob.add_argument("value")
    service = verbs.add_parser("service", help="start, stop, suspend, resume or reboot")
    service.add_argument("command")
    verbs.add_parser("down", help="end the rig")
    asked = parser.parse_args()
    rig = Rig(os.environ.get("JETSON_RIG_DIR", "/tmp/jetson-rig"))
    if asked.verb == "up":
        rig.up(asked.board, jtop_python=asked.jtop, shared=asked.share)
    elif asked.verb == "exec":
        sys.exit(rig.run(*asked.command, user=asked.user).returncode)
    elif asked.verb == "knob":
        rig.knob(asked.name, asked.value)
    elif asked.verb == "service":
        rig.service(asked.command)
    else:
        rig.down()


if __name__ == "__main__":
    main()
