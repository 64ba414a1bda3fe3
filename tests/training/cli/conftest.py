"""Fixtures of the tests of the training commands: a finished run, and the model that was exported from it."""

import shutil
from pathlib import Path

import pytest
from training_commands import export, train


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, mnist_file: Path) -> Path:
    """A folder with a run of mnist-dense, and the model that was exported from it."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as context:
        context.setenv("LECTERN_DATA", str(mnist_file.parent))
        train(folder)
        export(folder)
    return folder


@pytest.fixture
def trained(finished: Path, tmp_path: Path, mnist_cache: Path) -> Path:
    """A folder with a copy of this run; its data is in the cache."""
    shutil.copytree(finished / "runs", tmp_path / "runs")
    return tmp_path


@pytest.fixture
def exported(finished: Path, trained: Path) -> Path:
    """A folder with copies of the run and the model."""
    shutil.copytree(finished / "models", trained / "models")
    return trained
