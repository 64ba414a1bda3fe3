"""The JSON and the CSV of results."""

import csv
import json

import pytest

from desktop.prediction.backends import Location, PredictionResult
from desktop.window.export_formats import csv_header, csv_row, csv_text, result_json
from service.inference import Prediction, Score
from service.inference.prediction import Reason
from service.inference.reading.reading import ReadDigit, Reading

LABELS = ("0", "1")


def prediction(reason: Reason | None = None) -> Prediction:
    return Prediction("mnist", 3, (Score("0", 0.6), Score("1", 0.4)), reason is not None, reason)


def number() -> PredictionResult:
    """Return the result for a picture with a digit in each of two lines."""
    lines = (ReadDigit("0", 0.9, False, (1, 2, 3, 4)),), (ReadDigit("1", 0.8, False, (1, 9, 3, 4)),)
    reading = Reading("mnist", 3, lines)
    return PredictionResult(prediction("several_digits"), Location.LOCAL, 1.23456, reading=reading)


def test_no_cell_of_a_csv_file_is_a_formula() -> None:
    (row,) = csv.reader(csv_text([["=1+1", "-2", "@x", "seven, or so"]]).splitlines())
    assert row == ["'=1+1", "'-2", "'@x", "seven, or so"]


def test_the_json_of_a_number_is_what_the_server_answers_with_place_and_duration() -> None:
    assert json.loads(result_json(number())) == {
        "model": "mnist",
        "version": 3,
        "text": "0\n1",
        "lines": ["0", "1"],
        "digits": [
            {"label": "0", "score": 0.9, "unsure": False, "box": [1, 2, 3, 4]},
            {"label": "1", "score": 0.8, "unsure": False, "box": [1, 9, 3, 4]},
        ],
        "unsure": False,
        "computed_on": "local",
        "milliseconds": 1.235,
    }


@pytest.mark.parametrize("reason", [None, "several_digits", "stroke_too_thick"])
def test_the_json_of_a_prediction_says_why_it_is_unsure(reason: Reason | None) -> None:
    document = json.loads(result_json(PredictionResult(prediction(reason), Location.SERVER, 1.0)))
    assert (document["label"], document["score"]) == ("0", 0.6)
    assert document.get("reason") == reason
    assert ("reason" in document) == document["unsure"] == (reason is not None)


def test_a_row_has_the_number_and_the_reason_after_the_columns_of_the_prediction() -> None:
    rows = [csv_header(LABELS), csv_row("page.png", number(), LABELS)]
    (row,) = csv.DictReader(csv_text(rows).splitlines(keepends=True))
    assert list(row)[:9] == ["input", "model", "version", "label", "score", "unsure", "0", "1", "error"]
    assert (row["label"], row["unsure"], row["error"]) == ("0", "true", "")
    assert (row["reason"], row["text"]) == ("several_digits", "0\n1")
    plain = csv_row("one.png", PredictionResult(prediction(), Location.LOCAL, 1.0), LABELS)
    assert plain[-3:] == ["", "", ""]
