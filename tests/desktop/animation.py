"""Makes the moving picture of the README: digits that people drew are drawn on the pad, and the bars follow.

Run ``QT_QPA_PLATFORM=offscreen python tests/desktop/animation.py [FILE]``. It draws on the real window with
the mouse, takes a picture of the window at every point, and writes an animated GIF.
"""

import argparse
from pathlib import Path

import gestures
from pen_digits import SAMPLE, digits
from PIL import Image, ImageQt
from PySide6.QtWidgets import QApplication
from screenshots import README, wait

from desktop.app import apply_style
from desktop.drawing.strokes import CANVAS_SIZE
from desktop.settings import Settings, Theme
from desktop.window.main_window import MainWindow
from service.inference.catalog import BUNDLED

# Digits of the sample that are drawn in one or two legible strokes.
DIGITS = (41, 325, 130)
SIZE = (680, 458)
COLOURS = 64
FRAME_MS, LAST_FRAME_MS = 70, 1400
_ANSWER_MS = 120


class Recorder:
    """Collects pictures of a window, with the time for which each is shown."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._frames: list[Image.Image] = []
        self._durations: list[int] = []

    def take(self, milliseconds: int) -> None:
        """Wait for the prediction, and take a picture that is shown for so long."""
        wait(_ANSWER_MS)
        picture = ImageQt.fromqimage(self._window.grab().toImage()).convert("RGB")
        self._frames.append(picture.resize(SIZE, Image.Resampling.LANCZOS))
        self._durations.append(milliseconds)

    def save(self, path: Path) -> None:
        """Write an endless GIF. All frames share one palette, so that nothing flickers."""
        width, height = SIZE
        some = self._frames[::5]
        sheet = Image.new("RGB", (width, height * len(some)))
        for row, frame in enumerate(some):
            sheet.paste(frame, (0, row * height))
        palette = sheet.quantize(COLOURS, dither=Image.Dither.NONE)
        first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self._frames]
        first.save(path, save_all=True, append_images=others, duration=self._durations, loop=0, optimize=True)


def draw(window: MainWindow, number: int, recorder: Recorder) -> None:
    """Draw a digit of the sample, and record it."""
    _, strokes = list(digits(SAMPLE))[number]
    window.draw_page.clear()
    for stroke in strokes:
        line = [tuple(point / CANVAS_SIZE) for point in stroke]
        gestures.draw(window.draw_page.pad, line, steps=1, after_step=lambda: recorder.take(FRAME_MS))
    wait()
    recorder.take(LAST_FRAME_MS)


def main() -> None:
    """Make the moving picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=README / "drawing.gif")
    options = parser.parse_args()
    app = QApplication([])
    settings = Settings(server="", language="en", theme=Theme.LIGHT)
    apply_style(app, settings)
    window = MainWindow(settings, models=BUNDLED, offline=True)
    window.show()
    window.start()
    wait()
    recorder = Recorder(window)
    for number in DIGITS:
        draw(window, number, recorder)
    recorder.save(options.file)
    window.close()


if __name__ == "__main__":
    main()
