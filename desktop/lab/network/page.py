"""The page that shows all layers of a network at a glance."""

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QScrollArea, QSizePolicy, QWidget

from desktop.lab.input_picker import LabInput
from desktop.lab.maps.sheet_view import SheetView
from desktop.lab.network.activations import Activations
from desktop.lab.network.detail_view import MapDetailView
from desktop.lab.network.loader import NetworkLoader
from desktop.lab.network.picture import NetworkPicture, SheetRequest, draw_network
from desktop.lab.network.stage import StageKind
from desktop.lab.network.topic import NetworkTopic
from desktop.names import label_name
from desktop.widgets import column, row
from service.inference import Card

_DETAIL_WIDTH, _HEADING_WIDTH = 304, 140
# Sides of a map in pixels: all stages are in view if the smallest ones fit.
_SMALLEST, _LARGEST, _TYPICAL = 34, 64, 40
_EVERY_MAP = 34


class NetworkPage(NetworkTopic):
    """Shows the maps of all stages, which follow the drawing, and one of them large."""

    def __init__(self, loader: NetworkLoader, parent: QWidget | None = None) -> None:
        """Create the page.

        Args:
            loader: Provides the networks.
            parent: Parent widget.
        """
        super().__init__(loader, parent)
        self.title = self.tr("Network")
        self.every_map = QCheckBox(self.tr("All &maps"), self)
        self.legend = QLabel(self)
        self.sheet = SheetView(self.tr("Maps of all layers"), self, tile=_TYPICAL, left=_HEADING_WIDTH)
        self.area = QScrollArea(self)
        self.detail = MapDetailView(self)
        self.picture: NetworkPicture | None = None
        # Stage and map; the sheet may lack the map.
        self._selected: tuple[int, int] | None = None
        self._lay_out()
        self.every_map.toggled.connect(self.run_network)
        self.sheet.resized.connect(self.run_network)
        self.sheet.map_selected.connect(self._select)
        self.detail.map_selected.connect(self.show_map)
        self.detail.show_placeholder("")
        self._describe()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the maps into the new height."""
        super().resizeEvent(event)
        self._fit_tile()

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
        self.picture, self.activations = picture, picture.activations
        self._describe()
        self.sheet.show_sheet(picture.sheet)
        if picture.detail is not None:
            self.detail.show_detail(picture.activations, picture.detail)
        if first:
            self._fit_tile()
        if self._selected is None:
            self.sheet.select(_first_choice(picture.activations), 0)

    def show_nothing(self, placeholder: str) -> None:
        """Remove the maps, and show a text in place of the large one."""
        self.picture = None
        self.sheet.show_sheet(None)
        self.detail.show_placeholder(placeholder)

    def change_model(self) -> None:
        """Show the first map of another network."""
        self.cancel()  # a late result of the network before would select its own first map
        self.sheet.selected = self._selected = None
        self.run_network()

    def job(self, model: Card, lab_input: LabInput) -> Callable[[], object]:
        """Return the function that runs the network and composes its maps."""
        request = SheetRequest(
            layout=self.sheet.layout_for(()),
            every_map=self.every_map.isChecked(),
            selected=self._selected,
            labels=tuple(label_name(label) for label in model.labels),
        )
        before, loader = self.picture, self._loader
        return lambda: draw_network(loader.run(model, lab_input), request, before=before)

    @Slot(int, int)
    def _select(self, number: int, index: int) -> None:
        if (number, index) != self._selected:
            self._selected = (number, index)
            self.run_network()

    def _describe(self) -> None:
        """Say how to read the maps, and which network of an ensemble they are of."""
        text = self.tr("Bright is large, black is 0. Of signed values, grey is 0.")
        model = self.models.current
        if model is not None and len(model.ensemble) > 1:
            one = self.tr("Layers of one of {0} networks; the scores are of all.")
            text = f"{text} {one.format(len(model.ensemble))}"
        self.legend.setText(text)

    def _fit_tile(self) -> None:
        """Choose the size of the maps, so that all stages are in view if possible."""
        tile = _EVERY_MAP
        if self.picture is not None and not self.every_map.isChecked():
            found, gap = self.picture.activations, self.sheet.layout_for(()).gap
            # The scores may take several lines.
            columns = max((self.sheet.width() - _HEADING_WIDTH) // (_SMALLEST + gap), 1)
            lines = len(found.network.stages) + (len(found.scores) - 1) // columns
            tile = self.area.viewport().height() // lines - gap
        tile = min(max(tile, _SMALLEST), _LARGEST)
        if tile != self.sheet.tile:
            self.sheet.tile = tile
            self.run_network()

    def _lay_out(self) -> None:
        self.legend.setWordWrap(True)
        self.legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.legend.setMinimumHeight(self.fontMetrics().lineSpacing() * 2)
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
