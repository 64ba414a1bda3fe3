"""Loads pen-drawn digits, draws them on the real pad, and renders them directly.

As a program it draws them on the pad in windows of two sizes, and prints the accuracy of each as JSON. The
variable QT_SCALE_FACTOR sets the density of the screen.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from gestures import LEFT, NO_MODIFIER, isolate_settings
from PIL import Image, ImageDraw
from PySide6.QtCore import QPointF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.app import apply_style
from desktop.drawing.pad import Pad
from desktop.drawing.strokes import CANVAS_SIZE, DEFAULT_BRUSH, DIGIT_HEIGHT
from desktop.pictures.images import pillow_of
from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from service.inference import Catalog, Predictor
from service.inference.preprocessing import prepare_digit

SAMPLE = Path(__file__).parents[1] / "data" / "pendigits.npz"
SIZES = ((820, 620), (1300, 1000))
_SUPERSAMPLING = 4
_BATCH = 256

Strokes = list[np.ndarray]


def digits(path: Path) -> Iterator[tuple[int, Strokes]]:
    """Yield labels and strokes, each a float array (points, 2) in coordinates of the canvas.

    The digits are centered and have the size of MNIST's, including the width of the brush.
    """
    sample = np.load(path)
    table = sample["points"].astype(float)
    starts = np.searchsorted(table[:, 0], np.arange(len(sample["labels"]) + 1))
    for number, label in enumerate(sample["labels"]):
        rows = table[starts[number] : starts[number + 1]]
        points = rows[:, 2:] * (1, -1)
        low, high = points.min(axis=0), points.max(axis=0)
        scale = DIGIT_HEIGHT * (1 - DEFAULT_BRUSH) / max(float((high - low).max()), 1)
        points = (points - (low + high) / 2) * scale + CANVAS_SIZE / 2
        yield int(label), [points[rows[:, 1] == stroke] for stroke in np.unique(rows[:, 1])]


def rendered(strokes: Strokes) -> Image.Image:
    """Draw strokes without the app: straight lines with round ends, with four-fold supersampling."""
    page = Image.new("L", (CANVAS_SIZE * _SUPERSAMPLING, CANVAS_SIZE * _SUPERSAMPLING))
    pen = ImageDraw.Draw(page)
    width = DEFAULT_BRUSH * DIGIT_HEIGHT * _SUPERSAMPLING
    for stroke in strokes:
        points = [tuple(point) for point in stroke * _SUPERSAMPLING]
        if len(points) > 1:
            pen.line(points, fill=255, width=round(width))
        for x, y in points:
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return page.reduce(_SUPERSAMPLING)


def replay(pad: Pad, strokes: Strokes) -> Image.Image:
    """Draw strokes with the mouse on a visible pad, return its picture, and clear it."""
    handle = pad.window().windowHandle()
    square = pad.square()
    for stroke in strokes:
        points = [
            pad.mapTo(pad.window(), square.topLeft() + QPointF(x, y) * square.width() / CANVAS_SIZE).toPoint()
            for x, y in stroke
        ]
        QTest.mousePress(handle, LEFT, NO_MODIFIER, points[0])
        for point in points[1:]:
            QTest.mouseMove(handle, point)
        QTest.mouseRelease(handle, LEFT, NO_MODIFIER, points[-1])
    picture = pillow_of(pad.picture)
    pad.clear()
    return picture


def accuracy(predictor: Predictor, pictures: Iterable[Image.Image], labels: Sequence[int]) -> float:
    """Return the share of correct predictions."""
    rows = [prepare_digit(picture) for picture in pictures]
    right = 0
    for start in range(0, len(rows), _BATCH):
        best = predictor.probabilities(np.stack(rows[start : start + _BATCH])).argmax(axis=1)
        right += int((best == np.array(labels[start : start + _BATCH])).sum())
    return right / len(rows)


def measure(predictor: Predictor, path: Path) -> dict[str, float]:
    """Draw the digits of a file on pads of two sizes; return the accuracies by the pad's side in pixels."""
    drawn = list(digits(path))
    labels = [label for label, _ in drawn]
    found = {}
    for size in SIZES:
        window = MainWindow(
            Settings(server=""), models=path.parent
        )  # Never started, so that it reads nothing.
        window.resize(*size)
        window.show()
        QApplication.processEvents()
        pad = window.draw_page.pad
        pictures = (replay(pad, strokes) for _, strokes in drawn)
        found[f"{pad.square().width():.0f} at {pad.devicePixelRatio()}"] = accuracy(
            predictor, pictures, labels
        )
        window.close()
    return found


def main() -> None:
    """Measure, and print the accuracies as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path)
    parser.add_argument("file", type=Path, nargs="?", default=SAMPLE)
    parser.add_argument("--version", type=int)
    parser.add_argument("--direct", action="store_true", help="render directly, with no pad at all")
    options = parser.parse_args()
    predictor = Catalog(options.models).predictor("mnist", options.version)
    if options.direct:
        drawn = list(digits(options.file))
        found = {
            "direct": accuracy(predictor, (rendered(one) for _, one in drawn), [label for label, _ in drawn])
        }
    else:
        app = QApplication([])
        with TemporaryDirectory() as folder:
            isolate_settings(Path(folder))
            apply_style(app, Settings())
            found = measure(predictor, options.file)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
