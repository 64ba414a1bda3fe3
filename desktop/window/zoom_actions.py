"""The actions that make everything in the window larger or smaller."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow

from desktop.settings import SettingsStore
from desktop.window.actions import create_action
from desktop.window.placement import fit_to_screen, free_area
from desktop.zoom import apply_zoom, larger, smaller


class ZoomActions(QObject):
    """Zooms in, out and back, as far as the window fits the screen; keeps the zoom in the settings."""

    def __init__(self, window: QMainWindow, store: SettingsStore) -> None:
        super().__init__(window)
        self._window, self._store = window, store
        zoom_in = create_action(self, self.tr("Zoom &in"), self._zoom_in, "Ctrl++")
        # On many keyboards, the plus is on the key of the equals sign.
        zoom_in.setShortcuts([QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")])
        self.actions: list[QAction] = [
            zoom_in,
            create_action(self, self.tr("Zoom &out"), self._zoom_out, "Ctrl+-"),
            create_action(self, self.tr("&Normal size"), self._reset, "Ctrl+0"),
        ]

    def _zoom_in(self) -> None:
        before = self._store.settings.zoom
        apply_zoom(larger(before))
        least, area = self._window.minimumSizeHint(), free_area(self._window)
        if least.width() > area.width() or least.height() > area.height():
            apply_zoom(before)
            return
        self._keep(larger(before))

    def _zoom_out(self) -> None:
        zoom = smaller(self._store.settings.zoom)
        apply_zoom(zoom)
        self._keep(zoom)

    def _reset(self) -> None:
        apply_zoom(1.0)
        self._keep(1.0)

    def _keep(self, zoom: float) -> None:
        self._store.update(zoom=zoom)
        fit_to_screen(self._window)
