"""Owns the measurements of the desktop app: start to first paint, stroke to bars, work for the window.

Run ``python tests/benchmarks/bench_desktop.py`` on a machine that has nothing else to do. It drives the real
window through Qt's own event queue, without a screen unless QT_QPA_PLATFORM says otherwise, with the models
that are committed, and prints one JSON object. All figures are milliseconds.
"""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
_STARTS, _STROKES = 5, 40
_PAINT = """
import sys, time
from pathlib import Path
start = float(sys.argv[1])
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
from desktop import app as program
class Watch(QObject):
    def eventFilter(self, thing, event):
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self.tell)
            QApplication.instance().removeEventFilter(self)
        return False
    def tell(self):
        print((time.time() - start) * 1000)
        QApplication.closeAllWindows()
watch = Watch()
original = program.apply_style
def apply_style(app, settings):
    original(app, settings)
    app.installEventFilter(watch)
program.apply_style = apply_style
sys.exit(program.run(models=Path(sys.argv[2]), offline=True))
"""


def percentile(values: list[float], share: float) -> float:
    """Return the value that a share of all values does not exceed."""
    ordered = sorted(values)
    return round(ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1], 1)


def first_paint() -> list[float]:
    """Start the app afresh several times; return the time from the start of Python to the first paint."""
    from service.inference.catalog import BUNDLED

    times = []
    for _ in range(_STARTS):
        run = subprocess.run(
            [sys.executable, "-c", _PAINT, str(time.time()), str(BUNDLED)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        times.append(float(run.stdout))
    return times


def strokes() -> tuple[list[float], list[float]]:
    """Draw strokes; return the times from the last event of each to its bars, and the work of each turn."""
    from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from desktop.app import apply_style
    from desktop.settings import Settings
    from desktop.window.main_window import MainWindow
    from service.inference.catalog import BUNDLED

    app = QApplication([])
    apply_style(app, Settings())
    window = MainWindow(Settings(), models=BUNDLED, offline=True)
    window.show()
    window.start()

    def until(done: Callable[[], bool]) -> None:
        loop, timer = QEventLoop(), QTimer()
        timer.timeout.connect(lambda: loop.quit() if done() else None)
        timer.start(0)
        loop.exec()

    answers: list[float] = []
    window.controller.completed.connect(
        lambda answer: answer.request.settled and answers.append(time.perf_counter())
    )
    until(lambda: window.panel.model is not None)
    pad, handle = window.draw_page.pad, window.windowHandle()
    middle, side = pad.mapTo(window, pad.square().center().toPoint()), pad.square().width()
    left, plain = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    delays, turns = [], []
    for number in range(_STROKES):
        spots = [
            middle + QPoint(round(math.sin(turn / 6 + number) * side / 4), round((turn - 20) * side / 60))
            for turn in range(40)
        ]
        QTest.mousePress(handle, left, plain, spots[0])
        for spot in spots[1:]:
            begin = time.thread_time()
            QTest.mouseMove(handle, spot)
            app.processEvents()
            turns.append((time.thread_time() - begin) * 1000)
        already = len(answers)
        begin = time.perf_counter()
        QTest.mouseRelease(handle, left, plain, spots[-1])
        until(lambda already=already: len(answers) > already)
        delays.append((answers[-1] - begin) * 1000)
        window.draw_page.clear()
    window.close()
    return delays[1:], turns  # The first stroke waits for the network to be loaded.


def main() -> None:
    """Measure, and print what was found as JSON."""
    paints = first_paint()
    delays, turns = strokes()
    found = {
        "start to first paint": {"median": percentile(paints, 0.5), "worst": percentile(paints, 1)},
        "stroke to bars": {"median": percentile(delays, 0.5), "95 %": percentile(delays, 0.95)},
        "work per mouse move": {"median": percentile(turns, 0.5), "99 %": percentile(turns, 0.99),
                                "worst": percentile(turns, 1)},
    }  # fmt: skip
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
