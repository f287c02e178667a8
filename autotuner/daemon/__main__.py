"""Start a private daemon: ``python -m autotuner.daemon STATE_DIR SOCKET``."""

import sys
from pathlib import Path

from autotuner.daemon.server import serve_privately

serve_privately(Path(sys.argv[1]), Path(sys.argv[2]))
