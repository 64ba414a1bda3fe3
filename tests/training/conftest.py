"""Fixtures of the training tests: a data cache of samples, folders of images, models."""

import gzip
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from msgspec.structs import replace

from service.inference.card import Card
from service.inference.catalog import BUNDLED, Catalog
from training.datasets.dataset import Examples

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ignore a warning that Keras and TensorFlow cause with NumPy 2."""
    ignore = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(ignore)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data cache."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("LECTERN_DATA", str(folder))
    return folder


@pytest.fixture(scope="session")
def mnist_file(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a data cache with 400 MNIST digits for training and 100 for testing."""
    with np.load(data_folder / "mnist.npz") as sample:
        order = np.random.default_rng(0).permutation(500)
        x, y = sample["x"][order], sample["y"][order]
    path = tmp_path_factory.mktemp("mnist") / "mnist.npz"
    np.savez_compressed(path, x_train=x[:400], y_train=y[:400], x_test=x[400:], y_test=y[400:])
    return path


@pytest.fixture
def mnist_cache(cache: Path, mnist_file: Path) -> Path:
    """A data cache with these digits."""
    shutil.copy(mnist_file, cache)
    return cache


@pytest.fixture
def imdb_cache(cache: Path, data_folder: Path) -> Path:
    """A data cache with 100 IMDB reviews for training and 50 for testing."""
    with gzip.open(data_folder / "imdb.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for name, part in (("imdb_train", rows[::3] + rows[1::3]), ("imdb_test", rows[2::3])):
        with gzip.open(cache / f"{name}.jsonl.gz", "wt", encoding="utf-8") as target:
            target.writelines(json.dumps(row) + "\n" for row in part)
    return cache


@pytest.fixture
def own_pictures(tmp_path: Path, data_folder: Path) -> Path:
    """A folder of 16 cats, 16 dogs, a damaged image and a text file."""
    folder = tmp_path / "My pets"
    with zipfile.ZipFile(data_folder / "cats_vs_dogs.zip") as archive:
        for name in archive.namelist():
            target = folder / Path(name).parent.name / Path(name).name
            target.parent.mkdir(parents=True, exist_ok=True)
            if len(list(target.parent.iterdir())) < 16:
                target.write_bytes(archive.read(name))
    (folder / "Cat" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and then nothing")
    (folder / "Cat" / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture(scope="session")
def mnist_sample(data_folder: Path) -> Examples:
    """500 MNIST digits in random order."""
    with np.load(data_folder / "mnist.npz") as sample:
        order = np.random.default_rng(0).permutation(500)
        return Examples(sample["x"][order], sample["y"][order].astype(np.int64))


@pytest.fixture
def overconfident_models(tmp_path: Path) -> Path:
    """A folder of models with mnist 1, whose temperature is a third of the right one."""
    from training.export.calibration import Calibration
    from training.export.graph.head import insert_calibration
    from training.export.model_folder import rewrite

    folder = tmp_path / "models" / "mnist" / "1"
    shutil.copytree(BUNDLED / "mnist" / "1", folder)
    card = Catalog(tmp_path / "models").card("mnist", 1)
    proto = onnx.load(folder / "model.onnx")
    insert_calibration(proto, Calibration(temperature=1 / 3))
    extra = {"temperature": 1 / 3, "unsure_rule": "an older one", "kept": 1}
    card = replace(card, unsure_below=0.5, calibration=None, selective_prediction=None, extra=extra)
    rewrite(folder, card, network=proto)
    return tmp_path / "models"


@pytest.fixture
def load_consistent_card() -> Callable[[Path], Card]:
    """A function that returns the card of mnist 1 after checking all files of the model against it."""

    def load(models: Path) -> Card:
        catalog = Catalog(models, providers=("cpu",))
        card = catalog.card("mnist", 1)
        catalog.predictor("mnist", 1)
        catalog.explainer("mnist", 1)
        inside = onnx.load(models / "mnist" / "1" / "model.onnx").metadata_props
        document = json.loads(next(entry.value for entry in inside if entry.key == "card"))
        outside = json.loads((models / "mnist" / "1" / "card.json").read_text())
        assert document | {"onnx": None} == outside | {"onnx": None}
        assert [path.name for path in (models / "mnist").iterdir()] == ["1"]
        return card

    return load
