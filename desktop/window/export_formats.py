"""Owns the forms in which a result leaves the app: JSON and CSV."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from desktop.prediction.backends import PredictionResult


def as_json(reading: PredictionResult) -> str:
    """Return a reading as a JSON object, scores best first."""
    prediction = reading.prediction
    document = {
        "model": prediction.model,
        "version": prediction.version,
        "label": prediction.best.label,
        "score": prediction.best.score,
        "unsure": prediction.unsure,
        "scores": [{"label": score.label, "score": score.score} for score in prediction.scores],
        "computed_on": reading.place.value,
        "milliseconds": round(reading.milliseconds, 3),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def csv_header(labels: Sequence[str]) -> list[str]:
    """Return the names of the columns of :func:`csv_row`."""
    return ["input", "model", "version", "label", "score", "unsure", *labels, "error"]


def csv_row(name: str, reading: PredictionResult, labels: Sequence[str]) -> list[str]:
    """Return a reading as one row: the best label first, then every label's score in the model's order."""
    prediction = reading.prediction
    scores = {score.label: score.score for score in prediction.scores}
    best = prediction.best
    known = [
        prediction.model,
        str(prediction.version),
        best.label,
        f"{best.score:.6f}",
        str(prediction.unsure).lower(),
    ]
    return [name, *known, *(f"{scores.get(label, 0.0):.6f}" for label in labels), ""]


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as the text of a CSV file, safe to open in a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    for row in rows:
        # A file called "=1+1.png" must not become a formula.
        writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell for cell in row])
    return stream.getvalue()


def as_text(reading: PredictionResult, name: str, path: Path) -> str:
    """Return a reading in the form that a file's name asks for: CSV, or else JSON."""
    if path.suffix.lower() != ".csv":
        return as_json(reading)
    labels = [score.label for score in reading.prediction.scores]
    return csv_text([csv_header(labels), csv_row(name, reading, labels)])
