"""Keeps the files of a running server in a private folder: metrics, temporary files, BentoML's home."""

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from service.inference.errors import SettingsError

if os.name != "nt":
    import fcntl

_PREFIX = "lectern-"
# prometheus-client keeps the values of a worker in a mapped file for each type of metric. On a full disk, the
# first change of a page that has no disk space yet would end the worker with SIGBUS. So the files get their
# space before the worker starts. A histogram takes 3 kB for each pair of a route and a model, so that these
# sizes are enough for some hundred models.
_METRICS_FILES = {"counter": 1 << 20, "histogram": 2 << 20, "gauge_livesum": 1 << 20}


class RuntimeFolder:
    """The folder of one running server, which only its user can read; it is removed at the end.

    A server that was killed leaves its folder behind. The next server of the same user removes it: the lock
    on such a folder is free.

    Attributes:
        path: The folder.
    """

    def __init__(self) -> None:
        """Create the folder.

        Raises:
            SettingsError: No folder for temporary files can be written.
        """
        self._lock: IO[bytes] | None = None
        try:
            # mkdtemp gives the folder the mode 700.
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        except OSError as error:
            raise _unwritable(tempfile.tempdir or "no folder for temporary files", error) from error
        try:
            self._lock = (self.path / "lock.new").open("wb")
            _try_lock(self._lock)
            # Renamed when it is locked, so that no other server takes the folder for an abandoned one.
            (self.path / "lock.new").rename(self.path / "lock")
            self._metrics.mkdir()
            self._remove_abandoned()
        except OSError as error:
            self.remove()
            raise _unwritable(str(self.path), error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def prepare(self, slot: int) -> dict[str, str]:
        """Create the files of a worker.

        Args:
            slot: Number of the worker. The worker that is started in place of another one gets its number, so
                that counters continue.

        Returns:
            Environment variables of the worker.

        Raises:
            SettingsError: The files cannot be written.
        """
        temporary = self._temporary(slot)
        try:
            temporary.mkdir(exist_ok=True)
            for name, size in _METRICS_FILES.items():
                _allocate(self._metrics / f"{name}_{slot}.db", size)
        except OSError as error:
            raise _unwritable(str(self.path), error) from error
        return {
            "PROMETHEUS_MULTIPROC_DIR": str(self._metrics),
            "BENTOML_HOME": str(self.path / "bentoml"),
            "TMPDIR": str(temporary),
        }

    def clean(self, slot: int, process: int) -> None:
        """Empty the files of a worker that has ended, except counters, which must not decrease.

        They keep their space on the disk, so that another worker can start even when the disk is full.

        Args:
            slot: Number of the worker.
            process: Number of its process.
        """
        with contextlib.suppress(OSError):
            for entry in self._temporary(slot).iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink()
            # What a worker that was killed had in flight must not be counted for ever.
            for path in self._metrics.glob(f"gauge_live*_{slot}.db"):
                with path.open("r+b") as file:
                    file.write(bytes(path.stat().st_size))
            # Another process can get its number.
            for pattern in (f"connections_*_{process}", f"models_*_worker_{process}.json"):
                for path in self._metrics.glob(pattern):
                    path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    @property
    def _metrics(self) -> Path:
        return self.path / "metrics"

    def _temporary(self, slot: int) -> Path:
        return self.path / f"tmp-{slot}"

    def _remove_abandoned(self) -> None:
        for folder in self.path.parent.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):
                state = folder.lstat()
                # Other users may have put anything at other places of the temporary folder.
                if folder == self.path or not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
                    continue
                with (folder / "lock").open("rb") as lock:
                    if _try_lock(lock):
                        shutil.rmtree(folder, ignore_errors=True)


def _try_lock(stream: IO[bytes]) -> bool:
    """Lock a file until it is closed; return False if another process has locked it."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _allocate(path: Path, size: int) -> None:
    """Create a file of zeros that has its space on the disk; keep one that exists."""
    if path.exists():
        return
    incomplete = path.with_suffix(".new")
    try:
        incomplete.write_bytes(bytes(size))
    except OSError:
        incomplete.unlink(missing_ok=True)
        raise
    incomplete.replace(path)


def _unwritable(folder: str, error: OSError) -> SettingsError:
    return SettingsError(
        f"{folder}: the server cannot write its temporary files there ({error.strerror or error}); "
        "make room, or set TMPDIR to a folder that can be written"
    )
