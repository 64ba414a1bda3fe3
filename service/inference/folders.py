"""Lists the files of a folder and of the folders in it."""

import os
from collections.abc import Iterator, Sequence


def walk(folder: str, *, skip_unreadable: bool = False) -> Iterator[str]:
    """Yield the paths of all files in alphabetical order; hidden folders, pipes and devices are left out.

    A link to nothing is among them, so that the error of reading it is reported.

    Args:
        folder: Where to begin.
        skip_unreadable: Whether folders that cannot be listed are left out.

    Raises:
        OSError: A folder cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=None if skip_unreadable else refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(place, name)  # noqa: PTH118 - keeps a name that is not UTF-8, and a leading ./
            if os.path.isfile(path) or not os.path.exists(path):  # noqa: PTH110, PTH113
                yield path


def is_wanted(path: str, suffixes: Sequence[str]) -> bool:
    """Return whether a file has one of some suffixes in small letters, and is not hidden.

    Archives of macOS have a hidden file beside each file.
    """
    name = path.replace(os.sep, "/").rpartition("/")[2]
    return path.lower().endswith(tuple(suffixes)) and not name.startswith(".")


def files_in(folder: str, suffixes: Sequence[str], *, skip_unreadable: bool = False) -> Iterator[str]:
    """Yield the files of :func:`walk` that :func:`is_wanted` accepts; arguments and errors as there."""
    return (path for path in walk(folder, skip_unreadable=skip_unreadable) if is_wanted(path, suffixes))
