"""Formats results as JSON and CSV."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from desktop.prediction.backends import PredictionResult


def result_json(result: PredictionResult) -> str:
    """Return a result as a JSON object, with descending scores."""
    prediction = result.prediction
    document = {
        "model": prediction.model,
        "version": prediction.version,
        "label": prediction.best.label,
        "score": prediction.best.score,
        "unsure": prediction.unsure,
        "scores": [{"label": score.label, "score": score.score} for score in prediction.scores],
        "computed_on": result.location.value,
        "milliseconds": round(result.milliseconds, 3),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def csv_header(labels: Sequence[str]) -> list[str]:
    """Return the column names of :func:`csv_row`."""
    return ["input", "model", "version", "label", "score", "unsure", *labels, "error"]


def csv_row(name: str, result: PredictionResult, labels: Sequence[str]) -> list[str]:
    """Return a result as one row: the best label, then all scores in the order of ``labels``."""
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
    return [name, *columns, *(f"{scores.get(label, 0.0):.6f}" for label in labels), ""]


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
