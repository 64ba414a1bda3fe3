"""The models of the servers whose workers are tested."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Path:
    """A folder with a single model, so that workers start quickly."""
    models = tmp_path_factory.mktemp("models")
    shutil.copytree(models_folder / "mnist" / "1", models / "mnist" / "1")
    return models
