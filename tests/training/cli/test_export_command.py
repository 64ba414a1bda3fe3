"""The command ``export``: a run becomes a version with its card, or nothing is written."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from PIL import Image
from training_commands import call, export, train

from service.inference.card import card_document, read_card
from service.inference.catalog import Catalog
from service.inference.files import sha256_of
from training import cli
from training.errors import ExportError, RunError
from training.export import exporter
from training.export.parity import check_parity


def test_network_is_trained_exported_and_evaluated(tmp_path: Path, mnist_cache: Path) -> None:
    trained = train(tmp_path)
    assert "epoch   2/2" in trained.output
    assert f"Next: ./run export mnist-dense --runs {tmp_path / 'runs'}" in trained.output

    assert export(tmp_path).exit_code == 0
    assert export(tmp_path).exit_code == 0
    catalog = Catalog(tmp_path / "models")
    assert catalog.versions("mnist") == (1, 2)

    evaluated = call(cli.evaluate, "mnist", "--version", 1, "--models", tmp_path / "models")
    assert evaluated.exit_code == 0
    assert "DIFFERS" not in evaluated.output
    assert f"{catalog.card('mnist', 1).metrics.accuracy:.5f}" in evaluated.output


def test_card_documents_the_training_and_is_embedded_in_the_onnx_file(
    tmp_path: Path, mnist_cache: Path
) -> None:
    train(tmp_path, "--seed", 5, "--l2", 0.001, "--augment", "shift,zoom")
    export(tmp_path, "--version", 3)
    folder = tmp_path / "models" / "mnist" / "3"

    card = read_card(folder / "card.json")

    assert (card.name, card.version, card.labels) == ("mnist", 3, tuple("0123456789"))
    assert card.input.shape == (-1, 28, 28)
    assert card.onnx.sha256 == sha256_of(folder / "model.onnx")
    assert card.onnx.bytes == (folder / "model.onnx").stat().st_size
    assert card.recipe.settings["l2"] == 0.001
    assert card.recipe.settings["augmentation"]["shift"] == 0.1
    assert (card.training.seed, card.training.epochs) == (5, 2)
    assert sum(layer.parameters for layer in card.layers) == card.parameters
    assert card.max_keras_difference <= 1e-4
    assert card.metrics.count == 100
    proto = onnx.load(folder / "model.onnx")
    inside = json.loads(next(entry.value for entry in proto.metadata_props if entry.key == "card"))
    outside = card_document(card)
    assert inside.pop("onnx") == {"opset": 17}
    assert {key: outside[key] for key in inside} == inside
    for name in ("curves.png", "confusion.png"):
        Image.open(folder / name).verify()


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("mnist-dense", ("--activation", "sigmoid", "--batch-norm")),
        ("mnist-convnet", ("--pooling", "average", "--activation", "tanh", "--batch-size", 64)),
    ],
)
def test_network_with_other_layers_is_exported_and_explained(
    tmp_path: Path, mnist_cache: Path, recipe: str, words: tuple[object, ...]
) -> None:
    train(tmp_path, *words, "--optimizer", "sgd", "--weight-decay", 0.01, recipe=recipe)

    assert export(tmp_path, recipe=recipe).exit_code == 0

    catalog = Catalog(tmp_path / "models")
    assert catalog.card("mnist").recipe.settings["optimizer"] == "sgd"
    with np.load(mnist_cache / "mnist.npz") as digits:
        heat = catalog.explainer("mnist").heat(digits["x_test"][0], label="3")
    assert np.abs(heat).max() > 0


def test_export_beside_a_damaged_default_version_is_refused(exported: Path) -> None:
    card = exported / "models" / "mnist" / "1" / "card.json"
    card.write_text(card.read_text()[:100])

    with pytest.raises(
        ExportError, match=r"the default version of mnist cannot be used.*choose another name"
    ):
        export(exported)
    assert export(exported, "--force").exit_code == 0


def test_failed_parity_writes_nothing(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted((exported / "models").rglob("*"))
    original = exporter.keras_probabilities
    monkeypatch.setattr(
        exporter, "keras_probabilities", lambda model, x: original(model, x) + np.float32(2e-4)
    )

    with pytest.raises(ExportError, match=r"differ by 0\.0002, more than 0\.0001; nothing was written"):
        export(exported)

    assert sorted((exported / "models").rglob("*")) == before


def test_parity_check_refuses_a_changed_label_and_accepts_a_tie() -> None:
    expected = np.array([[0.50002, 0.49998]], dtype=np.float32)
    tie = np.array([[0.500001, 0.499999]], dtype=np.float32)

    with pytest.raises(ExportError, match="1 of 1 labels changed"):
        check_parity(expected, expected[:, ::-1])
    assert check_parity(tie, tie[:, ::-1]) == pytest.approx(2e-6, rel=0.1)


def test_text_network_keeps_its_vocabulary(tmp_path: Path, imdb_cache: Path) -> None:
    train(tmp_path, recipe="imdb-dense")
    export(tmp_path, recipe="imdb-dense")

    predictor = Catalog(tmp_path / "models").predictor("imdb")

    assert predictor.card.labels == ("negative", "positive")
    assert sum(score.score for score in predictor.predict(["A wonderful film"])[0].scores) == pytest.approx(1)
    assert call(cli.evaluate, "imdb", "--models", tmp_path / "models").exit_code == 0


def test_comparison_with_another_run_is_in_the_card(trained: Path) -> None:
    train(trained, "--run", "plain", "--dropout", 0.5)
    export(trained, "--compare", "plain")

    compared = read_card(trained / "models" / "mnist" / "1" / "card.json").extra["compared_with"]

    assert compared["settings"] == {"dropout": 0.5}
    assert 0 <= compared["metrics"]["accuracy"] <= 1


def test_export_without_a_run_names_the_way_out(tmp_path: Path, mnist_cache: Path) -> None:
    with pytest.raises(RunError, match=r"contains no finished run .*run runs lists the runs"):
        export(tmp_path)


def test_a_run_on_other_data_is_not_compared(trained: Path) -> None:
    call(cli.train, "wine-dense", "--epochs", 1, "--runs", trained / "runs")
    train(trained, "--examples", 100, "--run", "few")

    for name in ("wine-dense", "few"):
        with pytest.raises(RunError, match=f"{name}: is a run of .* or on other data; name another run"):
            export(trained, "--compare", name)
    assert not (trained / "models").exists()


def test_a_version_has_at_most_nine_digits(trained: Path) -> None:
    result = CliRunner().invoke(cli.export, ["mnist-dense", "--version", "1000000000"])

    assert result.exit_code == 2
    assert "1<=x<=999999999" in result.output
