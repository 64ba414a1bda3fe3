"""Measures the desktop app: start to first paint, stroke to bars, work of the window for a mouse move.

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


def strokes(*, explains: bool) -> tuple[list[float], list[float]]:
    """Draw strokes.

    Args:
        explains: Whether the explanation is open.

    Returns:
        The time from the end of each stroke to its bars, and the processor time for each mouse move.
    """
    from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
    from PySide6.QtTest import QTest
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

    def wait_until(condition: Callable[[], bool]) -> None:
        loop, timer = QEventLoop(), QTimer()
        timer.timeout.connect(lambda: loop.quit() if condition() else None)
        timer.start(0)
        loop.exec()

    completed: list[float] = []
    window.controller.completed.connect(
        lambda response: response.request.settled and completed.append(time.perf_counter())
    )
    wait_until(lambda: window.controller.model is not None)
    if explains:
        window.explanation_dock.action.trigger()
        app.processEvents()
    pad, handle = window.draw_page.pad, window.windowHandle()
    centre, side = pad.mapTo(window, pad.square().center().toPoint()), pad.square().width()
    left, no_key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    delays, moves = [], []
    for number in range(_STROKES):
        points = [
            centre + QPoint(round(math.sin(step / 6 + number) * side / 4), round((step - 20) * side / 60))
            for step in range(_POINTS)
        ]
        QTest.mousePress(handle, left, no_key, points[0])
        for point in points[1:]:
            begin = time.thread_time()
            QTest.mouseMove(handle, point)
            app.processEvents()
            moves.append((time.thread_time() - begin) * 1000)
        before = len(completed)
        begin = time.perf_counter()
        QTest.mouseRelease(handle, left, no_key, points[-1])
        wait_until(lambda before=before: len(completed) > before)
        delays.append((completed[-1] - begin) * 1000)
        window.draw_page.clear()
    window.close()
    return delays[1:], moves  # the first stroke waits until the network is loaded


def main() -> None:
    """Measure, and print the figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        # The app must not overwrite the settings of the user.
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = folder
        paints = first_paint()
        figures: dict[str, dict[str, float]] = {
            "start to first paint": {"median": quantile(paints, 0.5), "worst": quantile(paints, 1)}
        }
        for name, explains in (("", False), (" with the explanation open", True)):
            delays, moves = strokes(explains=explains)
            figures[f"stroke to bars{name}"] = {
                "median": quantile(delays, 0.5),
                "95 %": quantile(delays, 0.95),
            }
            figures[f"work per mouse move{name}"] = {
                "median": quantile(moves, 0.5),
                "99 %": quantile(moves, 0.99),
                "worst": quantile(moves, 1),
            }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
