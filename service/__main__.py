"""Starts the command line: it handles signals before it imports anything that takes time."""

import os
import signal
import sys


def main() -> None:
    """Run the command line. A signal during the imports ends the process without a traceback.

    The first process of a container gets no signal for which it has no handler. The supervisor of the server
    replaces these handlers.
    """
    if sys.argv[1:2] == ["serve"]:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _: os._exit(128 + received))
    try:
        from service import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
