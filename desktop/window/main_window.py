"""Builds the main window and connects its components."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QMessageBox,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.drawing.page import DrawPage
from desktop.explain.backend import ExplanationBackend
from desktop.explain.dock import ExplanationDock
from desktop.folder.page import FolderPage
from desktop.lab.page import LabPage
from desktop.pictures.dropped_files import dropped_items
from desktop.pictures.page import PicturesPage
from desktop.prediction.backends import LocalBackend, PredictionResult, ServerBackend
from desktop.prediction.controller import PredictionController
from desktop.prediction.dispatcher import ConnectionState, Dispatcher
from desktop.prediction.requests import NetworkInput, PredictionResponse
from desktop.result.compare_dock import CompareDock
from desktop.result.history import HistoryStrip, Origin
from desktop.result.panel import ResultPanel
from desktop.settings import BarOrder, Settings, SettingsStore, Theme
from desktop.text.page import TextPage
from desktop.window.actions import ThemeActions, create_action
from desktop.window.banner import Banner
from desktop.window.card_dialog import CardDialog
from desktop.window.crash import log_file
from desktop.window.exporter import Exporter
from desktop.window.messages import connection_message, error_message
from desktop.window.page import Page
from desktop.window.preferences import PreferencesDialog
from service.client import DEFAULT_URL, ModelSummary
from service.inference import Card, LecternError

_SIZE = (1040, 700)


class MainWindow(QMainWindow):
    """Shows the pages on the left and the result on the right."""

    def __init__(
        self,
        settings: Settings,
        *,
        models: Path | None = None,
        server: str | None = None,
        offline: bool = False,
    ) -> None:
        """Build the window; :meth:`start` does what is slow.

        Args:
            settings: The stored settings.
            models: Folder of the local models; the bundled models if None.
            server: URL to use in place of the stored one, until the user sets another.
            offline: Use no server, whatever the settings say.
        """
        super().__init__()
        self.store = SettingsStore(settings, self)
        self._local = LocalBackend(models)
        self._server, self._offline = server, offline
        self._applied = settings
        self._orders = {DrawPage.key: settings.order}
        self.controller = PredictionController(self._create_dispatcher(), self)
        self.banner = Banner(self)
        self.tabs = QTabWidget(self)
        self.draw_page = DrawPage(self.controller, self.store, self)
        self.pictures_page = PicturesPage(self)
        self.text_page = TextPage(self)
        self.pages: tuple[Page, ...] = (self.draw_page, self.pictures_page, self.text_page)
        self.page: Page = self.draw_page
        self.folder_page = FolderPage(self)
        explanations = ExplanationBackend(self._local.catalog)
        self.lab_page = LabPage(explanations, self)
        self.explanation_dock = ExplanationDock(explanations, self)
        self.compare = CompareDock(self)
        self.panel = ResultPanel(self)
        self.strip = HistoryStrip(self)
        self.exporter = Exporter(
            self,
            picture=lambda: self.page.picture(),
            network_input=lambda: self.panel.preview.image,
            result=self._result,
        )
        self._lay_out()
        self._add_menus()
        self._connect_controller()
        self._connect_components()
        self._restore_state(settings)

    @property
    def settings(self) -> Settings:
        """The current settings."""
        return self.store.settings

    def start(self) -> None:
        """Load the models and try the server; to be called after the window is shown."""
        self.controller.reconnect()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept pictures and files on the whole window."""
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()
            self.pictures_page.view.show_drop_hint(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Hide the hint."""
        self.pictures_page.view.show_drop_hint(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Pass what was dropped to the page that handles it."""
        self.pictures_page.view.show_drop_hint(False)
        event.acceptProposedAction()
        items = dropped_items(event.mimeData())
        if items.folders:
            self.tabs.setCurrentWidget(self.folder_page)
            self.folder_page.classify(items.folders[0])
        elif items.files and self.lab_page.isVisible():
            self.lab_page.open_picture(items.files[0])
        else:
            self.pictures_page.add_mime(event.mimeData())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the settings and stop the threads."""
        self.store.update(
            geometry=bytes(self.saveGeometry().data()),
            brush=self.draw_page.pad.brush,
            tab=self.tabs.currentIndex(),
        )
        for component in (self.pictures_page, self.folder_page, self.lab_page, self.explanation_dock.panel):
            component.close_workers()
        self.controller.close()
        super().closeEvent(event)

    def _create_dispatcher(self) -> Dispatcher:
        url = "" if self._offline else self._server or self.settings.server
        server = ServerBackend(url, api_key=self.settings.api_key) if url else None
        return Dispatcher(self._local, server, expected=url != DEFAULT_URL)

    def _restore_state(self, settings: Settings) -> None:
        self.resize(*_SIZE)
        self.restoreGeometry(QByteArray(settings.geometry))
        self.tabs.setCurrentIndex(min(settings.tab, self.tabs.count() - 1))
        self._change_tab()

    def _lay_out(self) -> None:
        self.setWindowTitle("Lectern")
        self.setAcceptDrops(True)
        self.tabs.setDocumentMode(True)
        for page in self.pages:
            self.tabs.addTab(page, page.title())
        self.tabs.addTab(self.folder_page, self.folder_page.title())
        # The lab is wide: in a narrow window it scrolls.
        lab = QScrollArea(self)
        lab.setWidgetResizable(True)
        lab.setFrameShape(QFrame.Shape.NoFrame)
        lab.setWidget(self.lab_page)
        self.tabs.addTab(lab, self.lab_page.title())
        left = QVBoxLayout()
        left.addWidget(self.tabs, 1)
        left.addWidget(self.strip)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addLayout(left, 1)
        row.addWidget(self.panel)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addLayout(row, 1)
        self.setCentralWidget(body)

    def _add_menus(self) -> None:
        draw, pictures, export = self.draw_page, self.pictures_page, self.exporter
        folder = create_action(self, self.tr("Classify a &folder…"), self._open_folder, "Ctrl+Shift+O")
        preferences = create_action(self, self.tr("&Preferences…"), self._open_preferences, "Ctrl+,")
        preferences.setMenuRole(QAction.MenuRole.PreferencesRole)
        close = create_action(self, self.tr("&Quit"), self.close, "Ctrl+Q")
        close.setMenuRole(QAction.MenuRole.QuitRole)
        clear = create_action(self, self.tr("&Clear"), self._clear_page, "Ctrl+Backspace")
        card = create_action(self, self.tr("About this &model…"), self.controller.fetch_card, "Ctrl+I")
        about = create_action(self, self.tr("&About Lectern"), self._show_about)
        about.setMenuRole(QAction.MenuRole.AboutRole)
        self._add_menu(
            self.tr("&File"),
            [pictures.open, folder],
            [export.save_picture, export.save_input, export.save_result],
            [preferences],
            [close],
        )
        self._add_menu(
            self.tr("&Edit"),
            [draw.undo, draw.redo, draw.erase, clear, draw.correct],
            [export.copy_picture, export.copy_input, export.copy_result, pictures.paste],
        )
        view = self._add_menu(
            self.tr("&View"),
            self._tab_actions(),
            [self.explanation_dock.action, self.compare.action, draw.replay, card],
        )
        view.addMenu(self.tr("&Colours")).addActions(ThemeActions(self.store, self).actions())
        self._add_menu(self.tr("&Help"), [about])

    def _tab_actions(self) -> list[QAction]:
        show = self.tabs.setCurrentIndex
        return [
            create_action(self, self.tabs.tabText(index), partial(show, index), f"Ctrl+{index + 1}")
            for index in range(self.tabs.count())
        ]

    def _connect_controller(self) -> None:
        controller = self.controller
        controller.models_changed.connect(self._offer_models)
        controller.model_changed.connect(self._offer_versions)
        controller.response_changed.connect(self._show_response)
        controller.completed.connect(self._add_to_history)
        controller.comparison_completed.connect(self._show_comparison)
        controller.network_input_ready.connect(self._show_input)
        controller.failed.connect(self._show_error)
        controller.card_ready.connect(self._show_card)
        controller.connection_changed.connect(self._show_connection)

    def _connect_components(self) -> None:
        for page in self.pages:
            page.activated.connect(partial(self.tabs.setCurrentWidget, page))
        self.tabs.currentChanged.connect(self._change_tab)
        self.strip.entry_activated.connect(self._restore)
        self.folder_page.save_requested.connect(self.exporter.save_text)
        self.panel.model_changed.connect(self._choose_model)
        self.panel.order_changed.connect(self._change_order)
        self.panel.correction_requested.connect(self.draw_page.open_correction)
        self.compare.version_changed.connect(self._compare)
        self.compare.visibilityChanged.connect(self._set_compared_version)
        self.banner.retry_requested.connect(self.controller.reconnect)
        self.store.changed.connect(self._apply_settings)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_color_scheme)

    def _add_menu(self, title: str, *sections: list[QAction]) -> QMenu:
        menu = self.menuBar().addMenu(title)
        for index, section in enumerate(sections):
            if index:
                menu.addSeparator()
            menu.addActions(section)
        return menu

    @Slot(object)
    def _apply_settings(self, settings: Settings) -> None:
        before, self._applied = self._applied, settings
        if settings.theme is not before.theme:
            theme.apply(settings.theme)
        if (settings.server, settings.api_key) != (before.server, before.api_key):
            self._server = None
            self.controller.set_dispatcher(self._create_dispatcher())

    def _follow_color_scheme(self) -> None:
        if self.settings.theme is Theme.SYSTEM:
            theme.apply(Theme.SYSTEM)

    def _change_tab(self) -> None:
        tab = self.tabs.currentWidget()
        page = next((page for page in self.pages if page is tab), None)
        self.panel.setVisible(page is not None)
        self.strip.setVisible(page is not None)
        if page is None:
            self.controller.set_page(None)
            self.explanation_dock.panel.set_model(None, None)
            picture = self.pictures_page.value()
            if isinstance(picture, bytes):
                self.lab_page.suggest_picture(picture)
            return
        self.page = page
        self.panel.set_preview_visible(page.shows_picture)
        self.panel.correctable = page is self.draw_page
        for component in (self.panel, self.compare):
            component.set_order(self._orders.get(page.key, page.order))
        self.controller.set_page(page)

    @Slot(object)
    def _offer_models(self, models: tuple[ModelSummary, ...]) -> None:
        self.panel.set_models(models, self.settings.models.get(self.page.key, ""))
        self.controller.set_model(self.panel.model, self.panel.version)

    def _offer_versions(self) -> None:
        self.compare.set_model(self.controller.model, self.controller.version)
        self._set_compared_version()

    def _choose_model(self) -> None:
        model = self.panel.model
        if model is not None:
            self.store.update(models={**self.settings.models, self.page.key: model.name})
        self.controller.set_model(model, self.panel.version)

    def _compare(self) -> None:
        self._set_compared_version()
        self.controller.predict()

    def _set_compared_version(self) -> None:
        self.controller.compared_version = self.compare.version

    @Slot(object)
    def _change_order(self, order: BarOrder) -> None:
        self._orders[self.page.key] = order
        self.compare.set_order(order)
        if self.page is self.draw_page:
            self.store.update(order=order)

    @Slot(object)
    def _show_response(self, response: PredictionResponse | None) -> None:
        if response is None:
            self.panel.show_placeholder(self.page.placeholder_text())
            self.compare.clear()
            self._reset_explanation()
        else:
            self.panel.show_result(response.result, settled=response.request.settled)
            self.explanation_dock.panel.set_label(response.result.prediction.best.label)

    @Slot(object)
    def _show_comparison(self, response: PredictionResponse) -> None:
        self.compare.show_result(response.result)

    @Slot(object)
    def _show_input(self, network_input: NetworkInput) -> None:
        self.panel.preview.set_pixels(network_input.pixels)
        self.explanation_dock.panel.set_pixels(network_input.pixels)

    @Slot(object)
    def _show_error(self, error: LecternError) -> None:
        self.panel.show_error(error_message(error))
        self._reset_explanation()

    def _reset_explanation(self) -> None:
        model = self.controller.model
        self.explanation_dock.panel.set_model(None if model is None else model.name, self.controller.version)

    @Slot(object)
    def _show_connection(self, state: ConnectionState) -> None:
        error = state.server_error
        text = self.tr("{0} Predictions continue on this computer.")
        self.banner.show_message("" if error is None else text.format(connection_message(error)))
        self.banner.setToolTip("" if error is None else str(error))
        self.folder_page.set_models(self.controller.dispatcher, state.models)
        if state.models_error is not None:
            self.panel.show_error(error_message(state.models_error))

    @Slot(object)
    def _show_card(self, card: Card) -> None:
        CardDialog(card, self).open()

    @Slot(object)
    def _add_to_history(self, response: PredictionResponse) -> None:
        origin = response.request.origin
        if isinstance(origin, Origin):
            self.strip.add(response)

    @Slot(object)
    def _restore(self, response: PredictionResponse) -> None:
        origin = response.request.origin
        assert isinstance(origin, Origin)
        page = next(page for page in self.pages if page.key == origin.page)
        self.tabs.setCurrentWidget(page)
        page.restore(origin.snapshot)
        prediction = response.result.prediction
        self.panel.select(prediction.model, prediction.version)
        self.controller.restore(response, self.panel.model, self.panel.version)

    def _result(self) -> PredictionResult | None:
        response = self.controller.response
        return None if response is None else response.result

    def _open_folder(self) -> None:
        self.tabs.setCurrentWidget(self.folder_page)
        self.folder_page.ask_for_folder()

    def _open_preferences(self) -> None:
        PreferencesDialog(self.store, self).open()

    def _clear_page(self) -> None:
        if self.page.isVisible():
            self.page.clear()

    def _show_about(self) -> None:
        text = self.tr(
            "Lectern shows how the networks of a deep-learning course classify drawings, pictures and texts."
            "\n\nIt connects to no other computer than the server in Preferences.\n\nLog file: {0}"
        )
        box = QMessageBox(
            QMessageBox.Icon.NoIcon, self.tr("About Lectern"), text.format(log_file()), parent=self
        )
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
