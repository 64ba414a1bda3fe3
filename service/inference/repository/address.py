"""Lists and reads the models at an address, such as that of an object store or of a web server."""

import errno
import json
import logging
import re
from pathlib import Path
from typing import Any

from service.inference.errors import MissingExtra, ModelError, SettingsError
from service.inference.program import command, install_command
from service.inference.repository.cards import rename_remedy
from service.inference.repository.default_version import DEFAULT_FILE

_log = logging.getLogger(__name__)

CARD_FILE = "card.json"
_INDEX_FILE = "index.json"
# Web servers have no common way to list a folder.
_WITHOUT_LISTING = ("http", "https")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_NAME = re.compile(r"[^./\\\0][^/\\\0]*")
_MAX_CAUSE = 200
# Of writing a download; file systems of addresses do not raise these.
_LOCAL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class ModelAddress:
    """An address that holds models, read with fsspec.

    Args:
        url: The address.

    Attributes:
        shown: The address without a password, for messages.

    Raises:
        MissingExtra: A package for this kind of address is not installed.
        SettingsError: There is no such kind of address.
    """

    def __init__(self, url: str) -> None:
        self._protocol = url.partition(":")[0]
        self.shown = re.sub(r"//[^/@]*@", "//", url)
        try:
            import fsspec
        except ImportError as error:
            raise MissingExtra(
                f"models at {self.shown} need the packages fsspec and aiohttp: "
                f"{install_command('fsspec', 'aiohttp')}"
            ) from error
        try:
            self._files, self._root = fsspec.url_to_fs(url, use_listings_cache=False)
        except ImportError as error:
            raise self._missing_package() from error
        except ValueError as error:
            raise SettingsError(
                f"LECTERN_MODELS: {error}; use a folder, or an address that fsspec reads"
            ) from error

    def versions(self) -> dict[str, list[int]]:
        """Return the numbers of the versions by the name of their model; log names such as ``007``.

        Raises:
            ModelError: They cannot be read, or there are none.
        """
        if self._protocol in _WITHOUT_LISTING:
            pairs = [(str(row["name"]), str(row["version"])) for row in self._index()]
        else:
            paths = self._call(self._files.glob, f"{self._root}/*/*/{CARD_FILE}")
            pairs = [tuple(path.split("/")[-3:-1]) for path in paths]
        found: dict[str, list[int]] = {}
        for name, version in pairs:
            if not _NAME.fullmatch(name):
                continue
            if _VERSION.fullmatch(version):
                found.setdefault(name, []).append(int(version))
            elif remedy := rename_remedy(version):
                _log.warning("%s/%s/%s: %s", self.shown, name, version, remedy)
        if not found:
            raise ModelError(
                f"{self.shown} holds no models; upload some in the layout NAME/VERSION/{CARD_FILE}"
            )
        return found

    def defaults(self) -> dict[str, int]:
        """Return the declared default versions by the name of their model; what is no version counts as none.

        Raises:
            ModelError: They cannot be read.
        """
        if self._protocol in _WITHOUT_LISTING:
            texts = {str(row["name"]): str(row["version"]) for row in self._index() if row.get("default")}
        else:
            paths = self._call(self._files.glob, f"{self._root}/*/{DEFAULT_FILE}")
            contents = {path.split("/")[-2]: self._call(self._files.cat_file, path) for path in paths}
            texts = {name: content.decode(errors="replace") for name, content in contents.items()}
        return {name: int(text) for name, text in texts.items() if _VERSION.fullmatch(text.strip())}

    def read(self, path: str) -> bytes:
        """Return the content of a file below the address."""
        content: bytes = self._call(self._files.cat_file, f"{self._root}/{path}")
        return content

    def download(self, path: str, target: Path) -> None:
        """Copy a file below the address."""
        self._call(self._files.get_file, f"{self._root}/{path}", str(target))

    def _index(self) -> list[dict[str, Any]]:
        """Return the rows of a web server's list; each has ``name`` and ``version``."""
        try:
            rows: list[dict[str, Any]] = json.loads(self.read(_INDEX_FILE))
            if not all({"name", "version"} <= row.keys() for row in rows):
                raise ValueError("a row lacks one of them")
            return rows
        except (ValueError, TypeError, AttributeError) as error:
            raise ModelError(
                f"{self.shown}/{_INDEX_FILE} is no list of objects with name and version; write it with "
                f"'{command('models', '--json')}'"
            ) from error

    def _call(self, read: Any, path: str, *arguments: str) -> Any:
        try:
            return read(path, *arguments)
        except ImportError as error:
            raise self._missing_package() from error
        except Exception as error:  # The errors of fsspec's file systems have no common base class.
            if isinstance(error, OSError) and error.errno in _LOCAL_ERRORS:
                raise
            cause = f"{type(error).__name__}: {error}".replace(self._root, self.shown)
            place, cause = path.replace(self._root, self.shown), " ".join(cause.split())[:_MAX_CAUSE]
            raise ModelError(
                f"{place} cannot be read ({cause}); check the address and the network"
            ) from error

    def _missing_package(self) -> MissingExtra:
        return MissingExtra(
            f"models at {self.shown} need another package: {install_command(f'fsspec[{self._protocol}]')}"
        )
