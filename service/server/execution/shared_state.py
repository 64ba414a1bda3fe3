"""Shares between the worker processes of a server which versions of the models they serve."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from service.inference.files import file_version, write_atomically


class ModelState(Struct, frozen=True):
    """What all workers serve of one model.

    Attributes:
        change: Number of the change that led to this state.
        versions: The numbers in the model's folder, ascending; None if the model is unloaded.
    """

    change: int
    versions: tuple[int, ...] | None


class State(Struct, frozen=True):
    """What all workers serve, by the name of the model, and the number of the last change."""

    change: int = 0
    models: Mapping[str, ModelState] = {}


class WorkerState(Struct, frozen=True):
    """What a worker reports.

    Attributes:
        change: Number of the last change that the worker has made; -1 while it starts.
        errors: Why it could not make a change, by the name of the model.
    """

    change: int
    errors: Mapping[str, str] = {}


class SharedState:
    """Files in a private folder: one with the state, one for each worker with what it reports.

    Args:
        folder: For the files.
        server: Number that the workers of one server share, and no other server has.
        worker: Process number of this worker.
    """

    def __init__(self, folder: Path, *, server: int, worker: int) -> None:
        self._folder = folder
        self._prefix = f"models_{server}_"
        self._path = folder / f"{self._prefix}state.json"
        self._own = folder / f"{self._prefix}worker_{worker}.json"
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def of_process(cls) -> "SharedState":
        """Return the state of this process, in the folder that its server makes for all its workers.

        A process without such a folder has no other workers; its own lasts until :meth:`close`.
        """
        folder, temporary = os.environ.get("PROMETHEUS_MULTIPROC_DIR"), None
        if folder is None:
            temporary = tempfile.TemporaryDirectory(prefix="lectern-")
            folder = temporary.name
        state = cls(Path(folder), server=os.getppid(), worker=os.getpid())
        state._temporary = temporary
        return state

    def read(self) -> State | None:
        """Return the state; None if no worker has written one yet."""
        with contextlib.suppress(FileNotFoundError):
            return msgspec.json.decode(self._path.read_bytes(), type=State)
        return None

    def version(self) -> tuple[int, ...]:
        """Return numbers that differ from one state to the next; this needs no file descriptor."""
        return file_version(self._path)

    def write(self, state: State) -> None:
        """Replace the state; only while :meth:`locked` lasts."""
        write_atomically(self._path, msgspec.json.encode(state))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other workers from a change; waits until they have finished theirs."""
        file = os.open(self._folder / f"{self._prefix}lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def report(self, worker: WorkerState) -> None:
        """Report what this worker has done."""
        write_atomically(self._own, msgspec.json.encode(worker))

    def others(self) -> list[WorkerState]:
        """Return what the other workers report; files of workers that have ended are removed."""
        found = []
        for path in self._folder.glob(f"{self._prefix}worker_*.json"):
            if path == self._own:
                continue
            with contextlib.suppress(FileNotFoundError):
                if _is_alive(int(path.stem.rpartition("_")[2])):
                    found.append(msgspec.json.decode(path.read_bytes(), type=WorkerState))
                else:
                    path.unlink()
        return found

    def close(self) -> None:
        """Remove the file of this worker."""
        self._own.unlink(missing_ok=True)
        if self._temporary is not None:
            self._temporary.cleanup()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # It belongs to another user, so it exists.
    return True
