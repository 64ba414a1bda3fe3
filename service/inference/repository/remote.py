"""Downloads models from an object store or a web server into a local folder, and checks every file."""

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from service.inference.card import TEXT_KINDS, Card, parse_card
from service.inference.errors import CardError, ChecksumMismatch, MissingExtra, ModelError, SettingsError
from service.inference.explain import FILE_NAME as EXPLANATION_FILE
from service.inference.files import check_sha256
from service.inference.precision import INT8_FILE, NETWORK_FILE
from service.inference.repository.address import CARD_FILE, ModelAddress
from service.inference.repository.checks import VOCABULARY_FILE, read_vocabulary
from service.inference.repository.default_version import DEFAULT_FILE, write_default

_log = logging.getLogger(__name__)

_PREFIX = ".download-"
_LEFTOVER_S = 24 * 3600
_REMEDY = "upload the version again under a new number"

Problems = dict[str, dict[str, ModelError]]


class RemoteModels:
    """Models at an address with the layout ``<name>/<version>/``, and their copies in a local folder.

    A version is immutable: its copy is used as long as its card is the same, and a changed card is refused.

    Args:
        url: An address that fsspec reads, such as ``s3://bucket/models``. A web server needs ``index.json``
            with a list of objects with ``name`` and ``version``, and ``default`` for a declared default
            version, as ``lectern models --json`` prints it.
        cache: Holds a folder for each address.
        keep: Whether to keep the copies of versions that are no longer at the address.

    Attributes:
        folder: The copies; a folder of models.

    Raises:
        SettingsError: The cache is in the home folder of a user who has none.
    """

    def __init__(self, url: str, *, cache: Path, keep: bool = False) -> None:
        self._url = url.rstrip("/")
        self._keep = keep
        try:
            self.folder = cache.expanduser() / hashlib.sha256(self._url.encode()).hexdigest()[:16]
        except RuntimeError as error:
            raise SettingsError(
                f"{cache}: this user has no home folder; set LECTERN_MODEL_CACHE to another folder"
            ) from error

    def fetch(self) -> Problems:
        """Download the versions that are missing, and delete those that are no longer at the address.

        If the address cannot be reached, the copies of an earlier download are used, and the log says so.

        Returns:
            Why versions cannot be used, by model and version.

        Raises:
            MissingExtra: A package for this kind of address is not installed.
            SettingsError: There is no such kind of address, or the cache cannot be written.
            ModelError: The address cannot be reached, and nothing has been downloaded before.
        """
        try:
            source = ModelAddress(self._url)
            versions, defaults = source.versions(), source.defaults()
        except (ModelError, MissingExtra) as error:
            if not any(self.folder.glob(f"[!.]*/[0-9]*/{CARD_FILE}")):
                raise
            _log.warning("%s; the models that were downloaded earlier are used", error)
            return {}
        _make_folder(self.folder)
        self._delete_leftovers()
        problems: Problems = {}
        for name, numbers in versions.items():
            for number in numbers:
                try:
                    self._fetch_version(source, name, number)
                except ModelError as error:
                    _log.warning("%s", error)
                    # A copy of an earlier download stays in use.
                    if not (self.folder / name / str(number)).is_dir():
                        problems.setdefault(name, {})[str(number)] = type(error)(str(error))
            self._declare(name, defaults)
        if not self._keep:
            self._delete_others(versions)
        return problems

    def fetch_model(self, name: str) -> None:
        """Download the versions of a model that are missing; does nothing if the address has no such model.

        Args:
            name: Is only compared with the names at the address.

        Raises:
            ModelError: The address cannot be reached, or a version cannot be used.
            MissingExtra, SettingsError: As in :meth:`fetch`.
        """
        source = ModelAddress(self._url)
        _make_folder(self.folder)
        versions = source.versions()
        if name not in versions:
            return
        for number in versions[name]:
            self._fetch_version(source, name, number)
        self._declare(name, source.defaults())

    def _declare(self, name: str, defaults: Mapping[str, int]) -> None:
        """Store which version the address declares as the default one."""
        folder = self.folder / name
        if name in defaults and folder.is_dir():
            write_default(folder, defaults[name])
        else:
            (folder / DEFAULT_FILE).unlink(missing_ok=True)

    def _fetch_version(self, source: ModelAddress, name: str, version: int) -> None:
        target = self.folder / name / str(version)
        content = source.read(f"{name}/{version}/{CARD_FILE}")
        card = _parse(content, name=name, version=version)
        if (target / CARD_FILE).is_file():
            if (target / CARD_FILE).read_bytes() != content:
                raise ChecksumMismatch(
                    f"{name}/{version} has changed at {source.shown} since it was downloaded; {_REMEDY}, or "
                    "delete its folder in LECTERN_MODEL_CACHE"
                )
            if _is_right(target, card, content):
                return
        try:
            self._download(source, target, card, content)
        except OSError as error:
            raise _not_written(f"{name}/{version}", error) from error

    def _download(self, source: ModelAddress, target: Path, card: Card, content: bytes) -> None:
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=self.folder) as temporary:
            place = Path(temporary) / card.name / str(card.version)
            place.mkdir(parents=True)
            target.parent.mkdir(exist_ok=True)
            (place / CARD_FILE).write_bytes(content)
            for file in _files(card):
                source.download(f"{card.name}/{card.version}/{file}", place / file)
            _check(place, card)
            try:
                os.replace(place, target)
            except OSError:  # There is a damaged copy, or that of another process, which was faster.
                if not _is_right(target, card, content):
                    shutil.rmtree(target, ignore_errors=True)
                    os.replace(place, target)

    def _delete_leftovers(self) -> None:
        """Delete downloads that a killed process has left."""
        for path in self.folder.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):  # Another process has deleted it.
                if path.stat().st_mtime < time.time() - _LEFTOVER_S:
                    shutil.rmtree(path)

    def _delete_others(self, versions: Mapping[str, list[int]]) -> None:
        for path in self.folder.glob("[!.]*/[0-9]*/"):
            if path.name not in map(str, versions.get(path.parent.name, ())):
                shutil.rmtree(path, ignore_errors=True)


