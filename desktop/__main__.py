"""Starts the app by ``python -m desktop`` and as the stand-alone program."""

import sys

from desktop.cli import desktop
from service.inference.errors import LecternError

if __name__ == "__main__":
    try:
        desktop(prog_name="lectern-desktop")
    except LecternError as error:
        sys.exit(f"lectern-desktop: {error}")
