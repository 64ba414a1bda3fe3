"""Takes screenshots of the app: each page with content, in the light and the dark theme.

Run ``python tests/desktop/screenshots.py FOLDER`` with ``QT_QPA_PLATFORM`` set as in the README to take all,
or with ``--readme`` to replace those of the README.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import gestures
from gestures import menu_action
from pen_digits import SAMPLE, digits
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QWidget

import desktop
from desktop.app import apply_style
from desktop.drawing.strokes import CANVAS_SIZE
from desktop.pictures.dropped_files import DroppedFile
from desktop.pictures.sample_bar import SAMPLES
from desktop.prediction.worker import join_closed_workers
from desktop.settings import Settings, Theme
from desktop.window.main_window import MainWindow
from service.inference.catalog import BUNDLED

README = Path(desktop.__file__).parent / "screenshots"
REVIEW = (
    "What a wonderful film. The story is simple, the actors are great, and the music stays with you "
    "for days. Only the ending is a little weak."
)
# Numbers of well-shaped digits in the sample of pen-drawn digits.
EARLIER, LAST = (41, 325, 170), 130
_WAIT_MS = 900
# Strokes in shares of the canvas.
LETTERS = {
    "A": (((0.5, 0.2), (0.28, 0.8)), ((0.5, 0.2), (0.72, 0.8)), ((0.37, 0.58), (0.63, 0.58))),
    "L": (((0.35, 0.2), (0.35, 0.78), (0.68, 0.78)),),
    "V": (((0.28, 0.22), (0.5, 0.8), (0.72, 0.22)),),
}


def wait(milliseconds: int = _WAIT_MS) -> None:
    """Run the event loop."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def draw_digit(window: MainWindow, number: int) -> None:
    """Draw a digit of the sample with the mouse."""
    _, strokes = list(digits(SAMPLE))[number]
    window.draw_page.clear()
    for stroke in strokes:
        gestures.draw(window.draw_page.pad, [tuple(point / CANVAS_SIZE) for point in stroke], steps=1)
    wait()


def draw(window: MainWindow) -> None:
    """Fill the drawing page and the history."""
    for number in (*EARLIER, LAST):
        draw_digit(window, number)


def pictures(window: MainWindow) -> None:
    """Fill the pictures page."""
    window.tabs.setCurrentWidget(window.pictures_page)
    wait()
    folder = SAMPLES / (window.controller.model.name if window.controller.model else "mnist")
    window.pictures_page.load([DroppedFile(path.name, path) for path in sorted(folder.glob("*.*"))])
    wait(2 * _WAIT_MS)


def text(window: MainWindow) -> None:
    """Fill the text page."""
    window.tabs.setCurrentWidget(window.text_page)
    window.text_page.editor.setPlainText(REVIEW)
    wait(2 * _WAIT_MS)


def folder(window: MainWindow) -> None:
    """Classify a folder."""
    window.tabs.setCurrentWidget(window.folder_page)
    window.folder_page.classify(SAMPLES)
    wait(2 * _WAIT_MS)


def lab(window: MainWindow) -> None:
    """Show the convolution lab."""
    window.tabs.show_tool(window.lab_page)
    wait()


def network(window: MainWindow) -> None:
    """Show all layers of a network in the lab, with a digit."""
    lab(window)
    _, strokes = list(digits(SAMPLE))[LAST]
    for stroke in strokes:
        points = [tuple(point / CANVAS_SIZE) for point in stroke]
        gestures.draw(window.lab_page.picker.pad, points, steps=1)
    page = window.lab_page.network
    window.lab_page.tabs.setCurrentWidget(page)
    while page.picture is None:
        wait()
    page.show_map(4, 7)
    wait(2 * _WAIT_MS)


def train(window: MainWindow) -> None:
    """Train the lecture's overfitting, to its end."""
    page = window.train_page
    window.tabs.show_tool(page)
    _, strokes = list(digits(SAMPLE))[LAST]
    page.watched.pad.clear()
    for stroke in strokes:
        gestures.draw(page.watched.pad, [tuple(point / CANVAS_SIZE) for point in stroke], steps=1)
    page.start_training()
    while not page.controls.phase.is_idle:
        wait()


def teach(window: MainWindow) -> None:
    """Teach three letters."""
    page = window.teach_page
    window.tabs.show_tool(page)
    wait()
    for label, lines in LETTERS.items():
        page.input.label.setText(label)
        for number in range(5):
            for line in lines:
                shift = (number - 2) * 0.015
                gestures.draw(page.input.pad, [(x + shift, y - shift) for x, y in line])
            page.input.give_example()
    page.teach_model()
    while page.progress.isVisible():
        wait()


def why(window: MainWindow) -> None:
    """Show the explanation."""
    window.tabs.setCurrentIndex(0)
    window.explanation_dock.action.trigger()
    draw_digit(window, LAST)
    wait()


def replayed(window: MainWindow) -> None:
    """Replay the drawing to its end."""
    window.draw_page.open_replay()
    wait(4 * _WAIT_MS)


def preferences(window: MainWindow) -> None:
    """Open the preferences."""
    _trigger(window, "PreferencesDialog", "&Preferences…")
    wait()


def card(window: MainWindow) -> None:
    """Show the model's card."""
    _trigger(window, "CardViewer", "About this &model…")
    wait()


def _trigger(window: MainWindow, context: str, text: str) -> None:
    """Trigger the action of a menu, in any language."""
    menu_action(window, QCoreApplication.translate(context, text).replace("&", "")).trigger()


def shot(window: MainWindow, path: Path) -> None:
    """Save the dialog that is open, or else the window; close the dialog."""
    dialogs = [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]
    target: QWidget = dialogs[-1] if dialogs else window
    target.grab().save(str(path))
    # 256 colours are enough for a window, and a third of the size.
    Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    for dialog in dialogs:
        dialog.reject()


def main() -> None:
    """Take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=README)
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--language", default="en")
    parser.add_argument("--only", nargs="*", default=[], help="Names of the views to take.")
    options = parser.parse_args()
    app = QApplication([])
    options.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as settings_folder:
        gestures.isolate_settings(Path(settings_folder))
        for theme in (Theme.LIGHT, Theme.DARK):
            take_all(app, theme, options, data=Path(settings_folder, theme.value))
    join_closed_workers(5)


def take_all(app: QApplication, theme: Theme, options: argparse.Namespace, *, data: Path) -> None:
    """Take the screenshots in one theme."""
    settings = Settings(server="", language=options.language, models={"pictures": "cifar10"}, theme=theme)
    steps: tuple[Callable[[MainWindow], None], ...] = (
        draw, pictures, text, folder, lab, network, train, teach, replayed, preferences, card, why,
    )  # fmt: skip
    if options.readme:
        steps = (draw, network, train) if theme is Theme.LIGHT else (why,)
    if options.only:
        steps = tuple(step for step in steps if step.__name__ in options.only)
    apply_style(app, settings)
    window = MainWindow(settings, models=BUNDLED, data=data)
    window.show()
    window.start()
    wait()
    for step in steps:
        if step is replayed:
            window.tabs.setCurrentIndex(0)
            wait()
        step(window)
        shot(window, options.folder / f"{step.__name__}-{theme.value}.png")
    window.close()


if __name__ == "__main__":
    main()