def _parse(content: bytes, *, name: str, version: int) -> Card:
    source = f"{name}/{version}/{CARD_FILE}"
    try:
        card = parse_card(msgspec.json.decode(content), source=source)
    except msgspec.DecodeError as error:
        raise CardError(f"{source}: is not JSON ({error}); {_REMEDY}") from error
    if (card.name, card.version) != (name, version):
        raise CardError(f"{source}: says {card.name} version {card.version}; {_REMEDY}")
    return card


def _files(card: Card) -> dict[str, str]:
    """Return the files of a version besides its card, with their SHA-256; empty if the card has none."""
    files = {NETWORK_FILE: card.onnx.sha256}
    if card.quantized is not None:
        files[INT8_FILE] = card.quantized.sha256
    if card.explanation is not None:
        files[EXPLANATION_FILE] = card.explanation.sha256
    if card.input.preprocessing in TEXT_KINDS:
        files[VOCABULARY_FILE] = ""
    return files


def _is_right(folder: Path, card: Card, content: bytes) -> bool:
    """Return whether a copy has the content of the card, and its files are those of the card."""
    try:
        _check(folder, card)
        return (folder / CARD_FILE).read_bytes() == content
    except (ModelError, OSError):
        return False


def _not_written(version: str, error: OSError) -> ModelError:
    return ModelError(
        f"{version}: its copy cannot be written ({error.strerror}); free space, or set LECTERN_MODEL_CACHE "
        "to another folder"
    )


def _check(folder: Path, card: Card) -> None:
    for file, checksum in _files(card).items():
        if checksum:
            check_sha256(folder / file, checksum, remedy=_REMEDY)
        else:
            read_vocabulary(folder, card)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{folder} cannot be written ({error.strerror}); set LECTERN_MODEL_CACHE to another folder"
        ) from error
