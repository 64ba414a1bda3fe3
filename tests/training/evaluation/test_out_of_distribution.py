"""Pictures of other things are counted by kind, and photos from another data set by their class."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from service.inference import Predictor
from service.inference.catalog import BUNDLED, Catalog
from training.datasets import DATASETS, Dataset, Examples
from training.errors import DatasetError
from training.evaluation import out_of_distribution
from training.evaluation.comparison import compare
from training.evaluation.out_of_distribution import evaluate_out_of_distribution

COUNT = 40


def _examples(name: str, folder: Path) -> Examples:
    if name != "cats_vs_dogs":
        with np.load(folder / f"{name}.npz") as sample:
            return Examples(sample["x"], sample["y"].astype(np.int64))
    with zipfile.ZipFile(folder / f"{name}.zip") as archive:
        names = archive.namelist()
        pictures = [np.asarray(Image.open(io.BytesIO(archive.read(entry)))) for entry in names]
    return Examples(np.stack(pictures), np.array(["/Dog/" in entry for entry in names], dtype=np.int64))


@pytest.fixture(autouse=True)
def samples(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples of real test pictures in the place of the data sets, and few pictures of each kind."""
    labels = {name: declaration.labels for name, declaration in DATASETS.items()}

    def load(name: str) -> Dataset:
        part = _examples(name, data_folder)
        return Dataset(
            name=name,
            labels=labels[name],
            train=part,
            validation=part,
            test=part,
            sha256="",
            source="",
            license="",
        )

    monkeypatch.setattr(out_of_distribution, "load_dataset", load)
    monkeypatch.setattr(out_of_distribution, "_MOST_FOR_PHOTOS", COUNT)
    monkeypatch.setattr(out_of_distribution, "_SCRIBBLES", COUNT)


def _predictor(name: str) -> Predictor:
    return Catalog(BUNDLED, providers=("cpu",)).predictor(name)


def test_small_photos_are_measured_with_cats_and_dogs_from_elsewhere(data_folder: Path) -> None:
    predictor = _predictor("cifar10")

    found = evaluate_out_of_distribution(predictor)

    earlier = predictor.card.out_of_distribution
    assert earlier is not None
    assert found.folders == earlier.folders  # the pictures of folders are not at hand
    measured = {name: count for name, count in found.counts.items() if name not in found.folders}
    assert measured == dict.fromkeys(("digits", "garments", "scribbles", "letters"), COUNT)
    assert all(0 <= share <= 1 for share in found.shares.values())
    assert found.photos is None
    pets = _examples("cats_vs_dogs", data_folder)
    rows = np.stack([predictor.prepare_image(Image.fromarray(picture)) for picture in pets.x])
    probabilities = predictor.probabilities(rows)
    sure = probabilities.max(axis=1) >= predictor.card.unsure_below
    named = np.array(predictor.card.labels)[probabilities.argmax(axis=1)]
    assert found.elsewhere is not None
    assert found.elsewhere.coverage == sure.mean()
    assert found.elsewhere.accuracy == (named == np.array(["cat", "dog"])[pets.y])[sure].mean()


def test_cats_and_dogs_are_measured_with_the_other_small_photos(data_folder: Path) -> None:
    found = evaluate_out_of_distribution(_predictor("cats_vs_dogs"))

    photos = _examples("cifar10", data_folder)
    others = ~np.isin(photos.y, (3, 5))  # neither cat nor dog
    assert found.counts["photos"] == min(COUNT, others.sum())
    assert found.photos is not None
    assert found.photos > 0.9
    assert found.elsewhere is not None


def test_drawn_models_have_the_kinds_that_they_do_not_read() -> None:
    digits, garments = (evaluate_out_of_distribution(_predictor(name)) for name in ("mnist", "fashion_mnist"))

    assert set(digits.shares) == {"garments", "photos", "scribbles"}
    assert set(garments.shares) == {"digits", "photos", "scribbles"}
    assert digits.elsewhere is garments.elsewhere is None
    assert min(digits.shares.values()) > 0.9


def test_each_subfolder_of_further_pictures_is_a_kind(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, count in (("noise", 3), ("grey", 2)):
        (tmp_path / name).mkdir()
        for number in range(count):
            pixels = (
                rng.integers(0, 256, (40, 50, 3), dtype=np.uint8) if name == "noise" else np.full((9, 9), 128)
            )
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / name / f"{number}.PNG")
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise" / "notes.txt").write_text("no picture")
    predictor = _predictor("cifar10")

    found = evaluate_out_of_distribution(predictor, pictures=tmp_path)

    assert set(found.folders) == {"grey", "noise"}
    assert (found.counts["grey"], found.counts["noise"]) == (2, 3)
    assert found.shares["noise"] == found.folders["noise"]
    card = predictor.card
    rows = {row.name for row in compare(card, replace(card, out_of_distribution=found))}
    assert {"unsure noise", "unsure digits", "selective accuracy, photos from elsewhere"} <= rows

    predictor.card = replace(card, out_of_distribution=found)
    again = evaluate_out_of_distribution(predictor)
    assert again == found


def test_a_folder_without_subfolders_of_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no subfolder with pictures"):
        evaluate_out_of_distribution(_predictor("cifar10"), pictures=tmp_path)


def test_a_subfolder_with_the_name_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "digits").mkdir()
    Image.fromarray(np.zeros((40, 50, 3), dtype=np.uint8)).save(tmp_path / "digits" / "one.png")

    with pytest.raises(DatasetError, match="digits: the card has a kind of this name already"):
        evaluate_out_of_distribution(_predictor("cifar10"), pictures=tmp_path)
