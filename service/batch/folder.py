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
    SUCCESS,
    Manifest,
    Settings,
    has_manifest,
    part_name,
    read_manifest,
    remove_manifest,
    write_inputs,
    write_manifest,
)
from service.batch.sources import STATE, Input, list_inputs
from service.batch.storage import is_remote, stamp
from service.batch.tables import find_column
from service.inference.files import printable, write_atomically

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
        FolderInUse: Another process works on it, or it has other files.
    """
    existed = folder.exists()
    with suppress(OSError):  # Whatever is written to the folder fails too, with a message of its own.
        folder.mkdir(parents=True, exist_ok=True)
        _check_files(folder)
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
        with suppress(OSError):
            if [path.name for path in folder.iterdir()] == [_LOCK]:  # no batch has begun
                (folder / _LOCK).unlink()
                if not existed:
                    folder.rmdir()
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
            self._check_earlier(allowed=existing == "overwrite")
            self.manifest = self._begin(settings)
        else:
            self.manifest = found
            self._compare(settings)
            if not self.is_finished:
                self._go_on(existing)

    @property
    def is_finished(self) -> bool:
        """Whether all results are there."""
        parts = map(self.part, range(self.manifest.shards))
        return self._read_summary() is not None and all(part.exists() for part in parts)

    def finished_summary(self) -> Summary:
        """Return how a batch that is finished has ended."""
        summary = self._read_summary()
        assert summary is not None
        return summary

    def finish(self, summary: Summary) -> None:
        """Delete what killed processes have left, and mark the results as complete.

        Raises:
            FolderInUse: A source has changed while the batch ran.
        """
        self._check_sources()
        for path in self.path.glob(".part-*"):
            path.unlink(missing_ok=True)
        document = {"inputs": summary.count, "errors": summary.errors}
        write_atomically(self.path / SUCCESS, json.dumps(document).encode() + b"\n")

    def part(self, shard: int) -> Path:
        """Return the file of a shard's results."""
        return self.path / part_name(shard, self.manifest.settings.format)

    def _read_summary(self) -> Summary | None:
        try:
            document = json.loads((self.path / SUCCESS).read_bytes())
            return Summary(document["inputs"], document["errors"])
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _check_earlier(self, *, allowed: bool) -> None:
        """Refuse results of an earlier batch unless they are allowed, and files of something else."""
        _check_files(self.path)
        if not allowed and (files := self._earlier_files()):
            raise _other_files(self.path, files[0].name)

    def _earlier_files(self) -> list[Path]:
        return sorted(path for path in self.path.iterdir() if path.name not in (STATE, _LOCK))

    def _delete_earlier(self) -> None:
        """Delete an earlier batch but for its list of inputs, which the next one replaces."""
        # The manifest first, so that a kill in between leaves no batch that seems to be whole.
        remove_manifest(self.path)
        for path in (*self._earlier_files(), *(self.path / STATE).glob(".*")):
            path.unlink()

    def _begin(self, settings: Settings) -> Manifest:
        """List the inputs, and write the manifest.

        An earlier batch is deleted in between, so that a source that does not exist leaves it as it is.
        """
        has_earlier = has_manifest(self.path)
        if not has_earlier:  # What is left of one, and could be among the sources.
            self._delete_earlier()
            shutil.rmtree(self.path / STATE, ignore_errors=True)
        stamps, has_relative = dict[str, str](), False

        def noted() -> Iterator[Input]:
            nonlocal has_relative
            for item in list_inputs(settings.sources, texts=self._texts):
                if not is_remote(item.path) and not os.path.isabs(item.path):  # noqa: PTH117 - much faster
                    has_relative = True
                if (item.member or item.row >= 0) and item.path not in stamps:
                    stamps[item.path] = stamp(item.path)
                    if item.row >= 0:
                        find_column(item.path, texts=self._texts, wanted=settings.column)
                yield item

        try:
            count, digest = write_inputs(self.path, noted(), shard_size=settings.shard_size)
        except BaseException:
            if not has_earlier:
                shutil.rmtree(self.path / STATE, ignore_errors=True)
            raise
        if has_earlier:
            self._delete_earlier()
        manifest = Manifest(
            settings=settings,
            count=count,
            inputs_sha256=digest,
            stamps=stamps,
            working_folder=str(Path.cwd()) if has_relative else None,
        )
        write_manifest(self.path, manifest)
        return manifest

    def _compare(self, settings: Settings) -> None:
        names = [
            field.name
            for field in msgspec.structs.fields(Settings)
            if getattr(self.manifest.settings, field.name) != getattr(settings, field.name)
        ]
        if names:
            raise FolderInUse(
                f"{self.path}: has a batch with another {', '.join(names)}; choose another folder, or "
                "--overwrite"
            )

    def _go_on(self, existing: Existing) -> None:
        """Prepare an unfinished batch for being continued."""
        folder = self.manifest.working_folder
        if folder is not None and folder != str(Path.cwd()):
            raise FolderInUse(
                f"{self.path}: the paths of its inputs are relative to {printable(folder)}; run the command "
                "there, or --overwrite begins again"
            )
        self._check_sources()
        if existing == "refuse":
            raise FolderInUse(
                f"{self.path}: has an unfinished batch; --resume goes on, --overwrite begins again"
            )
        (self.path / SUCCESS).unlink(missing_ok=True)  # parts have been deleted

    def _check_sources(self) -> None:
        """Check that no archive or table has changed: the list of inputs would not be that of its rows.

        Raises:
            FolderInUse: One has.
        """
        for path, mark in self.manifest.stamps.items():
            if stamp(path) != mark:
                raise FolderInUse(
                    f"{printable(path)}: has changed since the batch began; --overwrite begins again"
                )


def _check_files(folder: Path) -> None:
    """Check that all files in a folder are those of a batch.

    Raises:
        FolderInUse: One is not, or the folder has no list of inputs for the results in it.
    """
    state = folder / STATE
    files = sorted(path.name for path in folder.iterdir() if path not in (state, folder / _LOCK))
    others = [name for name in files if not _is_ours(name)] if state.is_dir() else files
    if state.is_dir():
        others += [f"{STATE}/{path.name}" for path in state.iterdir() if not _is_state(path.name)]
    if others:
        raise _other_files(folder, others[0])


def _other_files(folder: Path, name: str) -> FolderInUse:
    return FolderInUse(f"{folder}: has other files, such as {name}; choose an empty folder")


def _is_ours(name: str) -> bool:
    # A process that was killed leaves a temporary file behind, whose name begins with a dot.
    return bool(re.fullmatch(r"\.?(part-\d{5,}\.(parquet|jsonl)|_SUCCESS)(\..+)?", name))


def _is_state(name: str) -> bool:
    return bool(re.fullmatch(r"\.?(manifest\.json|inputs\.parquet)(\..+)?", name))
