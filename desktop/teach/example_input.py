"""Takes examples by hand: drawings, and pictures of the webcam."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from desktop.drawing.pad import Pad
from desktop.pictures.images import jpeg_of_picture, png_of_drawing
from desktop.pictures.picture_view import PictureView
from desktop.teach.camera import Camera
from desktop.teach.example_set import MAX_SIDE, clean_label
from desktop.widgets import caption, column, create_combo, row
from desktop.window.messages import announce

# While the button is held down, the webcam takes a picture this often, in milliseconds.
_REPEAT_MS = 200


class ExampleInput(QWidget):
    """A pad or the picture of the webcam, with the label of what they show.

    Attributes:
        pad: Where examples are drawn.
        label: The label of the next examples.

    Signals:
        example_given: Carries the label, and the bytes of a picture file.
        webcam_started: The webcam was turned on.
    """

    example_given = Signal(str, bytes)
    webcam_started = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = Pad(self)
        self.pad.hint = self.tr("Draw an example")
        self.live = PictureView(self)
        self.live.hint = self.tr("Starting the webcam…")
        self.label = QLineEdit(self)
        self.add = QPushButton(self)
        self.webcam = QToolButton(self)
        self.webcams = create_combo(self.tr("Webcam"), parent=self)
        self.clear = QToolButton(self)
        self.notice = QLabel(self)
        self._camera = Camera(self)
        self._stack = QStackedWidget(self)
        keys, scope = QKeySequence.StandardKey, Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut(keys.Undo, self, self.pad.canvas.undo, context=scope)
        QShortcut(keys.Redo, self, self.pad.canvas.redo, context=scope)
        self._lay_out()
        self._show_source()
        self.add.clicked.connect(self.give_example)
        self.label.returnPressed.connect(self.give_example)
        self.clear.clicked.connect(self.pad.clear)
        self.webcam.toggled.connect(self._turn_webcam)
        self.webcams.activated.connect(lambda: self._camera.start(self.webcams.currentText()))
        self._camera.started.connect(self._show_webcams)
        self._camera.frame_ready.connect(self._show_frame)
        self._camera.failed.connect(self._show_failure)

    def give_example(self) -> None:
        """Emit the drawing or the picture of the webcam; does nothing without a label or a content."""
        label = clean_label(self.label.text())
        if not label:
            self.label.setFocus()
        elif self.webcam.isChecked():
            if not self.live.image.isNull():
                self.example_given.emit(label, jpeg_of_picture(self.live.image, side=MAX_SIDE))
        elif not self.pad.is_blank:
            self.example_given.emit(label, png_of_drawing(self.pad.picture))

    def hideEvent(self, event: QHideEvent) -> None:
        """Turn the webcam off, so that it never runs unseen."""
        super().hideEvent(event)
        self.webcam.setChecked(False)

    def _turn_webcam(self, on: bool) -> None:
        self.notice.hide()
        self.live.show_image(QImage(), "")
        self._show_source()
        if on:
            self._camera.start(self.webcams.currentText())
        else:
            self._camera.stop()

    @Slot(tuple, str)
    def _show_webcams(self, names: tuple[str, ...], name: str) -> None:
        with QSignalBlocker(self.webcams):
            self.webcams.clear()
            self.webcams.addItems(names)
            self.webcams.setCurrentText(name)
        self.webcams.setVisible(len(names) > 1)
        self.webcam_started.emit()

    @Slot(object)
    def _show_frame(self, frame: QImage) -> None:
        self.live.show_image(frame, self.tr("Picture of the webcam"))

    @Slot(str)
    def _show_failure(self, text: str) -> None:
        self.webcam.setChecked(False)
        self.notice.setText(text)
        self.notice.show()
        announce(self, text)

    def _show_source(self) -> None:
        """Show what the pad or the webcam needs."""
        uses_webcam = self.webcam.isChecked()
        self._stack.setCurrentWidget(self.live if uses_webcam else self.pad)
        self.add.setText(self.tr("&Add the picture") if uses_webcam else self.tr("&Add the drawing"))
        self.add.setAutoRepeat(uses_webcam)
        self.add.setToolTip(self.tr("Hold it down to take many pictures") if uses_webcam else "")
        self.clear.setVisible(not uses_webcam)
        self.webcams.setVisible(uses_webcam and self.webcams.count() > 1)

    def _lay_out(self) -> None:
        for widget in (self.pad, self.live):
            self._stack.addWidget(widget)
        # The pad takes the room that there is: its preferred size would move the label out of a low window.
        self._stack.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self._stack.setMinimumHeight(self.pad.minimumHeight())
        self.label.setPlaceholderText(self.tr("Label, such as A"))
        self.add.setAutoRepeatInterval(_REPEAT_MS)
        self.webcam.setText(self.tr("&Webcam"))
        self.webcam.setCheckable(True)
        self.clear.setText(self.tr("Clea&r"))
        self.notice.setWordWrap(True)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.notice.hide()
        column(
            (self._stack, 1),
            row(self.webcam, (self.webcams, 1), None, self.clear),
            self.notice,
            row(caption(self.tr("&Label"), self.label), (self.label, 1), self.add),
            parent=self,
        )
