"""Defines what runs tasks, and what happens to them."""

from dataclasses import dataclass
from typing import Protocol

from service.batch.shard import Task


@dataclass(frozen=True)
class Done:
    """A task is done; ``errors`` of its inputs have no prediction."""

    task: Task
    errors: int


@dataclass(frozen=True)
class Died:
    """The process of a task has ended."""

    task: Task
    cause: str


@dataclass(frozen=True)
class Returned:
    """A task was not begun, because its process has ended while it started."""

    task: Task


Event = Done | Died | Returned


class Pool(Protocol):
    """Processes that run tasks."""

    @property
    def has_room(self) -> bool:
        """Whether a process has no task."""
        ...

    def start(self, task: Task) -> None:
        """Give a task to a process that has none."""
        ...

    def wait(self) -> list[Event]:
        """Wait until something has happened to a task.

        Raises:
            LecternError: No process can load the model, or results cannot be written.
        """
        ...

    def close(self) -> None:
        """End all processes."""
        ...
