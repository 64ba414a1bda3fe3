"""The committed models are as accurate as their cards say, and their files have the documented form."""

import gzip
import io
import json
import math
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from service.inference.card import Card, card_document, parse_card
from service.inference.catalog import BUNDLED, Catalog
from training.export.graph.conversion import shape_operations

CATALOG = Catalog(BUNDLED)
CARDS = [CATALOG.card(card.name, version) for card in CATALOG for version in CATALOG.versions(card.name)]
LARGEST_TOTAL = 60_000_000


def _name(card: Card) -> str:
    return f"{card.name}-{card.version}"


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _sample(name: str, folder: Path) -> tuple[list[bytes | str], list[int]]:
    """Return the inputs as a client would send them, and their classes."""
    if name == "imdb":
        with gzip.open(folder / "imdb.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        return [row["text"] for row in rows], [row["label"] for row in rows]
    if name == "cats_vs_dogs":
        with zipfile.ZipFile(folder / "cats_vs_dogs.zip") as archive:
            names = archive.namelist()
            return [archive.read(entry) for entry in names], [int("/Dog/" in entry) for entry in names]
    with np.load(folder / f"{name}.npz") as sample:
        return [_png(pixels) for pixels in sample["x"]], sample["y"].tolist()


@pytest.mark.parametrize("card", CARDS, ids=_name)
def test_accuracy_on_the_sample_agrees_with_the_card(card: Card, data_folder: Path) -> None:
    inputs, classes = _sample(card.name, data_folder)

    predictions = CATALOG.predictor(card.name, card.version).predict(inputs)

    correct = [
        prediction.best.label == card.labels[label]
        for prediction, label in zip(predictions, classes, strict=True)
    ]
    # Three standard errors of the sample, and one example for accuracies near 1.
    share = card.metrics.accuracy
    slack = 3 * math.sqrt(share * (1 - share) / len(correct)) + 1 / len(correct)
    assert np.mean(correct) == pytest.approx(share, abs=slack)


@pytest.mark.parametrize("card", CARDS, ids=_name)
def test_graph_has_the_documented_form(card: Card) -> None:
    proto = onnx.load(CATALOG.folder(card) / "model.onnx")

    onnx.checker.check_model(proto, full_check=True)
    assert shape_operations(proto) == ()
    assert [entry.version for entry in proto.opset_import] == [card.onnx.opset]
    inside = json.loads(next(entry.value for entry in proto.metadata_props if entry.key == "card"))
    document = card_document(card)
    # Parsed, since a later Lectern may have added fields; the file's checksum and size are not inside.
    whole = parse_card({**inside, "onnx": document["onnx"]}, source="the network's metadata")
    assert card_document(whole) == document


@pytest.mark.parametrize("card", [card for card in CARDS if card.quantized], ids=_name)
def test_8_bit_form_predicts_as_its_network(card: Card, data_folder: Path) -> None:
    inputs = _sample(card.name, data_folder)[0][:40]

    float32, int8 = (
        Catalog(BUNDLED, providers=("cpu",), precision=precision).predictor(card.name, card.version)
        for precision in ("float32", "int8")
    )

    batch = float32.stack([float32.prepare(value) for value in inputs])
    assert np.abs(float32.probabilities(batch) - int8.probabilities(batch)).mean() < 0.02
    assert card.quantized is not None
    assert card.quantized.metrics.accuracy >= card.metrics.accuracy - 0.003
    assert card.quantized.ratio < 1


@pytest.mark.parametrize("card", CARDS, ids=_name)
def test_layer_table_adds_up(card: Card) -> None:
    assert sum(layer.parameters for layer in card.layers) == card.parameters
    assert sum(card.metrics.per_class_accuracy.values()) / len(card.labels) == pytest.approx(
        card.metrics.accuracy, abs=0.002
    )


def test_all_models_together_are_small() -> None:
    assert sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file()) < LARGEST_TOTAL


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Great movie!", "positive"),
        ("Terrible.", "negative"),
        ("I loved it", "positive"),
        ("Not a good film.", "negative"),
        ("not funny", "negative"),
        ("I did not enjoy it.", "negative"),
        ("I wouldn't recommend it.", "negative"),
        ("Best film of the year!", "positive"),
        ("Waste of time.", "negative"),
    ],
)
def test_short_verdicts_are_classified_with_confidence(text: str, label: str) -> None:
    (prediction,) = CATALOG.predictor("imdb").predict([text])

    assert prediction.best.label == label
    assert not prediction.unsure


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("This film is not bad.", "positive"),
        ("It wasn't bad.", "positive"),
        ("It was never dull.", "positive"),
        ("I did not like it.", "negative"),
        ("I don't like this film.", "negative"),
        ("We did not like the ending.", "negative"),
        ("The plot is not interesting.", "negative"),
        ("It was not great.", "negative"),
    ],
)
def test_negated_verdicts_are_right(text: str, label: str) -> None:
    (prediction,) = CATALOG.predictor("imdb").predict([text])

    assert prediction.best.label == label
