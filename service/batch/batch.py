"""Runs a batch: prepares its folder, predicts the missing shards, and marks the folder as complete."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from filelock import FileLock, Timeout

from service.batch.errors import FolderInUse, TooManyErrors
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
from service.batch.pool import Died, Done, Pool
from service.batch.results import count_errors
from service.batch.schedule import Schedule
from service.batch.shard import Job
from service.batch.sources import Input, list_inputs
from service.batch.storage import stamp
from service.batch.tables import find_column
from service.inference.files import write_atomically

Existing = Literal["refuse", "resume", "overwrite"]
_LOCK = ".lock"


@dataclass(frozen=True)
class ErrorLimit:
    """How many inputs may fail.

    Attributes:
        number: Number of inputs, or per cent of all.
        is_share: Whether it is per cent.
    """

    number: float
    is_share: bool = False

    def of(self, count: int) -> int:
        """Return the number of inputs of so many that may fail."""
        return int(count * self.number / 100) if self.is_share else int(self.number)


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


class Batch:
    """A batch and the folder of its results."""

    def __init__(self, folder: Path, settings: Settings, *, texts: bool, existing: Existing) -> None:
        """Prepare the folder.

        Args:
            folder: Folder of the results; it is created.
            settings: What decides the results.
            texts: Whether the model reads texts.
            existing: What to do with a batch that the folder has.

        Raises:
            FolderInUse: The folder has another batch, an unfinished one, or other files.
            SourceError: A source does not exist, is damaged, or has no inputs.
            OSError: The folder cannot be written.
        """
        self.folder = folder
        self._texts = texts
        folder.mkdir(parents=True, exist_ok=True)
        found = None if existing == "overwrite" else read_manifest(folder)
        if found is None:
            self._empty(allowed=existing == "overwrite")
            found = self._begin(settings)
        else:
            self._compare(found, settings)
            if existing == "refuse" and not self.is_finished:
                raise FolderInUse(
                    f"{folder}: has an unfinished batch; --resume goes on, --overwrite begins again"
                )
        self.manifest: Manifest = found

    @property
    def is_finished(self) -> bool:
        """Whether all results are there."""
        return (self.folder / SUCCESS).exists()

    def finished_summary(self) -> Summary:
        """Return how a batch that is finished has ended."""
        document = json.loads((self.folder / SUCCESS).read_bytes())
        return Summary(document["inputs"], document["errors"])

    def run(
        self, job: Job, make_pool: Callable[[Job], Pool], *, limit: ErrorLimit, advance: Callable[[int], None]
    ) -> Summary:
        """Predict the shards that are missing.

        Args:
            job: What every worker needs.
            make_pool: Starts the processes.
            limit: How many inputs may fail.
            advance: Called with the number of inputs that were finished.

        Returns:
            How the batch has ended.

        Raises:
            TooManyErrors: More inputs fail than allowed; the results until then are kept.
            LecternError: The model cannot be loaded, or results cannot be written.
        """
        manifest, start = self.manifest, time.monotonic()
        missing, errors = [], 0
        for shard in range(manifest.shards):
            if (path := self._part(shard)).exists():
                errors += count_errors(path)
                advance(manifest.size(shard))
            else:
                missing.append(shard)
        self._check(errors, limit)
        if missing:
            pool = make_pool(job)
            try:
                for size, failed in _events(Schedule(missing, manifest.size), pool):
                    errors += failed
                    advance(size)
                    self._check(errors, limit)
            finally:
                pool.close()
        predicted = sum(map(manifest.size, missing))
        summary = Summary(manifest.count, errors, predicted, time.monotonic() - start)
        document = {"inputs": summary.count, "errors": summary.errors}
        write_atomically(self.folder / SUCCESS, json.dumps(document).encode() + b"\n")
        return summary

    def _part(self, shard: int) -> Path:
        return self.folder / part_name(shard, self.manifest.settings.format)

    def _check(self, errors: int, limit: ErrorLimit) -> None:
        allowed = limit.of(self.manifest.count)
        if errors > allowed:
            raise TooManyErrors(
                f"{self.folder}: {errors} inputs have failed, and --max-errors allows {allowed}; the column "
                "error of the results says why. --resume with a higher limit goes on"
            )

    def _empty(self, *, allowed: bool) -> None:
        """Delete the files of an earlier batch; files of something else are left alone, and are an error."""
        state = self.folder / STATE
        files = sorted(path for path in self.folder.iterdir() if path not in (state, self.folder / _LOCK))
        others = [path for path in files if not _is_ours(path.name)]
        if others or (files and not (allowed and state.is_dir())):
            name = (others or files)[0].name
            raise FolderInUse(f"{self.folder}: has other files, such as {name}; choose an empty folder")
        # The manifest first, so that a kill in between leaves no batch that seems to be whole, and then what
        # shows that the files are those of a batch.
        remove_manifest(self.folder)
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

        count, digest = write_inputs(self.folder, noted(), shard_size=settings.shard_size)
        manifest = Manifest(settings=settings, count=count, inputs_sha256=digest, stamps=stamps)
        write_manifest(self.folder, manifest)
        return manifest

    def _compare(self, found: Manifest, settings: Settings) -> None:
        names = [
            field.name
            for field in msgspec.structs.fields(Settings)
            if getattr(found.settings, field.name) != getattr(settings, field.name)
        ]
        if names:
            raise FolderInUse(
                f"{self.folder}: has a batch with another {', '.join(names)}; choose another folder, or "
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


def resume_hint(folder: Path) -> str:
    """Return what to say when a batch is interrupted."""
    return f"the results in {folder} are kept, and the same command with --resume goes on"


def _events(schedule: Schedule, pool: Pool) -> Iterator[tuple[int, int]]:
    """Run all tasks; yield the number of inputs and of errors of each shard that is finished."""
    while not schedule.is_finished:
        while pool.has_room and (task := schedule.next()):
            pool.start(task)
        for event in pool.wait():
            match event:
                case Done(task, errors):
                    schedule.done(task)
                    if not task.trial:
                        yield task.stop - task.start, errors
                case Died(task, cause):
                    schedule.died(task, cause)
                case returned:
                    schedule.returned(returned.task)


def _is_ours(name: str) -> bool:
    # A process that was killed leaves a temporary file behind, whose name begins with a dot.
    return bool(re.fullmatch(r"\.?(part-\d{5,}\.(parquet|jsonl)|_SUCCESS)(\..+)?", name))
