"""The filters of a network's first layer, while they are trained."""

import numpy as np
from PySide6.QtWidgets import QLabel, QWidget

from desktop.lab.maps.levels import Values, signed_pixels
from desktop.lab.maps.sheet_view import SheetView
from desktop.widgets import column
from service.inference.training_events import FirstFilters

_TILE = 36


class FilterStrip(QWidget):
    """Shows filters with a blue tint for negative and an orange one for positive weights."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel(self)
        self.view = SheetView(self.tr("Filters of the first layer"), self, tile=_TILE)
        self.filters: FirstFilters | None = None
        self.view.resized.connect(self._draw)
        column(self.title, self.view, parent=self, spacing=4)
        self.hide()

    def show_filters(self, filters: FirstFilters | None) -> None:
        """Show filters; None for none."""
        self.filters = filters
        self.setVisible(filters is not None)
        self._draw()

    def _draw(self) -> None:
        if self.filters is None:
            self.view.show_sheet(None)
            return
        values: Values = np.array(self.filters.values, dtype=np.float32).reshape(self.filters.shape)
        # Filters of colour pictures: the mean of their slices.
        maps = values.mean(axis=3)
        full = np.maximum(np.abs(maps).max(axis=(1, 2), keepdims=True), 1e-9)
        self.view.show_maps([signed_pixels(maps / full)])
        text = self.tr("First layer after {0} epochs: {1} filters of {2} × {3}")
        count, height, width, _ = self.filters.shape
        self.title.setText(text.format(self.filters.epoch, count, width, height))
