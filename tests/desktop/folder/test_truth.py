"""Tests the comparison with the labels that subfolders are named after."""

import csv

import pytest

from desktop.folder.batch import FileResult
from desktop.folder.export import to_csv
from desktop.folder.truth import confusion, true_label
from desktop.prediction.backends import Location, PredictionResult
from service.inference import Prediction, Score
from service.inference.errors import DamagedImage

LABELS = ("cat", "dog", "T-shirt/top")


def result(name: str, label: str) -> FileResult:
    prediction = Prediction("m", 1, (Score(label, 0.9),), False)
    return FileResult(name, PredictionResult(prediction, Location.LOCAL, 1.0))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat/1.png", "cat"),
        ("Cats/1.png", "cat"),
        ("cat/more/1.png", "cat"),
        ("cat/dog/1.png", "dog"),
        ("T-shirt_top/1.png", "T-shirt/top"),
        ("t shirt top/1.png", "T-shirt/top"),
        ("cat.png", None),
        ("horse/cat.png", None),
    ],
)
def test_the_nearest_folder_with_the_name_of_a_label_is_the_truth(name: str, label: str | None) -> None:
    assert true_label(name, LABELS) == label


def test_predictions_are_counted_by_true_label() -> None:
    results = [
        result("cat/1.png", "cat"),
        result("cat/2.png", "dog"),
        result("dog/1.png", "dog"),
        result("other/1.png", "dog"),
        FileResult("dog/broken.png", error=DamagedImage("broken")),
    ]
    found = confusion(results, LABELS)
    assert found is not None
    assert (found.correct, found.total) == (2, 3)
    assert found.files["cat", "dog"] == ("cat/2.png",)
    assert [found.total_of(label) for label in LABELS] == [2, 1, 0]
    assert confusion(results[3:], ("horse",)) is None


def test_the_csv_has_true_labels_only_where_some_are_known() -> None:
    results = [result("cat/1.png", "dog"), result("other/1.png", "dog")]
    rows = list(csv.DictReader(to_csv(results, LABELS).splitlines()))
    assert [row["true_label"] for row in rows] == ["cat", ""]
    assert "true_label" not in to_csv(results[1:], LABELS)
