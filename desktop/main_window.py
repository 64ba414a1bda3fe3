"""Owns the window: puts the parts together and passes their words on."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QMessageBox, QTabWidget, QVBoxLayout, QWidget

from desktop import settings as remembered
from desktop import theme
from desktop.backends import LocalBackend, ServerBackend
from desktop.crash import log_file
from desktop.dispatcher import Dispatcher, Standing
from desktop.menus import Menus
from desktop.reader import Answer, Question, Reader, Sight
from desktop.settings import Order, Settings, Theme
from desktop.throttle import Throttle
from desktop.widgets.banner import Banner
from desktop.widgets.draw_page import DrawPage
from desktop.widgets.page import Page
from desktop.widgets.preferences import Preferences
from desktop.widgets.result import ResultPanel
from desktop.widgets.text_page import TextPage
from desktop.wording import NOTHING_THERE, absence, sentence
from service.client import DEFAULT_URL
from service.inference import LecternError

# Faster than the eye wants, slower than any computer needs.
_PACE_MS = 50
_SIZE = (1040, 700)


class MainWindow(QMainWindow):
    """Pages to the left, what was read from them to the right."""

    def __init__(
        self, settings: Settings, *, models: Path, server: str | None = None, offline: bool = False
    ) -> None:
        """Build the window; nothing slow happens before :meth:`start`.

        Args:
            settings: What was remembered.
            models: Folder of the models on this computer.
            server: Address to use in place of the remembered one, until another is set.
            offline: Look for no server, whatever the settings say.
        """
        super().__init__()
        self.settings = settings
        self._local = LocalBackend(models)
        self._offline = offline
        self._server = server
        self._orders: dict[str, Order] = {}
        self.reader = Reader(self._dispatcher(), self)
        self.banner = Banner(self)
        self.tabs = QTabWidget(self)
        self.draw_page = DrawPage(self)
        self.text_page = TextPage(self)
        self.pages: tuple[Page, ...] = (self.draw_page, self.text_page)
        self.panel = ResultPanel(self)
        self.throttle = Throttle(_PACE_MS, self)
        self.setWindowTitle("Lectern")
        self._lay_out()
        self._wire()
        self.menus = Menus(self)
        self._restore()
        self._turn_page()

    @property
    def page(self) -> Page:
        """The page that is shown."""
        return self.pages[self.tabs.currentIndex()]

    def start(self) -> None:
        """Look for the server and the models; to be called when the window is up."""
        self.reader.look()

    def use_settings(self, settings: Settings) -> None:
        """Take over what was changed in Preferences."""
        before, self.settings = self.settings, settings
        if settings.theme is not before.theme:
            theme.apply(settings.theme)
        if (settings.server, settings.api_key) != (before.server, before.api_key):
            self._server = None
            self.reader.use(self._dispatcher())
        remembered.save(settings)

    def open_preferences(self) -> None:
        """Ask for settings, and use them."""
        dialog = Preferences(self.settings, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.use_settings(dialog.settings))
        dialog.open()

    def open_about(self) -> None:
        """Say what this program is."""
        words = self.tr(
            "Lectern shows what the networks of a deep-learning lecture make of drawings and pictures.\n\n"
            "It asks no other computer than the server that was set.\n\nLog: {0}"
        ).format(log_file())
        box = QMessageBox(QMessageBox.Icon.NoIcon, self.tr("About Lectern"), words, parent=self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember how things were left, and stop."""
        self.throttle.stop()
        self.settings = replace(
            self.settings,
            geometry=bytes(self.saveGeometry().data()),
            brush=self.draw_page.brush_size(),
            tab=self.tabs.currentIndex(),
        )
        remembered.save(self.settings)
        self.reader.close()
        super().closeEvent(event)

    def _dispatcher(self) -> Dispatcher:
        address = "" if self._offline else self._server or self.settings.server
        server = ServerBackend(address, api_key=self.settings.api_key) if address else None
        return Dispatcher(self._local, server, expected=address != DEFAULT_URL)

    def _lay_out(self) -> None:
        self.tabs.setDocumentMode(True)
        for page in self.pages:
            self.tabs.addTab(page, page.title())
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.tabs, 1)
        row.addWidget(self.panel)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addLayout(row, 1)
        self.setCentralWidget(body)

    def _wire(self) -> None:
        for page in self.pages:
            page.changed.connect(self._page_changed)
            page.settled.connect(self._page_settled)
            page.failed.connect(self.panel.complain)
        self.tabs.currentChanged.connect(self._turn_page)
        self.throttle.fired.connect(lambda: self._ask(settled=False))
        self.panel.chosen.connect(self._choose)
        self.panel.ordered.connect(self._order)
        self.banner.retried.connect(self.reader.look)
        self.reader.answered.connect(self._show_answer)
        self.reader.sighted.connect(self._show_sight)
        self.reader.refused.connect(self._show_refusal)
        self.reader.stood.connect(self._show_standing)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    def _restore(self) -> None:
        self.resize(*_SIZE)
        self.restoreGeometry(QByteArray(self.settings.geometry))
        self.draw_page.set_brush_size(self.settings.brush)
        self._orders[self.draw_page.key] = self.settings.order
        self.tabs.setCurrentIndex(min(self.settings.tab, self.tabs.count() - 1))

    def _follow_system(self) -> None:
        if self.settings.theme is Theme.SYSTEM:
            theme.apply(Theme.SYSTEM)

    def _turn_page(self) -> None:
        self.panel.show_order(self._orders.get(self.page.key, self.page.order))
        self._offer_models(self.reader.dispatcher.standing)
        self._read_again()

    def _page_changed(self) -> None:
        if self.sender() is not self.page:
            return
        if self.page.value() is None:
            self._read_again()
        else:
            self.throttle.poke()

    def _page_settled(self) -> None:
        if self.sender() is self.page and self.page.value() is not None:
            self.throttle.stop()
            self._ask(settled=True)

    def _read_again(self) -> None:
        """Forget what was read, and read what is there now."""
        self.throttle.stop()
        self.reader.forget()
        self.panel.invite(self.page.invitation())
        self._ask(settled=True)

    def _ask(self, *, settled: bool) -> None:
        value, model = self.page.value(), self.panel.model
        if value is not None and model is not None:
            self.reader.ask(Question(model.name, self.panel.version, value, settled))

    def _choose(self) -> None:
        if self.panel.model is not None:
            chosen = {**self.settings.models, self.page.key: self.panel.model.name}
            self.settings = replace(self.settings, models=chosen)
        self._read_again()

    @Slot(object)
    def _order(self, order: Order) -> None:
        self._orders[self.page.key] = order
        if self.page is self.draw_page:
            self.settings = replace(self.settings, order=order)

    @Slot(object)
    def _show_answer(self, answer: Answer) -> None:
        self.panel.show_reading(answer.reading, settled=answer.question.settled)

    @Slot(object)
    def _show_sight(self, sight: Sight) -> None:
        self.panel.preview.show_pixels(sight.pixels)

    @Slot(object)
    def _show_refusal(self, error: LecternError) -> None:
        if error.code in NOTHING_THERE and self.page is not self.draw_page:
            self.panel.complain(sentence(error))
        elif error.code in NOTHING_THERE:
            self.panel.invite(self.page.invitation())
        else:
            self.panel.complain(sentence(error))

    @Slot(object)
    def _show_standing(self, standing: Standing) -> None:
        cause = standing.cause
        self.banner.say(
            "" if cause is None else self.tr("{0} Reading goes on on this computer.").format(absence(cause))
        )
        self.banner.setToolTip("" if cause is None else str(cause))
        self._offer_models(standing)
        if standing.shortage is not None:
            self.panel.complain(sentence(standing.shortage))

    def _offer_models(self, standing: Standing) -> None:
        before = (self.panel.model, self.panel.version)
        fitting = tuple(model for model in standing.models if self.page.fits(model))
        self.panel.offer(fitting, self.settings.models.get(self.page.key, ""))
        if (self.panel.model, self.panel.version) != before:
            self._read_again()
