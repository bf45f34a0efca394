"""`python -m tests.emulator`: AWS on this machine for a person, until Ctrl-C."""

import argparse
import shlex
import signal
import sys
import tempfile
from pathlib import Path

from .functions import RUNTIME
from .process import EmulatorError, start


def main() -> int:
    """Start it, print what to export, wait."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulator", description="AWS on this machine, until Ctrl-C.")
    parser.add_argument("--port", type=int, default=4566, help="the port on 127.0.0.1 (4566)")
    arguments = parser.parse_args()
    if not 0 <= arguments.port <= 65535:
        parser.error(f"{arguments.port} is no port: give one from 1024 to 65535")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with tempfile.TemporaryDirectory(prefix="emulator-") as folder, start(Path(folder), port=arguments.port) as aws:
            print("# The emulator runs until Ctrl-C, its log is", aws.log)  # noqa: T201
            print("# In another terminal:")  # noqa: T201
            for name, value in (aws.environment() | {"ENERGY_AWS__RUNTIME": RUNTIME}).items():
                print(f"export {name}={shlex.quote(value)}", flush=True)  # noqa: T201
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except EmulatorError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
