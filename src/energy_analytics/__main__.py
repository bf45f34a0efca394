"""The command `energy`, and `python -m energy_analytics`."""

import signal


def main() -> None:
    """Run the command line. Until it is loaded, Ctrl-C ends the process as it ends any other: without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .cli import main as run

    run()


if __name__ == "__main__":
    main()
