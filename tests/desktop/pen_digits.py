"""Owns the pen-drawn digits: reading them, drawing them on the real pad, and rendering them directly.

Run as a program it draws them on the pad of a real window, in windows of two sizes, and prints the accuracy
of each as JSON. The density of the screen is set from outside, by QT_SCALE_FACTOR.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from gestures import LEFT, PLAIN
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
_FINER = 4
_BATCH = 256

Strokes = list[np.ndarray]


def digits(path: Path) -> Iterator[tuple[int, Strokes]]:
    """Yield labels and strokes, each a float array (points, 2) in coordinates of the pad's page.

    A digit is as high, or broad, as MNIST's are, ink included, and lies in the middle.
    """
    sample = np.load(path)
    points = sample["points"].astype(float)
    starts = np.searchsorted(points[:, 0], np.arange(len(sample["labels"]) + 1))
    for number, label in enumerate(sample["labels"]):
        rows = points[starts[number] : starts[number + 1]]
        spots = rows[:, 2:] * (1, -1)
        low, high = spots.min(axis=0), spots.max(axis=0)
        scale = DIGIT_HEIGHT * (1 - DEFAULT_BRUSH) / max(float((high - low).max()), 1)
        spots = (spots - (low + high) / 2) * scale + CANVAS_SIZE / 2
        yield int(label), [spots[rows[:, 1] == stroke] for stroke in np.unique(rows[:, 1])]


def rendered(strokes: Strokes) -> Image.Image:
    """Draw strokes without the app: straight lines with round ends, on a page four times as fine."""
    page = Image.new("L", (CANVAS_SIZE * _FINER, CANVAS_SIZE * _FINER))
    pen = ImageDraw.Draw(page)
    width = DEFAULT_BRUSH * DIGIT_HEIGHT * _FINER
    for stroke in strokes:
        spots = [tuple(spot) for spot in stroke * _FINER]
        if len(spots) > 1:
            pen.line(spots, fill=255, width=round(width))
        for x, y in spots:
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return page.reduce(_FINER)


def replay(pad: Pad, strokes: Strokes) -> Image.Image:
    """Draw strokes with the mouse on a pad that is shown, return its picture, and clear it."""
    handle = pad.window().windowHandle()
    square = pad.square()
    for stroke in strokes:
        spots = [
            pad.mapTo(pad.window(), square.topLeft() + QPointF(x, y) * square.width() / CANVAS_SIZE).toPoint()
            for x, y in stroke
        ]
        QTest.mousePress(handle, LEFT, PLAIN, spots[0])
        for spot in spots[1:]:
            QTest.mouseMove(handle, spot)
        QTest.mouseRelease(handle, LEFT, PLAIN, spots[-1])
    picture = pillow_of(pad.picture)
    pad.clear()
    return picture


def accuracy(predictor: Predictor, pictures: Iterable[Image.Image], labels: Sequence[int]) -> float:
    """Return the share of pictures that are read right."""
    rows = [prepare_digit(picture) for picture in pictures]
    right = 0
    for start in range(0, len(rows), _BATCH):
        best = predictor.probabilities(np.stack(rows[start : start + _BATCH])).argmax(axis=1)
        right += int((best == np.array(labels[start : start + _BATCH])).sum())
    return right / len(rows)


def measure(predictor: Predictor, path: Path) -> dict[str, float]:
    """Draw every digit of a file on pads of two sizes; returns the accuracies by the pad's side in pixels."""
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
    """Measure, and print what was found as JSON."""
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
        apply_style(app, Settings())
        found = measure(predictor, options.file)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
