"""The controls that play how a convolution is computed."""

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desktop.lab.convolution.playback import Playback
from desktop.widgets import column, create_combo, row

_TICK_MS = 33


class Player(QWidget):
    """Plays a convolution value by value: play, pause, step, speed, stop.

    Attributes:
        playback: The state; None while all of the output is shown.

    Signals:
        moved: The playback advanced, started or ended.
    """

    moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.playback: Playback | None = None
        self._size = (0, 0, 1)
        self.play = QPushButton(self.tr("Pla&y"), self)
        self.step = QPushButton(self.tr("S&tep"), self)
        self.next = QPushButton(self.tr("&Next value"), self)
        self.stop = QPushButton(self.tr("Stop"), self)
        self.speeds = create_combo(self.tr("Speed"), self._speed_items(), self)
        self.state = QLabel(self)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._lay_out()
        self.play.clicked.connect(self._toggle)
        self.step.clicked.connect(lambda: self._advance(Playback.step))
        self.next.clicked.connect(lambda: self._advance(Playback.next_value))
        self.stop.clicked.connect(self.end)

    @property
    def is_playing(self) -> bool:
        """Whether the window moves by itself."""
        return self._timer.isActive()

    def set_size(self, rows: int, columns: int, terms: int) -> None:
        """Set the size of the output and the products of a value; another size ends the playback."""
        if (rows, columns, terms) != self._size:
            self._size = (rows, columns, terms)
            self.end()
        self.setEnabled(rows * columns > 0)

    def pause(self) -> None:
        """Stop moving; the playback stays where it is."""
        self._timer.stop()
        self._update()

    def end(self) -> None:
        """Show all of the output again."""
        self._timer.stop()
        self.playback = None
        self._update()
        self.moved.emit()

    def move_to(self, line: int, place: int) -> None:
        """Pause at a value, if there is a playback."""
        if self.playback is not None:
            self.playback.move_to(line, place)
            self.pause()
            self.moved.emit()

    def _toggle(self) -> None:
        if self.is_playing:
            self.pause()
            return
        self._begin()
        self._timer.start()
        self._update()
        self.moved.emit()

    def _begin(self) -> Playback:
        if self.playback is None or self.playback.finished:
            self.playback = Playback(*self._size)
        return self.playback

    def _advance(self, change: Callable[[Playback], None]) -> None:
        self._timer.stop()
        change(self._begin())
        self._update()
        self.moved.emit()

    def _tick(self) -> None:
        playback = self.playback
        assert playback is not None
        products, values, rows = self.speeds.currentData()
        per_second = products + playback.terms * (values + rows * playback.columns)
        playback.advance(per_second * _TICK_MS / 1000)
        if playback.finished:
            self._timer.stop()
        self._update()
        self.moved.emit()

    def _update(self) -> None:
        self.play.setText(self.tr("Pa&use") if self.is_playing else self.tr("Pla&y"))
        self.stop.setEnabled(self.playback is not None)
        playback = self.playback
        self.state.clear()
        if playback is not None:
            text = self.tr("Value {0} of {1}, product {2} of {3}")
            value = min(playback.complete_values + 1, playback.count)
            self.state.setText(text.format(value, playback.count, playback.added, playback.terms))

    def _speed_items(self) -> tuple[tuple[str, tuple[float, float, float]], ...]:
        # Products, values and rows in a second.
        return (
            (self.tr("2 products a second"), (2, 0, 0)),
            (self.tr("1 value a second"), (0, 1, 0)),
            (self.tr("10 values a second"), (0, 10, 0)),
            (self.tr("1 row a second"), (0, 0, 1)),
            (self.tr("10 rows a second"), (0, 0, 10)),
        )

    def _lay_out(self) -> None:
        self.speeds.setCurrentIndex(1)
        self.stop.setEnabled(False)
        self.state.setWordWrap(True)
        # Two rows, so that the page fits into a window of the default width.
        buttons = row(self.play, self.step, self.next, self.stop, None)
        column(buttons, row(self.speeds, (self.state, 1)), parent=self)
