"""The emulator's own process: correct ministack, then run it."""

import os
import signal
import threading


def main() -> None:
    """Run until told to stop, or until whoever started this is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from ministack import app

    from . import corrections

    corrections.apply()
    app.main()


def _end_with_parent() -> None:
    """Wait for the end of standard input, which the starter holds open, then end this process group."""
    while os.read(0, 1024):
        pass
    os.killpg(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
