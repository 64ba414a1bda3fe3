"""Runs the training commands in this process."""

from pathlib import Path

import click
from click.testing import CliRunner, Result

from training import cli


def call(command: click.Command, *words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def train(tmp_path: Path, *words: object, recipe: str = "mnist-dense") -> Result:
    return call(cli.train, recipe, "--epochs", 2, "--width", 0.1, "--runs", tmp_path / "runs", *words)


def export(tmp_path: Path, *words: object, recipe: str = "mnist-dense") -> Result:
    folders = ("--runs", tmp_path / "runs", "--models", tmp_path / "models")
    return call(cli.export, recipe, *folders, *words)


def add_pictures(folder: Path) -> None:
    """Add copies of a picture to each class of the user's pictures."""
    for name in ("Cat", "Dog"):
        first = next(path for path in sorted((folder / name).iterdir()) if path.stem.isdigit())
        for number in range(4):
            (folder / name / f"new-{number}.jpg").write_bytes(first.read_bytes())
