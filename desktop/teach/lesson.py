"""Defines what is taught: examples, and the model that they are added to."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Example:
    """A picture file, and its label."""

    label: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What to teach.

    Attributes:
        name: Name of the new model; a model of this name gets another version.
        base: Name of the model whose features are used.
        version: Version of that model.
        examples: The examples.
        keep_labels: Whether the new model also has the labels of the base, and keeps what it knows of them.
    """

    name: str
    base: str
    version: int
    examples: tuple[Example, ...]
    keep_labels: bool
