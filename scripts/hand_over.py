"""What the spec's commands share: they hand over to `energy`, in whichever Python has it installed."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import NoReturn

_ROOT = Path(__file__).resolve().parents[1]


def hand_over(*command: str) -> NoReturn:
    """Become `energy COMMAND` with this script's own arguments. Does not return."""
    python = sys.executable
    if importlib.util.find_spec("duckdb") is None:
        python = str(_ROOT / ".venv" / "bin" / "python")
        if not Path(python).is_file():
            sys.exit("The libraries are not installed: run `make install`, or pip install -r requirements.txt.")
    sources = os.pathsep.join([str(_ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    arguments = [python, "-m", "energy_analytics", *command, *sys.argv[1:]]
    os.execve(python, arguments, os.environ | {"PYTHONPATH": sources})  # noqa: S606  # nosec B606
