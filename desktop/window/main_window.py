"""Owns the window: puts the parts together and passes their words on."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from desktop import settings as remembered
from desktop import theme
from desktop.drawing.correction_dialog import Correction
from desktop.drawing.page import DrawPage
from desktop.drawing.replay import Replay
from desktop.explain.backend import ExplanationBackend
from desktop.explain.dock import ExplanationDock
from desktop.folder.page import FolderPage
from desktop.lab.page import LabPage
from desktop.pictures.images import png_of_drawing
from desktop.pictures.page import PicturesPage
from desktop.prediction.backends import LocalBackend, ServerBackend
from desktop.prediction.dispatcher import ConnectionState, Dispatcher
from desktop.prediction.reader import NetworkInput, PredictionRequest, PredictionResponse, Reader
from desktop.prediction.throttle import Throttle
from desktop.result.compare_dock import CompareDock
from desktop.result.history import HistoryStrip, Origin
from desktop.result.panel import ResultPanel
from desktop.settings import Order, Settings, Theme
from desktop.text.page import TextPage
from desktop.window.banner import Banner
from desktop.window.card_dialog import CardDialog
from desktop.window.dropped_files import dropped_items
from desktop.window.exporter import Exporter
from desktop.window.menus import Menus
from desktop.window.messages import NOTHING_THERE, absence, sentence
from desktop.window.page import Page
from desktop.window.preferences import Preferences
from service.client import DEFAULT_URL
from service.inference import LecternError

# Faster than the eye wants, slower than any computer needs.
_PACE_MS = 50
_SIZE = (1040, 700)
_SECOND_OPINION = object()


class MainWindow(QMainWindow):
    """Pages to the left, what was read from them to the right."""

    def __init__(
        self,
        settings: Settings,
        *,
        models: Path | None = None,
        server: str | None = None,
        offline: bool = False,
    ) -> None:
        """Build the window; nothing slow happens before :meth:`start`.

        Args:
            settings: What was remembered.
            models: Folder of the models on this computer; Lectern's own if None.
            server: Address to use in place of the remembered one, until another is set.
            offline: Look for no server, whatever the settings say.
        """
        super().__init__()
        self.settings = settings
        self._local = LocalBackend(models)
        self._server, self._offline = server, offline
        self._orders: dict[str, Order] = {}
        self.reader = Reader(self._dispatcher(), self)
        self.banner = Banner(self)
        self.tabs = QTabWidget(self)
        self.draw_page = DrawPage(self)
        self.text_page = TextPage(self)
        self.pictures_page = PicturesPage(self)
        self.pages: tuple[Page, ...] = (self.draw_page, self.pictures_page, self.text_page)
        self.folder_page = FolderPage(self)
        explanations = ExplanationBackend(self._local.catalog)
        self.lab = LabPage(explanations, self)
        self._bench = QScrollArea(self)
        self.why = ExplanationDock(explanations, self)
        self.compare = CompareDock(self)
        self.page: Page = self.draw_page
        self.panel = ResultPanel(self)
        self.strip = HistoryStrip(self)
        self.sharer = Exporter(self)
        self.answer: PredictionResponse | None = None
        self.throttle = Throttle(_PACE_MS, self)
        self.setWindowTitle("Lectern")
        self.setAcceptDrops(True)
        self._lay_out()
        self._wire()
        self.menus = Menus(self)
        self._restore()
        self._turn_page()

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
        if settings.api_key != before.api_key:
            remembered.save_api_key(settings.api_key)
        remembered.save(settings)

    def open_preferences(self) -> None:
        """Ask for settings, and use them."""
        dialog = Preferences(self.settings, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.use_settings(dialog.settings))
        dialog.open()

    def open_card(self) -> None:
        """Fetch the card of the model that is chosen, and show it."""
        if self.panel.model is not None:
            self.reader.fetch_card(self.panel.model.name, self.panel.version)

    def open_replay(self) -> None:
        """Play the drawing again, with what was read meanwhile."""
        model, strokes = self.panel.model, self.draw_page.pad.strokes
        if model is not None and strokes and self.page is self.draw_page:
            asked = (self.reader.dispatcher, model.name, self.panel.version)
            Replay(strokes, model.labels, *asked, parent=self).open()

    def open_correction(self) -> None:
        """Ask what the drawing really is, and keep it for training."""
        model = self.panel.model
        if model is None or self.page is not self.draw_page or self.draw_page.pad.is_blank:
            return
        picture = png_of_drawing(self.draw_page.pad.picture)
        dialog = Correction(picture, model.labels, self.settings.corrections, self)
        dialog.accepted.connect(
            lambda: self.use_settings(replace(self.settings, corrections=dialog.folder.text()))
        )
        dialog.open()

    def paste(self) -> None:
        """Take a picture or files from the clipboard."""
        self.tabs.setCurrentWidget(self.pictures_page)
        self.pictures_page.take_mime(QGuiApplication.clipboard().mimeData())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Let pictures and files be dropped anywhere."""
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()
            self.pictures_page.view.show_drop_hint(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Stop waiting for a drop."""
        self.pictures_page.view.show_drop_hint(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take what was dropped to the page of pictures."""
        self.pictures_page.view.show_drop_hint(False)
        event.acceptProposedAction()
        came = dropped_items(event.mimeData())
        if came.folders:
            self.tabs.setCurrentWidget(self.folder_page)
            self.folder_page.classify(came.folders[0])
        elif came.files and self.tabs.currentWidget() is self._bench:
            self.lab.open_picture(came.files[0])
        else:
            self.tabs.setCurrentWidget(self.pictures_page)
            self.pictures_page.take_mime(event.mimeData())

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
        self.pictures_page.close_workers()
        self.folder_page.close_workers()
        self.lab.close_workers()
        self.why.panel.close_workers()
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
        self.tabs.addTab(self.folder_page, self.folder_page.title())
        # The lab is broad; where the window is not, it is scrolled rather than forbidding narrow windows.
        self._bench.setWidgetResizable(True)
        self._bench.setFrameShape(QFrame.Shape.NoFrame)
        self._bench.setWidget(self.lab)
        self.tabs.addTab(self._bench, self.lab.title())
        row = QHBoxLayout()
        row.setSpacing(0)
        left = QVBoxLayout()
        left.addWidget(self.tabs, 1)
        left.addWidget(self.strip)
        row.addLayout(left, 1)
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
            page.changed.connect(partial(self._page_changed, page))
            page.settled.connect(partial(self._page_settled, page))
        self.pictures_page.paste.clicked.connect(self.paste)
        self.strip.entry_activated.connect(self._bring_back)
        self.folder_page.save_requested.connect(self.sharer.save_text)
        self.tabs.currentChanged.connect(self._turn_page)
        self.throttle.fired.connect(lambda: self._ask(settled=False))
        self.panel.model_changed.connect(self._choose)
        self.panel.order_changed.connect(self._order)
        self.panel.correction_requested.connect(self.open_correction)
        self.compare.version_changed.connect(lambda: self._ask(settled=False))
        self.banner.retried.connect(self.reader.look)
        self.reader.completed.connect(self._show_answer)
        self.reader.network_input_ready.connect(self._show_sight)
        self.reader.failed.connect(self._show_refusal)
        self.reader.connection_changed.connect(self._show_standing)
        self.reader.card_ready.connect(lambda card: CardDialog(card, self).open())
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
        alone = self.tabs.currentWidget() not in self.pages
        self.panel.setVisible(not alone)
        self.strip.setVisible(not alone)
        if alone:
            self.throttle.stop()
            self.reader.forget()
            self.why.panel.set_model(None, None)
            picture = self.pictures_page.value()
            if isinstance(picture, bytes):
                self.lab.suggest_picture(picture)
            return
        self.page = self.pages[self.tabs.currentIndex()]
        self.panel.set_preview_visible(self.page is not self.text_page)
        self.panel.correctable = self.page is self.draw_page
        for part in (self.panel, self.compare):
            part.set_order(self._orders.get(self.page.key, self.page.order))
        self._offer_models(self.reader.dispatcher.connection_state)
        self._read_again()

    def _page_changed(self, page: Page) -> None:
        if page is not self.page:
            return
        if self.page.value() is None:
            self._read_again()
        else:
            self.throttle.poke()

    def _page_settled(self, page: Page) -> None:
        if page is self.page and page.value() is not None:
            self.throttle.stop()
            self._ask(settled=True)

    def _read_again(self) -> None:
        """Forget what was read, and read what is there now."""
        self.throttle.stop()
        self.reader.forget()
        self._empty()
        self._ask(settled=True)

    def _empty(self) -> None:
        self.answer = None
        self.panel.show_placeholder(self.page.placeholder())
        self.compare.clear()
        self._explain_next()

    def _explain_next(self) -> None:
        model = self.panel.model
        self.why.panel.set_model(None if model is None else model.name, self.panel.version)

    def _ask(self, *, settled: bool) -> None:
        value, model = self.page.value(), self.panel.model
        if value is None or model is None:
            return
        page, version, second = self.page, self.panel.version, self.compare.version
        more = []
        if second is not None:
            more.append(PredictionRequest(model.name, second, value, settled, origin=_SECOND_OPINION))
        if settled:
            more += [PredictionRequest(model.name, version, other) for other in page.other_contents()]
        origin = Origin(page.key, page.sitting, page.snapshot(), page.thumbnail()) if settled else None
        self.reader.ask(PredictionRequest(model.name, version, value, settled, origin), *more)

    def _choose(self) -> None:
        if self.panel.model is not None:
            chosen = {**self.settings.models, self.page.key: self.panel.model.name}
            self.settings = replace(self.settings, models=chosen)
        self._meet()
        self._read_again()

    def _meet(self) -> None:
        self.page.set_model(self.panel.model)
        self.compare.set_model(self.panel.model, self.panel.version)

    @Slot(object)
    def _order(self, order: Order) -> None:
        self._orders[self.page.key] = order
        self.compare.set_order(order)
        if self.page is self.draw_page:
            self.settings = replace(self.settings, order=order)

    @Slot(object)
    def _show_answer(self, answer: PredictionResponse) -> None:
        if answer.request.origin is _SECOND_OPINION:
            self.compare.show_result(answer.reading)
            return
        self.page.record_prediction(answer.request.value, answer.reading.prediction)
        if isinstance(answer.request.value, bytes) and answer.request.value is not self.page.value():
            return
        self.answer = answer
        self.panel.show_result(answer.reading, settled=answer.request.settled)
        self.why.panel.set_label(answer.reading.prediction.best.label)
        if isinstance(answer.request.origin, Origin):
            self.strip.add(answer)

    @Slot(object)
    def _bring_back(self, answer: PredictionResponse) -> None:
        origin = answer.request.origin
        assert isinstance(origin, Origin)
        page = next(page for page in self.pages if page.key == origin.page)
        self.tabs.setCurrentWidget(page)
        self.throttle.stop()
        self.reader.forget()
        page.restore(origin.snapshot)
        prediction = answer.reading.prediction
        self.panel.select(prediction.model, prediction.version)
        self._meet()
        self.answer = answer
        self.panel.show_result(answer.reading, settled=True)
        self._explain_next()
        self.why.panel.set_label(prediction.best.label)
        self.reader.see(answer.request)

    @Slot(object)
    def _show_sight(self, sight: NetworkInput) -> None:
        value = self.page.value()
        if value is not None and (isinstance(value, QImage) or value is sight.request.value):
            self.panel.preview.set_pixels(sight.pixels)
            self.why.panel.set_pixels(sight.pixels)

    @Slot(object)
    def _show_refusal(self, error: LecternError) -> None:
        if error.code in NOTHING_THERE and self.page is self.draw_page:
            self._empty()
        else:
            self.answer = None
            self.panel.show_error(sentence(error))
            self._explain_next()

    @Slot(object)
    def _show_standing(self, connection_state: ConnectionState) -> None:
        cause = connection_state.cause
        self.banner.say(
            "" if cause is None else self.tr("{0} Reading continues on this computer.").format(absence(cause))
        )
        self.banner.setToolTip("" if cause is None else str(cause))
        self._offer_models(connection_state)
        self.folder_page.set_models(self.reader.dispatcher, connection_state.models)
        if connection_state.shortage is not None:
            self.panel.show_error(sentence(connection_state.shortage))

    def _offer_models(self, connection_state: ConnectionState) -> None:
        before = (self.panel.model, self.panel.version)
        fitting = tuple(model for model in connection_state.models if self.page.accepts(model))
        self.panel.set_models(fitting, self.settings.models.get(self.page.key, ""))
        self._meet()
        if (self.panel.model, self.panel.version) != before:
            self._read_again()
