"""Reads from the folder of a model the cards of its versions, and which version is the default."""

import re
from collections.abc import Collection
from pathlib import Path
from string import digits

from service.inference.card import Card, read_card
from service.inference.errors import CardError, ModelError
from service.inference.repository.default_version import read_default

_PADDED = re.compile(r"0+(?P<number>[0-9]*)")


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder, or a link to nothing, which is reported when it is read.

    Folders whose name begins with a dot are exports and downloads in progress.
    """
    return not path.name.startswith(".") and (path.is_dir() or (path.is_symlink() and not path.exists()))


def rename_remedy(name: str) -> str:
    """Return what to do with a folder such as ``007``, which no request can name; empty for other names."""
    padded = _PADDED.fullmatch(name)
    if padded is None:
        return ""
    number = padded["number"]
    return f"{f'write the version as {number}' if number else 'versions begin at 1'}; rename the folder"


def read_cards(
    folder: Path, versions: Collection[int] | None
) -> tuple[dict[int, Card], dict[str, ModelError]]:
    """Return the cards by version, and the errors of the others by the name of their folder."""
    cards: dict[int, Card] = {}
    problems: dict[str, ModelError] = {}
    try:
        paths = [path for path in folder.iterdir() if path.name[0] in digits and is_folder(path)]
    except OSError as error:
        cause = error.strerror or "unknown error"
        return {}, {
            "": ModelError(f"{folder.name}: cannot be read ({cause}); check the folder's permissions")
        }
    if versions is not None:
        paths = [path for path in paths if path.name in set(map(str, versions))]
    for path in sorted(paths):
        try:
            if remedy := rename_remedy(path.name):
                raise CardError(f"{folder.name}/{path.name}: {remedy}")
            card = read_card(path / "card.json")
            if (card.name, str(card.version)) != (folder.name, path.name):
                raise CardError(
                    f"{folder.name}/{path.name}/card.json: says {card.name} version {card.version}, "
                    f"but is in {folder.name}/{path.name}; rename the folder"
                )
        except ModelError as error:
            problems[path.name] = without_traceback(error)
        else:
            cards[card.version] = card
    return cards, problems


def read_declared(folder: Path) -> tuple[int | None, str]:
    """Return the version that a folder declares as the default, and what is wrong with the declaration."""
    try:
        return read_default(folder), ""
    except ModelError as error:
        return None, str(error)


def without_traceback(error: ModelError) -> ModelError:
    """Return an error without a traceback, which would keep alive what its frames hold."""
    return type(error)(str(error))
