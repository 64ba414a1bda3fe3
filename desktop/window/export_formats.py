"""Formats results as JSON and CSV."""

import csv
import dataclasses
import io
import json
from collections.abc import Sequence
from pathlib import Path

from desktop.prediction.backends import PredictionResult
from service.inference import Prediction
from service.inference.reading.reading import Reading


def result_json(result: PredictionResult) -> str:
    """Return a result as a JSON object: the digits of a number, or else the label and all scores."""
    reading = result.reading
    document = {
        **(_prediction_fields(result.prediction) if reading is None else _reading_fields(reading)),
        "computed_on": result.location.value,
        "milliseconds": round(result.milliseconds, 3),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def csv_header(labels: Sequence[str]) -> list[str]:
    """Return the column names of :func:`csv_row`."""
    return ["input", "model", "version", "label", "score", "unsure", *labels, "error", "reason", "text"]


def csv_row(name: str, result: PredictionResult, labels: Sequence[str]) -> list[str]:
    """Return a result as one row.

    It has the best label of the whole picture, all scores in the order of ``labels``, why the prediction is
    unsure, and the text of a number.
    """
    prediction = result.prediction
    scores = {score.label: score.score for score in prediction.scores}
    best = prediction.best
    columns = [
        prediction.model,
        str(prediction.version),
        best.label,
        f"{best.score:.6f}",
        str(prediction.unsure).lower(),
    ]
    text = "" if result.reading is None else result.reading.text
    shares = [f"{scores.get(label, 0.0):.6f}" for label in labels]
    return [name, *columns, *shares, "", prediction.reason or "", text]


def csv_error_row(name: str, error: str, labels: Sequence[str]) -> list[str]:
    """Return the row of an input without a result."""
    return [name, *[""] * (len(labels) + 5), error, "", ""]


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as CSV that is safe to open in a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    for row in rows:
        # A file named "=1+1.png" must not become a formula.
        writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell for cell in row])
    return stream.getvalue()


def result_text(result: PredictionResult, name: str, path: Path) -> str:
    """Return a result in the format of a file's suffix: CSV, or JSON otherwise."""
    if path.suffix.lower() != ".csv":
        return result_json(result)
    labels = [score.label for score in result.prediction.scores]
    return csv_text([csv_header(labels), csv_row(name, result, labels)])


def _prediction_fields(prediction: Prediction) -> dict[str, object]:
    """Return a prediction with descending scores, and with the reason if it is unsure for one."""
    fields: dict[str, object] = {
        "model": prediction.model,
        "version": prediction.version,
        "label": prediction.best.label,
        "score": prediction.best.score,
        "unsure": prediction.unsure,
        "scores": [{"label": score.label, "score": score.score} for score in prediction.scores],
    }
    if prediction.reason is not None:
        fields["reason"] = prediction.reason
    return fields


def _reading_fields(reading: Reading) -> dict[str, object]:
    """Return a number in the form of ``POST /models/{name}/read``, and whether one of its digits is unsure.

    The label of the whole picture is left out: it says nothing about a number.
    """
    return {
        "model": reading.model,
        "version": reading.version,
        "text": reading.text,
        "lines": reading.texts,
        "digits": [dataclasses.asdict(digit) for digit in reading.digits],
        "unsure": reading.unsure,
    }
