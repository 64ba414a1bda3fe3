"""Owns the command ``desktop``."""

import ctypes
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

from service.inference.errors import LecternError, MissingExtra

_SYSTEM_LIBRARIES = (
    "libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 "
    "libxcb-shape0 libxkbcommon-x11-0"
)
# Qt's X11 plugin is loaded only when the window is opened, and these with it.
_LOADED_FOR_X11 = (
    "libxcb-cursor.so.0",
    "libxcb-icccm.so.4",
    "libxcb-keysyms.so.1",
    "libxcb-shape.so.0",
    "libxkbcommon-x11.so.0",
)


class MissingSystemLibrary(LecternError):
    """Qt is installed, but not what it needs of the operating system."""

    code = "missing_system_library"


class MissingDisplay(LecternError):
    """There is no screen to open a window on."""

    code = "missing_display"


@click.command(epilog="Example: lectern desktop --server http://lecture-hall:3000")
@click.option(
    "--server", metavar="URL", help="Ask this server, this time; otherwise the one set in Preferences."
)
@click.option("--offline", is_flag=True, help="Look for no server; everything is computed on this computer.")
def desktop(server: str | None, offline: bool) -> None:
    """Open the desktop app: draw a digit, drop a picture, write a review.

    Without a server it reads on this computer, with the same models.
    """
    run = _import_app()
    from desktop.settings import problem_with_server

    problem = None if server is None else problem_with_server(server)
    if problem is not None:
        raise click.BadParameter(problem, param_hint="--server")
    folder = os.environ.get("LECTERN_MODELS")
    sys.exit(run(models=Path(folder) if folder else None, server=server, offline=offline))


def _import_app() -> Callable[..., int]:
    """Import Qt, which fails in ways that deserve an answer rather than a traceback."""
    try:
        if sys.platform == "linux":
            _check_display()
        from desktop.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "PySide6":
            raise
        raise MissingExtra(
            "lectern desktop needs the package PySide6: pip install 'lectern[desktop]'"
        ) from error
    except ImportError as error:
        library = re.match(r"(lib[\w.+-]+): cannot open shared object file", str(error))
        if library is None:
            raise
        raise _missing_library(library[1]) from error
    return run


def _check_display() -> None:
    """Find out what Qt would end the whole process over, without a word that helps."""
    if os.environ.get("QT_QPA_PLATFORM"):
        return
    if not os.environ.get("WAYLAND_DISPLAY") and not os.environ.get("DISPLAY"):
        raise MissingDisplay(
            "there is no screen (DISPLAY is not set); start lectern desktop from a graphical session"
        )
    if not os.environ.get("WAYLAND_DISPLAY"):
        for library in _LOADED_FOR_X11:
            try:
                ctypes.CDLL(library)
            except OSError as error:
                raise _missing_library(library) from error


def _missing_library(name: str) -> MissingSystemLibrary:
    return MissingSystemLibrary(f"Qt needs {name} of the system: sudo apt-get install -y {_SYSTEM_LIBRARIES}")
