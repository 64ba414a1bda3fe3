"""Reads a file of named API keys."""

import re
from pathlib import Path

from service.inference.errors import SettingsError
from service.inference.files import read_regular

# A name is written into the access log as it is.
_LINE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,63})\s*[:=]\s*(?P<key>[!-~]+)")

_MAX_BYTES = 1_000_000


def read_key_file(path: Path) -> dict[str, str]:
    """Return the name of each API key in a file.

    Args:
        path: Holds one ``name: key`` or ``name=key`` a line; empty lines and lines that begin with ``#`` are
            ignored. Several keys can have the same name, so that a key can be replaced step by step.

    Returns:
        Names by key, at least one.

    Raises:
        SettingsError: The file cannot be read, is no regular file or larger than 1 MB, a line is wrong, or
            there is no key. Names the file and the line, never a key.
    """
    try:
        lines = read_regular(path, max_bytes=_MAX_BYTES).decode("utf-8-sig").splitlines()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); it holds the API keys") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text; write one 'name: key' a line") from error
    names: dict[str, str] = {}
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise SettingsError(
                f"{path}, line {number}: is not 'name: key'; a name has letters, digits and ._-, "
                "a key has ASCII characters without spaces"
            )
        if names.setdefault(match["key"], match["name"]) != match["name"]:
            raise SettingsError(f"{path}, line {number}: another name has the same key; choose a new key")
    if not names:
        raise SettingsError(f"{path}: holds no key; write one 'name: key' a line")
    return names
