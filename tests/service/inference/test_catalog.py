"""Tests of the catalogue: versions, invalid folders, and loading each model once."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service.inference.catalog import Catalog
from service.inference.errors import CardError, ChecksumMismatch, ModelError, ModelNotFound
from service.inference.predictor import Predictor

TinyModel = Callable[..., Path]


def test_the_committed_models_are_the_five_of_the_course(models_folder: Path) -> None:
    assert [card.name for card in Catalog(models_folder)] == [
        "cats_vs_dogs",
        "cifar10",
        "fashion_mnist",
        "imdb",
        "mnist",
    ]


def test_the_highest_version_is_the_default(tmp_path: Path, tiny_model: TinyModel) -> None:
    for version in (2, 10, 9):
        tiny_model(tmp_path, version=version)
    catalog = Catalog(tmp_path)
    assert catalog.versions("mnist") == (2, 9, 10)
    assert catalog.card("mnist").version == 10
    assert catalog.predictor("mnist").card.version == 10
    assert catalog.predictor("mnist", 2).card.version == 2
    assert catalog.folder(catalog.card("mnist", 9)) == tmp_path / "mnist" / "9"


def test_unknown_names_and_versions_are_reported_with_the_existing_ones(
    tmp_path: Path, tiny_model: TinyModel
) -> None:
    tiny_model(tmp_path)
    catalog = Catalog(tmp_path)
    with pytest.raises(ModelNotFound, match="no model 'minst'; there are mnist"):
        catalog.card("minst")
    with pytest.raises(ModelNotFound, match="mnist has no version 3; it has 1"):
        catalog.predictor("mnist", 3)


def test_long_names_and_versions_are_shortened(models_folder: Path) -> None:
    catalog = Catalog(models_folder)
    for name, version in (("x" * 60_000, None), ("mnist", 10**4000)):
        with pytest.raises(ModelNotFound) as raised:
            catalog.card(name, version)
        assert len(str(raised.value)) < 200


@pytest.mark.parametrize("made", [False, True])
def test_folder_without_models_is_reported(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "models"
    if made:
        folder.mkdir()
    with pytest.raises(ModelError, match="LECTERN_MODELS"):
        Catalog(folder)


def test_exports_in_progress_and_other_folders_are_ignored(tmp_path: Path, tiny_model: TinyModel) -> None:
    place = tiny_model(tmp_path)
    shutil.copytree(place, place.parent / ".2.partial")
    shutil.copytree(place.parent, tmp_path / ".cache")
    (tmp_path / "mnist" / "notes").mkdir()
    (tmp_path / "README.md").write_text("not a model", encoding="utf-8")
    catalog = Catalog(tmp_path)
    assert [(card.name, catalog.versions(card.name)) for card in catalog] == [("mnist", (1,))]


def test_damaged_card_is_reported_with_its_path(tmp_path: Path, tiny_model: TinyModel) -> None:
    path = tiny_model(tmp_path) / "card.json"
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    with pytest.raises(CardError, match=r"mnist/1/card\.json: is not JSON"):
        Catalog(tmp_path)


@pytest.mark.parametrize("target", ["mnist/2", "digits/1", "mnist/01"])
def test_card_in_a_folder_of_another_name_is_reported(
    tmp_path: Path, tiny_model: TinyModel, target: str
) -> None:
    place = tiny_model(tmp_path / "elsewhere")
    shutil.copytree(place, tmp_path / "models" / target)
    with pytest.raises(CardError, match=f"is in {target}"):
        Catalog(tmp_path / "models")


def test_network_with_a_wrong_checksum_is_reported(tmp_path: Path, tiny_model: TinyModel) -> None:
    place = tiny_model(tmp_path)
    (place / "model.onnx").write_bytes((place / "model.onnx").read_bytes() + b"\0")
    with pytest.raises(ChecksumMismatch, match=r"mnist/1/model\.onnx"):
        Catalog(tmp_path).predictor("mnist")


def test_missing_network_is_reported(tmp_path: Path, tiny_model: TinyModel) -> None:
    (tiny_model(tmp_path) / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"mnist/1/model\.onnx: cannot be read"):
        Catalog(tmp_path).predictor("mnist")


@pytest.mark.parametrize(
    ("field", "value"),
    [("labels", ["one", "two"]), ("input", {"name": "pixels"}), ("input", {"shape": [-1, 32, 32]})],
)
def test_network_that_does_not_match_its_card_is_reported(
    tmp_path: Path, tiny_model: TinyModel, field: str, value: object
) -> None:
    path = tiny_model(tmp_path) / "card.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document[field] = document[field] | value if isinstance(value, dict) else value
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ModelError, match=r"mnist/1/model\.onnx"):
        Catalog(tmp_path).predictor("mnist")


@pytest.mark.parametrize("damage", [b"", b"the\nand\n", b"\xff\xfe", None])
def test_vocabulary_that_does_not_match_the_card_is_reported(
    tmp_path: Path, models_folder: Path, damage: bytes | None
) -> None:
    shutil.copytree(models_folder / "imdb" / "1", tmp_path / "imdb" / "1")
    path = tmp_path / "imdb" / "1" / "vocabulary.txt"
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(ModelError, match=r"imdb/1/vocabulary\.txt"):
        Catalog(tmp_path).predictor("imdb")


def test_concurrent_threads_load_a_model_once(
    tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_model(tmp_path)
    loads: list[int] = []
    load = Predictor.load

    def slow_load(*args: Any, **options: Any) -> Predictor:
        loads.append(threading.get_ident())
        time.sleep(0.05)
        return load(*args, **options)

    monkeypatch.setattr(Predictor, "load", slow_load)
    catalog = Catalog(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: catalog.predictor("mnist"), range(8)))
    assert len(loads) == 1
    assert all(predictor is found[0] for predictor in found)


def test_loaded_model_is_available_while_another_loads(
    tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_model(tmp_path, version=1)
    tiny_model(tmp_path, version=2)
    catalog = Catalog(tmp_path)
    loaded = catalog.predictor("mnist")
    began, may_end = threading.Event(), threading.Event()

    def stuck(*args: object, **options: object) -> Predictor:
        began.set()
        assert may_end.wait(10)
        return loaded

    monkeypatch.setattr(Predictor, "load", stuck)
    with ThreadPoolExecutor(2) as threads:
        loading = threads.submit(catalog.predictor, "mnist", 1)
        assert began.wait(10)
        try:
            assert threads.submit(catalog.predictor, "mnist").result(timeout=5) is loaded
        finally:
            may_end.set()
        loading.result()
