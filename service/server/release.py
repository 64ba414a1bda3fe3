"""Tells the release of the server."""

from importlib.metadata import PackageNotFoundError, version


def server_version() -> str:
    """Return the release of this server."""
    try:
        return version("lectern")
    except PackageNotFoundError:
        return "unknown"  # a bento holds the modules, but does not install the package
