"""The page that shows all layers of a network at a glance."""

from typing import cast

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QScrollArea, QSizePolicy, QWidget

from desktop.lab.maps.sheet_view import SheetView
from desktop.lab.network.activations import Activations
from desktop.lab.network.detail_view import MapDetailView
from desktop.lab.network.loader import NetworkLoader
from desktop.lab.network.model_choice import ModelChoice
from desktop.lab.network.picture import NetworkPicture, SheetRequest, draw_network
from desktop.lab.network.stage import StageKind
from desktop.lab.topic import Topic
from desktop.names import label_name
from desktop.widgets import column, row
from desktop.window.messages import error_message
from service.inference import LecternError

_DETAIL_WIDTH, _HEADING_WIDTH = 304, 140
# Sides of a map in pixels: all stages are in view if the smallest ones fit.
_SMALLEST, _LARGEST, _TYPICAL = 34, 64, 40
_EVERY_MAP = 34


class NetworkPage(Topic):
    """Shows the maps of all stages, which follow the drawing, and one of them large."""

    def __init__(self, loader: NetworkLoader, parent: QWidget | None = None) -> None:
        """Create the page.

        Args:
            loader: Provides the networks.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.title = self.tr("Network")
        self.models = ModelChoice(loader, self)
        self.every_map = QCheckBox(self.tr("All &maps"), self)
        self.legend = QLabel(self.tr("Bright is large, black is 0. Of signed values, grey is 0."), self)
        self.sheet = SheetView(self.tr("Maps of all layers"), self, tile=_TYPICAL, left=_HEADING_WIDTH)
        self.area = QScrollArea(self)
        self.detail = MapDetailView(self)
        self.picture: NetworkPicture | None = None
        # Stage and map; the sheet may lack the map.
        self._selected: tuple[int, int] | None = None
        self._loader = loader
        self._lay_out()
        self.models.changed.connect(self._change_model)
        self.every_map.toggled.connect(self._refresh)
        self.sheet.resized.connect(self._refresh)
        self.sheet.map_selected.connect(self._select)
        self.detail.map_selected.connect(self.show_map)
        self.detail.show_placeholder("")

    def showEvent(self, event: QShowEvent) -> None:
        """Refresh the networks that are offered."""
        super().showEvent(event)
        self.models.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the maps into the new height."""
        super().resizeEvent(event)
        self._fit_tile()

    def show_input(self) -> None:
        """Run the network on the new input."""
        if self.lab_input is not None:
            self.models.suit(self.lab_input)
        self._refresh()

    def show_map(self, number: int, index: int) -> None:
        """Show a map large, given by the numbers of its stage and of the map."""
        self.sheet.selected = None
        self.sheet.select(number, index)
        self._select(number, index)
        if self.sheet.sheet is not None:
            layout = self.sheet.sheet.layout
            self.area.ensureVisible(0, layout.top(number) + layout.tile // 2, 0, layout.tile)

    def show_result(self, result: object) -> None:
        """Show the maps."""
        picture = cast(NetworkPicture, result)
        first = self.picture is None or self.picture.activations.network is not picture.activations.network
        self.picture = picture
        self.sheet.show_sheet(picture.sheet)
        if picture.detail is not None:
            self.detail.show_detail(picture.activations, picture.detail)
        if first:
            self._fit_tile()
        if self._selected is None:
            self.sheet.select(_first_choice(picture.activations), 0)

    def show_error(self, error: LecternError) -> None:
        """Show why there are no maps."""
        self._clear(error_message(error))

    def _change_model(self) -> None:
        self.sheet.selected = self._selected = None
        self._refresh()

    @Slot(int, int)
    def _select(self, number: int, index: int) -> None:
        if (number, index) != self._selected:
            self._selected = (number, index)
            self._refresh()

    @Slot()
    def _refresh(self) -> None:
        lab_input, model = self.lab_input, self.models.current
        if lab_input is None or model is None:
            self.cancel()
            self._clear(self.placeholder)
            return
        if not self.isVisible():
            return
        request = SheetRequest(
            layout=self.sheet.layout_for(()),
            every_map=self.every_map.isChecked(),
            selected=self._selected,
            labels=tuple(label_name(label) for label in model.labels),
        )
        before = self.detail.detail
        loader = self._loader
        self.compute(lambda: draw_network(loader.run(model, lab_input), request, before=before))

    def _clear(self, placeholder: str) -> None:
        self.picture = None
        self.sheet.show_sheet(None)
        self.detail.show_placeholder(placeholder)

    def _fit_tile(self) -> None:
        """Choose the size of the maps, so that all stages are in view if possible."""
        tile = _EVERY_MAP
        if self.picture is not None and not self.every_map.isChecked():
            stages = len(self.picture.activations.network.stages)
            tile = self.area.viewport().height() // stages - self.sheet.layout_for(()).gap
        tile = min(max(tile, _SMALLEST), _LARGEST)
        if tile != self.sheet.tile:
            self.sheet.tile = tile
            self._refresh()

    def _lay_out(self) -> None:
        self.legend.setWordWrap(True)
        self.legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(self.sheet)
        self.detail.setFixedWidth(_DETAIL_WIDTH)
        choice = row(self.models, self.every_map, (self.legend, 1))
        column(
            choice,
            (row((self.area, 1), self.detail, spacing=16), 1),
            parent=self,
            margin=8,
        )


def _first_choice(activations: Activations) -> int:
    """Return the stage that is shown large at first: the first convolution, or the first dense layer."""
    kinds = [stage.kind for stage in activations.network.stages]
    return kinds.index(StageKind.CONVOLUTION) if StageKind.CONVOLUTION in kinds else 1
