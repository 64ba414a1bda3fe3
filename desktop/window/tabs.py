"""Provides the tabs of the window."""

from functools import partial

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QScrollArea, QTabWidget, QWidget

from desktop.prediction.controller import PredictionController
from desktop.prediction.requests import PredictionResponse
from desktop.window.actions import create_action
from desktop.window.page import Page


class Tabs(QTabWidget):
    """Pages, whose content the controller predicts, followed by tools.

    Attributes:
        page: The page that is shown, or that was shown last.
        pages: All of them.
        clear_page: The action that removes the content of the page.
    """

    def __init__(
        self, controller: PredictionController, pages: tuple[Page, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.page = pages[0]
        self.clear_page = create_action(self, self.tr("&Clear"), self._clear_page, "Ctrl+Backspace")
        self._controller = controller
        self.pages = pages
        self.setDocumentMode(True)
        for page in pages:
            self.addTab(page, page.title)
            page.activated.connect(partial(self.setCurrentWidget, page))
            page.tiles_changed.connect(self._enable_clear)
        self.currentChanged.connect(self.apply_current)
        for signal in (controller.page_changed, controller.edited, controller.response_changed):
            signal.connect(self._enable_clear)
        controller.response_changed.connect(self._show_findings)

    def add_scrolled(self, tool: QWidget, title: str) -> None:
        """Add a wide tool, which scrolls in a narrow window."""
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(tool)
        self.addTab(area, title)

    def show_tool(self, tool: QWidget) -> None:
        """Show a tool that :meth:`add_scrolled` has added."""
        for index in range(self.count()):
            area = self.widget(index)
            if isinstance(area, QScrollArea) and area.widget() is tool:
                self.setCurrentIndex(index)

    def show_actions(self) -> list[QAction]:
        """Return an action for each tab, which shows it."""
        return [
            create_action(
                self, self.tabText(index), partial(self.setCurrentIndex, index), f"Ctrl+{index + 1}"
            )
            for index in range(self.count())
        ]

    def apply_current(self) -> None:
        """Predict the content of the current page; pause the predictions on other tabs."""
        page = next((page for page in self.pages if page is self.currentWidget()), None)
        if page is not None:
            self.page = page
        self._controller.set_page(page)

    def restore(self, response: PredictionResponse) -> None:
        """Show an earlier response and its content again, without predicting."""
        origin = response.request.origin
        assert origin is not None
        page = next(page for page in self.pages if page.key == origin.page)
        self.setCurrentWidget(page)
        page.restore(origin.snapshot)
        self._controller.restore(response)

    @Slot()
    def _enable_clear(self) -> None:
        page = self._controller.page
        self.clear_page.setEnabled(page is not None and not page.is_empty())

    @Slot(object)
    def _show_findings(self, response: PredictionResponse | None) -> None:
        """Show where the digits of a number are, or why a prediction is unsure, on the page of a response."""
        page = self._controller.page
        if page is None:
            return
        result = None if response is None else response.result
        reading = None if result is None else result.reading
        page.show_digits(() if reading is None else reading.digits)
        page.show_doubt(None if result is None or reading is not None else result.prediction.reason)

    def _clear_page(self) -> None:
        if self.page.isVisible():
            self.page.clear()
