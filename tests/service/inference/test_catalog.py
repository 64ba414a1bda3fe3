"""Tests of the catalogue: versions, invalid folders, and loading each model once."""

import errno
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from service.inference import files
from service.inference.card import document, read_card, write_card
from service.inference.catalog import Catalog
from service.inference.errors import CardError, ChecksumMismatch, ModelError, ModelNotFound
from service.inference.files import sha256_of
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


def test_the_version_that_the_folder_declares_is_the_default(tmp_path: Path, tiny_model: TinyModel) -> None:
    for version in (1, 2, 3):
        tiny_model(tmp_path, version=version)
    (tmp_path / "mnist" / "default").write_text("2\n", encoding="utf-8")
    for catalog in (Catalog(tmp_path), Catalog(tmp_path, check=True)):
        assert catalog.card("mnist").version == 2
        assert [card.version for card in catalog] == [2]
        assert catalog.versions("mnist") == (1, 2, 3)


def test_a_declared_default_that_cannot_be_loaded_is_replaced_by_the_highest_version(
    tmp_path: Path, tiny_model: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    for version in (1, 2, 3):
        tiny_model(tmp_path, version=version)
    (tmp_path / "mnist" / "default").write_text("2", encoding="utf-8")
    (tmp_path / "mnist" / "2" / "model.onnx").write_bytes(b"damaged")
    assert Catalog(tmp_path, check=True).card("mnist").version == 3
    assert caplog.records[-1].message == "mnist 2 cannot be used; version 3 is the default"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("7", "mnist has no version 7, which its file 'default' names; version 2 is the default"),
        ("newest", "mnist/default: holds no number of a version; write one into it, or delete it"),
    ],
)
def test_a_declaration_that_names_no_version_is_logged_and_ignored(
    tmp_path: Path, tiny_model: TinyModel, caplog: pytest.LogCaptureFixture, text: str, message: str
) -> None:
    for version in (1, 2):
        tiny_model(tmp_path, version=version)
    (tmp_path / "mnist" / "default").write_text(text, encoding="utf-8")
    assert Catalog(tmp_path).card("mnist").version == 2
    assert [record.message for record in caplog.records] == [message]


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


