"""Shows the content, the answer and the bars on a projector, while the window stays on the first screen."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction, QCloseEvent, QGuiApplication, QKeyEvent, QScreen
from PySide6.QtWidgets import QLabel, QMainWindow, QStackedWidget, QWidget

from desktop.pictures.picture_view import PictureView
from desktop.prediction.controller import PredictionController
from desktop.prediction.requests import PredictionResponse
from desktop.result.answer_view import AnswerView
from desktop.result.bars import Bars
from desktop.widgets import column, row, scale_font
from service.inference import Card, LecternError

_MARGIN = 32


class SecondScreen(QWidget):
    """A window without controls that follows the controller; Escape closes it.

    Attributes:
        action: Shows and hides the window; enabled while there is a second screen.
    """

    def __init__(self, window: QMainWindow, controller: PredictionController) -> None:
        super().__init__(window, Qt.WindowType.Window)
        self._window, self._controller = window, controller
        # The keyboard stays with the window.
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle(self.tr("Presentation"))
        self.picture = PictureView(self)
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        scale_font(self.text, 2.5)
        self._content = QStackedWidget(self)
        for widget in (self.picture, self.text):
            self._content.addWidget(widget)
        self.answer = AnswerView(self)
        self.bars = Bars(self)
        result = column((self.answer, 1), (self.bars, 2), spacing=_MARGIN)
        row((self._content, 1), (result, 1), parent=self, margin=_MARGIN, spacing=_MARGIN)
        self.action = QAction(self.tr("Presentation on the &second screen"), window)
        self.action.setCheckable(True)
        self.action.setShortcut("Shift+F11")
        self.action.toggled.connect(self._show)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.screenAdded.connect(self._count_screens)
        app.screenRemoved.connect(self._count_screens)
        self._count_screens()
        controller.edited.connect(self._show_content)
        controller.page_changed.connect(lambda page: self._show_content())
        controller.model_changed.connect(self._show_labels)
        controller.card_changed.connect(self._show_threshold)
        controller.response_changed.connect(self._show_response)
        controller.failed.connect(self._show_error)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Uncheck the action."""
        super().closeEvent(event)
        self.action.setChecked(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close with Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def _count_screens(self) -> None:
        screens = QGuiApplication.screens()
        self.action.setEnabled(len(screens) > 1)
        if len(screens) < 2:
            self.close()

    def _show(self, shown: bool) -> None:
        if not shown:
            self.close()
            return
        others = [screen for screen in QGuiApplication.screens() if screen is not self._window.screen()]
        self._cover(others[0])
        self._show_labels()
        self._show_content()

    def _cover(self, screen: QScreen) -> None:
        self.setScreen(screen)
        self.setGeometry(screen.geometry())
        self.answer.set_unlimited(True)
        self.showFullScreen()

    def _show_content(self) -> None:
        page = self._controller.page
        if page is None or not self.isVisible():
            return
        value, picture = page.value(), page.projection()
        self.text.setText(value if isinstance(value, str) else "")
        self.picture.show_image(picture, "")
        self._content.setCurrentWidget(self.text if picture.isNull() else self.picture)

    def _show_labels(self) -> None:
        controller = self._controller
        self.bars.set_labels(() if controller.model is None else controller.model.labels)
        self._show_response(controller.response)

    @Slot(object)
    def _show_threshold(self, card: Card | None) -> None:
        self.bars.set_threshold(None if card is None else card.unsure_below)

    @Slot(object)
    def _show_response(self, response: PredictionResponse | None) -> None:
        if not self.isVisible():
            return
        page = self._controller.page
        self._show_content()
        if response is None:
            self.answer.show_placeholder("" if page is None else page.placeholder)
            self.bars.set_scores(())
            return
        self.answer.show_result(response.result)
        if page is not None:
            self.bars.set_order(page.order)
        self.bars.show_result(response.result)

    @Slot(object)
    def _show_error(self, error: LecternError) -> None:
        self.answer.show_error(error)
        self.bars.set_scores(())
