"""Writes the results of a folder as CSV."""

from collections.abc import Sequence

from desktop.folder.batch import FileResult
from desktop.folder.truth import true_label
from desktop.window.export_formats import csv_error_row, csv_header, csv_row, csv_text


def to_csv(results: Sequence[FileResult], labels: Sequence[str]) -> str:
    """Return results as the text of a CSV file.

    Args:
        results: The results.
        labels: The model's labels, each of which has a column. The last column has the true labels, if
            subfolders are named after some.
    """
    truths = [true_label(file.name, labels) for file in results]
    has_truths = any(truth is not None for truth in truths)
    rows = [csv_header(labels)]
    for file in results:
        if file.result is not None:
            rows.append(csv_row(file.shown, file.result, labels))
        else:
            rows.append(csv_error_row(file.shown, str(file.error), labels))
    if has_truths:
        for row, truth in zip(rows, ("true_label", *truths), strict=True):
            row.append(truth or "")
    return csv_text(rows)