def test_a_broken_version_does_not_hide_the_others(
    tmp_path: Path, tiny_model: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    for version in (1, 2):
        tiny_model(tmp_path, version=version)
    (tmp_path / "mnist" / "2" / "card.json").unlink()
    catalog = Catalog(tmp_path)
    assert [(card.name, card.version) for card in catalog] == [("mnist", 1)]
    assert catalog.card("mnist", 1).version == 1
    assert [record.message for record in caplog.records] == [
        "mnist/2/card.json: cannot be read (No such file or directory); export the model again"
    ]
    # Whoever asks for the newest does not get an older one instead, unless the models were checked.
    with pytest.raises(CardError, match=r"mnist/2/card\.json"):
        catalog.card("mnist")
    assert Catalog(tmp_path, check=True).card("mnist").version == 1
    assert caplog.records[-1].message == "mnist 2 cannot be used; version 1 is the default"


def test_older_versions_are_checked_too(tmp_path: Path, tiny_model: TinyModel) -> None:
    for version in (1, 2):
        tiny_model(tmp_path, version=version)
    path = tmp_path / "mnist" / "1" / "card.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document | {"labels": ["one", "two"]}), encoding="utf-8")
    catalog = Catalog(tmp_path, check=True)
    assert catalog.versions("mnist") == (2,)
    with pytest.raises(ModelError, match=r"mnist/1/model\.onnx: input and number of outputs are"):
        catalog.card("mnist", 1)


@pytest.mark.parametrize("name", ["mnist", "mnist/1"])
def test_a_folder_that_cannot_be_read_is_reported(
    tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    tiny_model(tmp_path)
    tiny_model(tmp_path, name="other")
    # Permissions do not stop root, who runs the tests in containers.
    real_list = Path.iterdir

    def refuse(path: Path, real: Callable[[Path], Any]) -> Any:
        if tmp_path / name in (path, path.parent):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path)

    monkeypatch.setattr(document, "open_regular", lambda path: refuse(path, files.open_regular))
    monkeypatch.setattr(Path, "iterdir", lambda path: refuse(path, real_list))
    catalog = Catalog(tmp_path)
    assert [card.name for card in catalog] == ["other"]
    with pytest.raises(ModelError, match=rf"^{name}.*cannot be read \(Permission denied\)"):
        catalog.card("mnist")


def test_a_network_that_cannot_be_run_is_reported(tmp_path: Path, tiny_model: TinyModel) -> None:
    path = tiny_model(tmp_path) / "model.onnx"
    model = onnx.load(path)
    fixed = numpy_helper.from_array(np.array([1, 784], np.int64), "one_row")
    model.graph.initializer.append(fixed)
    model.graph.node[0].CopyFrom(helper.make_node("Reshape", ["image", "one_row"], ["flat"]))
    onnx.save(model, path)
    card = read_card(path.parent / "card.json")
    file = msgspec.structs.replace(card.onnx, sha256=sha256_of(path))
    write_card(msgspec.structs.replace(card, onnx=file), path.parent / "card.json")
    with pytest.raises(ModelError, match=r"mnist/1/model\.onnx: ONNX Runtime cannot run it"):
        Catalog(tmp_path).predictor("mnist")


def test_a_network_without_probabilities_is_reported(tmp_path: Path, tiny_model: TinyModel) -> None:
    path = tiny_model(tmp_path) / "model.onnx"
    model = onnx.load(path)
    model.graph.node[-1].CopyFrom(helper.make_node("Exp", ["logits"], ["probabilities"]))
    onnx.save(model, path)
    card = read_card(path.parent / "card.json")
    file = msgspec.structs.replace(card.onnx, sha256=sha256_of(path))
    write_card(msgspec.structs.replace(card, onnx=file), path.parent / "card.json")
    with pytest.raises(ModelError, match=r"mnist/1/model\.onnx: .*do not sum to 1"):
        Catalog(tmp_path).predictor("mnist")


def test_preprocessing_that_does_not_fit_the_network_is_reported(
    tmp_path: Path, tiny_model: TinyModel
) -> None:
    path = tiny_model(tmp_path) / "card.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["input"]["preprocessing"] = "photo"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(CardError, match=r"mnist/1/card\.json: preprocessing 'photo' makes"):
        Catalog(tmp_path).predictor("mnist")


def test_messages_do_not_name_the_servers_folder(tmp_path: Path, tiny_model: TinyModel) -> None:
    for version in range(1, 5):
        tiny_model(tmp_path, version=version)
    places = [tmp_path / "mnist" / str(version) for version in range(1, 5)]
    (places[0] / "model.onnx").unlink()
    (places[1] / "card.json").unlink()
    (places[2] / "card.json").write_text("{}", encoding="utf-8")
    (places[3] / "model.onnx").write_bytes(b"no network")
    card = read_card(places[3] / "card.json")
    file = msgspec.structs.replace(card.onnx, sha256=sha256_of(places[3] / "model.onnx"))
    write_card(msgspec.structs.replace(card, onnx=file), places[3] / "card.json")
    for version in range(1, 5):
        with pytest.raises(ModelError, match=rf"^mnist/{version}/") as raised:
            Catalog(tmp_path).predictor("mnist", version)
        assert str(tmp_path) not in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("target", ["mnist/2", "digits/1", "mnist/1-old"])
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


@pytest.mark.parametrize("file", ["card.json", "model.onnx"])
def test_a_pipe_among_the_files_is_reported_like_a_missing_file(
    tmp_path: Path, tiny_model: TinyModel, file: str
) -> None:
    tiny_model(tmp_path, version=1)
    path = tiny_model(tmp_path, version=2) / file
    path.unlink()
    os.mkfifo(path)
    catalog = Catalog(tmp_path, check=True)
    assert catalog.card("mnist").version == 1
    (problem,) = catalog.model("mnist").problems.values()
    assert str(problem).startswith(f"mnist/2/{file}: cannot be read (not a regular file); export")


def test_pipes_in_the_place_of_a_vocabulary_and_of_the_default_are_reported(
    tmp_path: Path, models_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(models_folder / "imdb" / "1", tmp_path / "imdb" / "1")
    os.mkfifo(tmp_path / "imdb" / "default")
    Catalog(tmp_path)
    assert "imdb/default: cannot be read" in caplog.text
    vocabulary = tmp_path / "imdb" / "1" / "vocabulary.txt"
    vocabulary.unlink()
    os.mkfifo(vocabulary)
    with pytest.raises(ModelError, match=r"imdb/1/vocabulary\.txt: cannot be read \(not a regular file\)"):
        Catalog(tmp_path, check=True)


def test_a_version_with_leading_zeros_is_reported_and_is_no_version(
    tmp_path: Path, tiny_model: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    tiny_model(tmp_path, version=1)
    tiny_model(tmp_path, version=7).rename(tmp_path / "mnist" / "007")
    (tmp_path / "mnist" / "0").mkdir()
    catalog = Catalog(tmp_path, check=True)
    model = catalog.model("mnist")
    assert (model.versions, model.numbers, model.default) == ((1,), (1,), 1)
    assert "mnist/007: write the version as 7; rename the folder" in caplog.text
    assert "mnist/0: versions begin at 1; rename the folder" in caplog.text
    with pytest.raises(ModelNotFound, match="mnist has no version 7; it has 1"):
        catalog.card("mnist", 7)
    shutil.rmtree(tmp_path / "mnist" / "1")
    shutil.rmtree(tmp_path / "mnist" / "0")
    with pytest.raises(CardError, match="mnist/007: write the version as 7"):
        Catalog(tmp_path)


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
