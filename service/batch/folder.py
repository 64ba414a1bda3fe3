"""Prepares the folder of a batch's results, and protects what else is in it."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from filelock import FileLock, Timeout

from service.batch.errors import FolderInUse
from service.batch.manifest import (
    STATE,
    SUCCESS,
    Manifest,
    Settings,
    part_name,
    read_manifest,
    remove_manifest,
    write_inputs,
    write_manifest,
)
from service.batch.sources import Input, list_inputs
from service.batch.storage import stamp
from service.batch.tables import find_column
from service.inference.files import write_atomically

Existing = Literal["refuse", "resume", "overwrite"]
_LOCK = ".lock"


@dataclass(frozen=True)
class Summary:
    """How a batch has ended.

    Attributes:
        count: Number of inputs.
        errors: Inputs without a prediction.
        predicted: Inputs that this run has predicted; fewer than ``count`` after ``--resume``.
        seconds: Time that this run took for them.
    """

    count: int
    errors: int
    predicted: int = 0
    seconds: float = 0.0


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from working on a folder of results.

    Raises:
        FolderInUse: Another process works on it.
    """
    with suppress(OSError):  # Whatever is written to the folder fails too, with a message of its own.
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise FolderInUse(
            f"{folder}: another process works on this batch; wait until it ends, or choose another folder"
        ) from None
    except OSError:
        yield
        return
    try:
        yield
    finally:
        lock.release()


class ResultsFolder:
    """The folder of a batch's results.

    Attributes:
        path: The folder.
        manifest: The batch.
    """

    def __init__(self, path: Path, settings: Settings, *, texts: bool, existing: Existing) -> None:
        """Prepare the folder.

        Args:
            path: The folder; it is created.
            settings: What decides the results.
            texts: Whether the model reads texts.
            existing: What to do with a batch that the folder has.

        Raises:
            FolderInUse: The folder has another batch, an unfinished one, or other files.
            SourceError: A source does not exist, is damaged, or has no inputs.
            OSError: The folder cannot be written.
        """
        self.path = path
        self._texts = texts
        path.mkdir(parents=True, exist_ok=True)
        found = None if existing == "overwrite" else read_manifest(path)
        if found is None:
            self._empty(allowed=existing == "overwrite")
            found = self._begin(settings)
        else:
            self._compare(found, settings)
            if existing == "refuse" and not self.is_finished:
                raise FolderInUse(
                    f"{path}: has an unfinished batch; --resume goes on, --overwrite begins again"
                )
        self.manifest: Manifest = found

    @property
    def is_finished(self) -> bool:
        """Whether all results are there."""
        return (self.path / SUCCESS).exists()

    def finished_summary(self) -> Summary:
        """Return how a batch that is finished has ended."""
        document = json.loads((self.path / SUCCESS).read_bytes())
        return Summary(document["inputs"], document["errors"])

    def finish(self, summary: Summary) -> None:
        """Delete what killed processes have left, and mark the results as complete."""
        for path in self.path.glob(".part-*"):
            path.unlink(missing_ok=True)
        document = {"inputs": summary.count, "errors": summary.errors}
        write_atomically(self.path / SUCCESS, json.dumps(document).encode() + b"\n")

    def part(self, shard: int) -> Path:
        """Return the file of a shard's results."""
        return self.path / part_name(shard, self.manifest.settings.format)

    def _empty(self, *, allowed: bool) -> None:
        """Delete the files of an earlier batch; files of something else are left alone, and are an error."""
        state = self.path / STATE
        files = sorted(path for path in self.path.iterdir() if path not in (state, self.path / _LOCK))
        others = [path for path in files if not _is_ours(path.name)]
        if others or (files and not (allowed and state.is_dir())):
            name = (others or files)[0].name
            raise FolderInUse(f"{self.path}: has other files, such as {name}; choose an empty folder")
        # The manifest first, so that a kill in between leaves no batch that seems to be whole, and then what
        # shows that the files are those of a batch.
        remove_manifest(self.path)
        for path in files:
            path.unlink()
        shutil.rmtree(state, ignore_errors=True)

    def _begin(self, settings: Settings) -> Manifest:
        stamps = dict[str, str]()

        def noted() -> Iterator[Input]:
            for item in list_inputs(settings.sources, texts=self._texts):
                if (item.member or item.row >= 0) and item.path not in stamps:
                    stamps[item.path] = stamp(item.path)
                    if item.row >= 0:
                        find_column(item.path, texts=self._texts, wanted=settings.column)
                yield item

        count, digest = write_inputs(self.path, noted(), shard_size=settings.shard_size)
        manifest = Manifest(settings=settings, count=count, inputs_sha256=digest, stamps=stamps)
        write_manifest(self.path, manifest)
        return manifest

    def _compare(self, found: Manifest, settings: Settings) -> None:
        names = [
            field.name
            for field in msgspec.structs.fields(Settings)
            if getattr(found.settings, field.name) != getattr(settings, field.name)
        ]
        if names:
            raise FolderInUse(
                f"{self.path}: has a batch with another {', '.join(names)}; choose another folder, or "
                "--overwrite"
            )
        changed = [
            path for path, mark in found.stamps.items() if not self.is_finished and stamp(path) != mark
        ]
        if changed:
            raise FolderInUse(
                f"{os.fsencode(changed[0]).decode('utf-8', 'replace')}: has changed since the batch began; "
                f"--overwrite begins again"
            )


def _is_ours(name: str) -> bool:
    # A process that was killed leaves a temporary file behind, whose name begins with a dot.
    return bool(re.fullmatch(r"\.?(part-\d{5,}\.(parquet|jsonl)|_SUCCESS)(\..+)?", name))
