"""Builds the main window and connects its components."""

from pathlib import Path

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QMainWindow, QWidget

from desktop.drawing.page import DrawPage
from desktop.explain.backend import ExplanationBackend
from desktop.explain.dock import ExplanationDock
from desktop.folder.page import FolderPage
from desktop.lab.page import LabPage
from desktop.pictures.page import PicturesPage
from desktop.prediction.backends import LocalBackend
from desktop.prediction.connection import Connection
from desktop.prediction.controller import PredictionController
from desktop.prediction.worker import close_workers
from desktop.projection.presentation import PresentationAction
from desktop.projection.second_screen import SecondScreen
from desktop.result.history import HistoryStrip
from desktop.result.panel import ResultColumn, ResultPanel
from desktop.session.keeper import SessionKeeper
from desktop.session.store import data_folder
from desktop.settings import Settings, SettingsStore
from desktop.teach.page import TeachPage
from desktop.teach.teacher import Teacher
from desktop.text.page import TextPage
from desktop.train.page import TrainPage
from desktop.train.watched_pane import PageContents
from desktop.widgets import column, row
from desktop.window.actions import AboutAction, ThemeActions, add_menu, create_action
from desktop.window.banner import Banner
from desktop.window.card_dialog import CardViewer
from desktop.window.exporter import Exporter
from desktop.window.incoming import Incoming
from desktop.window.own_models import OwnModels
from desktop.window.placement import Placement, fit_to_screen
from desktop.window.preferences import preferences_action
from desktop.window.tabs import Tabs
from desktop.window.zoom_actions import ZoomActions

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
        session: Path | None = None,
        data: Path | None = None,
    ) -> None:
        """Build the window; :meth:`start` does what is slow.

        Args:
            settings: The stored settings.
            models: Folder of the local models; the bundled models if None.
            server: URL to use in place of the stored one, until the user sets another.
            offline: Use no server, whatever the settings say.
            session: File that remembers the contents of the window; None to remember nothing.
            data: Folder of the user's own models and training runs; that of the app if None.
        """
        super().__init__()
        self.store = SettingsStore(settings, self)
        data = data or data_folder()
        local = LocalBackend(models, own=data / "models")
        self.connection = Connection(
            local, self.store, server=server, offline=offline, own=local.own_names, parent=self
        )
        self.controller = PredictionController(self.connection, self.store, self)
        self._catalog = local.catalog
        explanations = ExplanationBackend(local.catalog)
        self._create_pages(local, explanations, data)
        self._create_panels(explanations)
        self.own_models = OwnModels(local, self.controller, self.store, self.tabs)
        self._create_session(session)
        self._lay_out()
        self._connect_components()
        self.presentation = PresentationAction(
            self, self.controller, self.tabs, self.panel, (self.strip, self.explanation_dock)
        )
        self.presentation.toggled.connect(self._show_parts)
        self.second_screen = SecondScreen(self, self.controller)
        self._add_menus()
        self.resize(*_SIZE)
        self.restoreGeometry(QByteArray(settings.geometry))
        fit_to_screen(self)
        self.tabs.setCurrentIndex(min(settings.tab, self.tabs.count() - 1))
        self.tabs.apply_current()

    def start(self) -> None:
        """Load the models and try the server; to be called after the window is shown."""
        self.placement.follow_screen()
        self.session.restore()
        if self.session.is_refused:
            self.setWindowTitle(self.tr("Second window, not remembered"))
        self.connection.connect_backend()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept pictures and files on the whole window."""
        mime = event.mimeData()
        if mime.hasUrls() or mime.hasImage() or mime.hasText():
            event.acceptProposedAction()
            self.pictures_page.view.show_drop_hint(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Hide the hint."""
        self.pictures_page.view.show_drop_hint(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Pass what was dropped to the page that handles it."""
        self.pictures_page.view.show_drop_hint(False)
        event.acceptProposedAction()
        self.incoming.take(event.mimeData())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the settings, stop the threads and close the connections; ask first if a training runs."""
        if self.train_page.is_busy and not self.train_page.ask_to_stop():
            event.ignore()
            return
        self.train_page.close_process()
        self.presentation.setChecked(False)
        self.session.close()
        self.second_screen.close()
        self.store.update(
            geometry=bytes(self.saveGeometry().data()),
            brush=self.draw_page.pad.canvas.brush,
            order=self.draw_page.order,
            tab=self.tabs.currentIndex(),
        )
        self.connection.close()
        close_workers(self)
        super().closeEvent(event)

    def _create_pages(self, local: LocalBackend, explanations: ExplanationBackend, data: Path) -> None:
        self.draw_page = DrawPage(self.controller, self.store, self, reads_drawings=local.reads_drawings)
        self.pictures_page = PicturesPage(self)
        self.text_page = TextPage(self)
        self.folder_page = FolderPage(self.connection, self)
        self.lab_page = LabPage(explanations, self.pictures_page.value, self)
        self.train_page = TrainPage(data, self._page_contents(), self)
        self.teach_page = TeachPage(data, Teacher(local.catalog, data / "models"), self.store, self)
        self.tabs = Tabs(self.controller, (self.draw_page, self.pictures_page, self.text_page), self)
        self.incoming = Incoming(
            self.tabs,
            pictures=self.pictures_page,
            text=self.text_page,
            folder=self.folder_page,
            lab=self.lab_page,
        )

    def _create_panels(self, explanations: ExplanationBackend) -> None:
        self.banner = Banner(self.connection, self.tabs)
        self.panel = ResultPanel(self.controller, self)
        self.compare = self.panel.comparison
        self.strip = HistoryStrip(self)
        self.explanation_dock = ExplanationDock(explanations, self.controller, self)
        self.placement = Placement(self, self.explanation_dock)
        self.exporter = Exporter(
            self,
            picture=lambda: self.tabs.page.picture(),
            network_input=lambda: self.panel.network_input,
            response=lambda: self.controller.response,
        )
        self.exporter.follow(self.controller)

    def _create_session(self, path: Path | None) -> None:
        self.session = SessionKeeper(
            path,
            draw=self.draw_page,
            pictures=self.pictures_page,
            text=self.text_page,
            strip=self.strip,
            explanation=self.explanation_dock,
            comparison=self.compare.action,
            parent=self,
        )

    def _lay_out(self) -> None:
        self.setWindowTitle("Lectern")
        self.setAcceptDrops(True)
        self.tabs.addTab(self.folder_page, self.folder_page.title)
        for page in (self.lab_page, self.train_page, self.teach_page):
            self.tabs.add_scrolled(page, page.title)
        left = column((self.tabs, 1), self.strip, spacing=None)
        body = QWidget(self)
        self.result_column = ResultColumn(self.panel, self)
        row((left, 2), (self.result_column, 1), parent=body, spacing=0)
        self.setCentralWidget(body)

    def _add_menus(self) -> None:
        draw, pictures, export = self.draw_page, self.pictures_page, self.exporter
        close = create_action(self, self.tr("&Quit"), self.close, "Ctrl+Q", role=QAction.MenuRole.QuitRole)
        add_menu(
            self,
            self.tr("&File"),
            [pictures.open, self.folder_page.open],
            [export.save_picture, export.save_input, export.save_result],
            [preferences_action(self.store, self)],
            [close],
        )
        add_menu(
            self,
            self.tr("&Edit"),
            [draw.undo, draw.redo, draw.erase, self.tabs.clear_page, draw.correct],
            [create_action(self, self.tr("Clear &history"), self._clear_history)],
            [export.copy_picture, export.copy_input, export.copy_result, self.incoming.paste],
        )
        card = CardViewer(self.controller, self._catalog, self)
        view = add_menu(
            self,
            self.tr("&View"),
            self.tabs.show_actions(),
            [self.explanation_dock.action, self.compare.action, draw.replay, card.action],
        )
        view.addSeparator()
        self.addAction(self.second_screen.action)
        view.addActions([self.presentation, self.second_screen.action])
        view.addSeparator()
        zoom = ZoomActions(self, self.store).actions
        self.addActions(zoom)
        view.addActions(zoom)
        view.addMenu(self.tr("&Colours")).addActions(ThemeActions(self.store, self).actions())
        add_menu(self, self.tr("&Help"), [AboutAction(self)])

    def _connect_components(self) -> None:
        self.controller.page_changed.connect(self._show_parts)
        self.pictures_page.tiles_changed.connect(self._show_parts)
        self.controller.completed.connect(self.strip.add)
        self.strip.entry_activated.connect(self.tabs.restore)
        self.folder_page.activated.connect(lambda: self.tabs.setCurrentWidget(self.folder_page))
        self.folder_page.save_requested.connect(self.exporter.save_text)
        self.folder_page.save_picture_requested.connect(self.exporter.save_image)
        self.folder_page.picture_requested.connect(self.pictures_page.open_path)
        self.train_page.model_exported.connect(self.own_models.use)
        self.teach_page.model_made.connect(self.own_models.use)

    def _clear_history(self) -> None:
        self.session.forget_history()
        self.strip.clear()

    def _page_contents(self) -> PageContents:
        """Return what the pages show, for networks that are being trained."""

        def picture() -> tuple[bytes, QImage] | None:
            value = self.pictures_page.value()
            return (value, self.pictures_page.picture()) if isinstance(value, bytes) else None

        return PageContents(
            strokes=lambda: self.draw_page.pad.strokes,
            picture=picture,
            text=lambda: str(self.text_page.value() or ""),
        )

    def _show_parts(self) -> None:
        """Show the result beside pages, and the history below those without tiles of their own."""
        page = self.controller.page
        self.result_column.setVisible(page is not None)
        presents = self.presentation.isChecked()
        self.strip.setVisible(page is not None and not page.has_tiles and not presents)
