"""Measures the desktop app: start to first paint, stroke to bars, work for a mouse move, maps of the lab.

Run ``python tests/benchmarks/bench_desktop.py`` on a machine that has nothing else to do. It drives the real
window with the committed models through Qt's own event queue, without a display unless QT_QPA_PLATFORM says
otherwise, and prints one JSON object. All figures are in ms.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from desktop.drawing.pad import Pad
    from desktop.lab.page import LabPage
    from desktop.window.main_window import MainWindow

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
_STARTS, _STROKES, _POINTS = 5, 40, 40
_FIRST_PAINT = """
import sys, time
from pathlib import Path
start = float(sys.argv[1])
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
from desktop import app as program
class PaintFilter(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self.finish)
            QApplication.instance().removeEventFilter(self)
        return False
    def finish(self):
        print((time.time() - start) * 1000)
        QApplication.closeAllWindows()
paint_filter = PaintFilter()
original = program.apply_style
def apply_style(app, settings):
    original(app, settings)
    app.installEventFilter(paint_filter)
program.apply_style = apply_style
sys.exit(program.run(models=Path(sys.argv[2]), offline=True))
"""


def quantile(values: list[float], share: float) -> float:
    """Return the value that a share of all values does not exceed."""
    ordered = sorted(values)
    return round(ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1], 1)


def first_paint() -> list[float]:
    """Start the app several times; return the times from the start of Python to the first paint."""
    from service.inference.catalog import BUNDLED

    times = []
    for _ in range(_STARTS):
        command = [sys.executable, "-c", _FIRST_PAINT, str(time.time()), str(BUNDLED)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        times.append(float(done.stdout.splitlines()[-1]))
    return times


def wait_until(condition: Callable[[], bool]) -> None:
    """Run the event loop until a condition holds."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: loop.quit() if condition() else None)
    timer.start(0)
    loop.exec()


def open_window() -> "MainWindow":
    """Open the window with the committed models."""
    from PySide6.QtWidgets import QApplication

    from desktop.app import apply_style
    from desktop.settings import Settings
    from desktop.window.main_window import MainWindow
    from service.inference.catalog import BUNDLED

    app = QApplication.instance() or QApplication([])
    apply_style(app, Settings())
    window = MainWindow(Settings(), models=BUNDLED, offline=True)
    window.show()
    window.start()
    wait_until(lambda: window.controller.model is not None)
    return window


def draw_stroke(window: "MainWindow", pad: "Pad", number: int) -> tuple[list[float], Callable[[], None]]:
    """Draw a stroke on a pad.

    Returns:
        The processor time of the GUI thread for each mouse move, and a function that ends the stroke.
    """
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    handle = window.windowHandle()
    centre, side = pad.mapTo(window, pad.square().center().toPoint()), pad.square().width()
    left, no_key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    points = [
        centre + QPoint(round(math.sin(step / 6 + number) * side / 4), round((step - 20) * side / 60))
        for step in range(_POINTS)
    ]
    moves = []
    QTest.mousePress(handle, left, no_key, points[0])
    for point in points[1:]:
        begin = time.thread_time()
        QTest.mouseMove(handle, point)
        QApplication.processEvents()
        moves.append((time.thread_time() - begin) * 1000)
    return moves, lambda: QTest.mouseRelease(handle, left, no_key, points[-1])


def strokes(*, explain: bool) -> tuple[list[float], list[float]]:
    """Draw strokes on the page *Draw*.

    Args:
        explain: Whether the explanation is shown.

    Returns:
        The time from the end of each stroke to its bars, and the work for each mouse move.
    """
    window = open_window()
    window.explanation_dock.setVisible(explain)
    completed: list[float] = []
    window.controller.completed.connect(
        lambda response: response.request.settled and completed.append(time.perf_counter())
    )
    delays, moves = [], []
    for number in range(_STROKES):
        work, end_stroke = draw_stroke(window, window.draw_page.pad, number)
        moves += work
        before, begin = len(completed), time.perf_counter()
        end_stroke()
        wait_until(lambda before=before: len(completed) > before)
        delays.append((completed[-1] - begin) * 1000)
        window.draw_page.clear()
    window.close()
    return delays[1:], moves  # the first stroke waits until the network is loaded


def lab_strokes(topic_name: str) -> list[float]:
    """Draw strokes in the lab with one of its pages shown; return the work for each mouse move."""
    window = open_window()
    lab, _ = show_lab(window, topic_name)
    moves = []
    for number in range(_STROKES):
        work, end_stroke = draw_stroke(window, lab.picker.pad, number)
        moves += work
        end_stroke()
        lab.picker.pad.clear()
    window.close()
    return moves


def network_refreshes() -> list[float]:
    """Return the times from a new input of the page *Network* to its maps, with each network for digits."""
    window = open_window()
    lab, topic = show_lab(window, "network")
    draw_stroke(window, lab.picker.pad, 0)[1]()
    wait_until(lambda: topic.picture is not None)
    lab_input = topic.lab_input
    times = []
    for index in range(topic.models.count()):
        if topic.models.itemData(index).name != "mnist":
            continue
        topic.models.setCurrentIndex(index)
        for number in range(_STROKES):
            before, begin = topic.picture, time.perf_counter()
            topic.set_input(lab_input, "")
            wait_until(lambda before=before: topic.picture is not before)
            if number:  # the first one waits until the network is loaded
                times.append((time.perf_counter() - begin) * 1000)
    window.close()
    return times


def show_lab(window: "MainWindow", topic_name: str) -> "tuple[LabPage, Any]":
    """Show a page of the lab."""
    lab = window.lab_page
    window.tabs.show_tool(lab)
    topic = getattr(lab, topic_name)
    lab.tabs.setCurrentWidget(topic)
    if topic_name == "network":
        wait_until(lambda: topic.models.count() > 0)
    return lab, topic


def main() -> None:
    """Measure, and print the figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        # The app must not overwrite the settings of the user.
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = folder
        paints = first_paint()
        delays, moves = strokes(explain=False)
        work = {
            "work per mouse move": moves,
            "with the explanation": strokes(explain=True)[1],
            "in the lab, convolution": lab_strokes("convolution"),
            "in the lab, network": lab_strokes("network"),
        }
        refreshes = network_refreshes()
    figures = {
        "start to first paint": {"median": quantile(paints, 0.5), "worst": quantile(paints, 1)},
        "stroke to bars": {"median": quantile(delays, 0.5), "95 %": quantile(delays, 0.95)},
        **{
            name: {"median": quantile(each, 0.5), "99 %": quantile(each, 0.99), "worst": quantile(each, 1)}
            for name, each in work.items()
        },
        "refresh of the network's maps": {
            "median": quantile(refreshes, 0.5),
            "95 %": quantile(refreshes, 0.95),
            "worst": quantile(refreshes, 1),
        },
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
