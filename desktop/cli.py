"""Defines the command ``lectern desktop``."""

import ctypes
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

from service.inference.errors import LecternError, MissingExtra
from service.inference.program import how_to_install

# Qt's wheels contain all libraries but these. The imports of Qt load those of the first packages; the X11
# plugin loads the others when the window opens, and aborts the process if one is missing.
_IMPORT_PACKAGES = ("libegl1", "libgl1", "libglib2.0-0", "libxkbcommon0", "libdbus-1-3", "libfontconfig1")
_X11_LIBRARIES = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}


class MissingSystemLibrary(LecternError):
    """A system library that Qt needs is not installed."""

    code = "missing_system_library"


class MissingDisplay(LecternError):
    """There is no display for the window."""

    code = "missing_display"


@click.command(epilog="Example: lectern desktop --server http://lecture-hall:3000")
@click.option("--server", metavar="URL", help="Use this server for this start, not the one of Preferences.")
@click.option("--offline", is_flag=True, help="Use no server; predict on this computer only.")
def desktop(server: str | None, offline: bool) -> None:
    """Open the desktop app to classify drawings, pictures and texts.

    Without a server it predicts on this computer, with the same models.
    """
    run = _import_app()
    from desktop.settings import complete_server_url, server_url_error

    server = None if server is None else complete_server_url(server)
    error = None if server is None else server_url_error(server)
    if error is not None:
        raise click.BadParameter(error, param_hint="--server")
    folder = os.environ.get("LECTERN_MODELS")
    sys.exit(run(models=Path(folder) if folder else None, server=server, offline=offline))


def _import_app() -> Callable[..., int]:
    """Import Qt; raise an error with the command that installs what is missing."""
    try:
        if sys.platform == "linux":
            _check_display()
        from desktop.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "PySide6":
            raise
        raise MissingExtra(
            f"lectern desktop needs the package PySide6: {how_to_install('desktop', 'desktop')}"
        ) from error
    except ImportError as error:
        library = re.match(r"(lib[\w.+-]+): cannot open shared object file", str(error))
        if library is None:
            raise
        raise _missing_library(library[1]) from error
    return run


def _check_display() -> None:
    """Check what would otherwise let Qt abort the process without a useful message."""
    if os.environ.get("QT_QPA_PLATFORM") or os.environ.get("WAYLAND_DISPLAY"):
        return
    if not os.environ.get("DISPLAY"):
        raise MissingDisplay(
            "there is no display (DISPLAY is not set); start lectern desktop from a graphical session"
        )
    for library in _X11_LIBRARIES:
        try:
            ctypes.CDLL(library)
        except OSError as error:
            raise _missing_library(library) from error


def _missing_library(name: str) -> MissingSystemLibrary:
    packages = " ".join([*_IMPORT_PACKAGES, *_X11_LIBRARIES.values()])
    return MissingSystemLibrary(
        f"Qt needs the system library {name}; install it with: sudo apt-get install -y {packages}"
    )
