"""Owns the panel that shows why: heat over the picture, feature maps, the layers of the network."""

from collections.abc import Iterator

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop.explain.explanations import Explanation, ExplanationRequest, Explanations, Pixels
from desktop.explain.feature_strip import FeatureStrip
from desktop.explain.layer_table import LayerTable
from desktop.lab.pixel_view import PixelView
from desktop.prediction.worker import Worker
from desktop.window.messages import error_message
from service.inference import Card, LecternError

_MARGIN = 16
_WIDTH = 360


class ExplanationPanel(QWidget):
    """Explains what was read, for as long as it is seen; everything is computed on this computer.

    What is shown at last always belongs to the newest picture and label; explanations that come too late are
    left out.
    """

    def __init__(self, explanations: Explanations, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explanations = explanations
        self._model = ""
        self._version: int | None = None
        self._pixels: Pixels | None = None
        self._answer: str | None = None
        self._layer: str | None = None
        self._card: Card | None = None
        self.labels = QComboBox(self)
        self.labels.setAccessibleName(self.tr("The answer that is explained"))
        self.heat = PixelView(self.tr("Heat map"), self, smooth=True)
        self.legend = QLabel(self)
        self.layers = QComboBox(self)
        self.layers.setAccessibleName(self.tr("Layer whose feature maps are shown"))
        self.shape = QLabel(self)
        self.strip = FeatureStrip(self)
        self._box = QWidget(self)
        self.notice = QLabel(self.tr("A network without convolutional layers has no feature maps."), self)
        self.table = LayerTable(self, narrow=True)
        self.total = QLabel(self)
        self._worker = Worker("explains", self)
        self._worker.result_ready.connect(self._show)
        self._worker.failed.connect(self._refuse)
        self._lay_out()
        self.labels.currentIndexChanged.connect(self._ask)
        self.layers.currentTextChanged.connect(self._choose_layer)
        self.table.chosen.connect(self.layers.setCurrentText)
        self._show_nothing()

    def start(self, model: str | None, version: int | None) -> None:
        """Forget what was explained; from now on it is about another picture, perhaps another network.

        Args:
            model: Name of the network that will be asked; None if there is none.
            version: One of its versions; the default one if None.
        """
        self._worker.cancel()
        self._model, self._version = model or "", version
        self._pixels = self._answer = None
        self._show_nothing()
        self._ask()

    def see(self, pixels: Pixels) -> None:
        """Explain what a network was given: uint8 (height, width) or (height, width, 3)."""
        self._pixels = pixels
        self._ask()

    def set_label(self, label: str) -> None:
        """Explain the answer that a network gave to what was seen last."""
        if label != self._answer:
            self._answer = label
            self._name_answer()
            self._ask()

    def close_workers(self) -> None:
        """Stop the thread."""
        self._worker.close()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up on what came while nobody looked."""
        super().showEvent(event)
        self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop explaining."""
        self._worker.cancel()
        super().hideEvent(event)

    def _ask(self) -> None:
        if not self.isVisible() or not self._model:
            return
        chosen: str | None = self.labels.currentData()
        wish = ExplanationRequest(
            model=self._model,
            version=self._version,
            pixels=self._pixels,
            label=chosen if chosen is not None else self._answer,
            layer=self._layer,
        )
        explanations = self._explanations

        def job() -> Iterator[object]:
            yield explanations.explain(wish)

        self._worker.put(job)

    @Slot(object)
    def _show(self, insight: Explanation) -> None:
        self._meet(insight.card)
        if insight.card.task == "text-classification":
            self.heat.show_placeholder(self.tr("Networks for texts have no picture of what they saw."))
        elif insight.card.explanation is None:
            self.heat.show_placeholder(
                self.tr("This network was exported without its explanations. Export it again.")
            )
        elif insight.overlay is not None:
            self.heat.show_pixels(insight.overlay)
        elif insight.wish.pixels is None:
            self._invite()
        self._tell_legend(insight)
        self._show_maps(insight)

    @Slot(object)
    def _refuse(self, error: LecternError) -> None:
        self._show_nothing()
        self.heat.show_placeholder(
            self.tr("This network is not on this computer, where explanations are computed.")
            if error.code == "model_not_found"
            else error_message(error)
        )

    def _meet(self, card: Card) -> None:
        """Get to know a network, if it is another one than before."""
        if card is self._card:
            return
        self._card = card
        explained = card.explanation is not None
        with QSignalBlocker(self.labels), QSignalBlocker(self.layers):
            self.labels.clear()
            self.layers.clear()
            if card.explanation is not None:
                self.labels.addItem("", None)
                for label in card.labels:
                    self.labels.addItem(self.tr("Why {0}?").format(label), label)
                self.layers.addItems(list(card.explanation.layers))
                self.layers.setCurrentText(self._layer or "")
        self.labels.setVisible(explained)
        self._box.setVisible(self.layers.count() > 0)
        self.notice.setVisible(explained and self.layers.count() == 0)
        self._name_answer()
        self.table.show_card(card)
        self.total.setText(self.tr("{0} parameters").format(self.locale().toString(card.parameters)))

    def _name_answer(self) -> None:
        if self.labels.count():
            words = (
                self.tr("Why this answer?")
                if self._answer is None
                else self.tr("Why this answer: {0}?").format(self._answer)
            )
            self.labels.setItemText(0, words)

    def _choose_layer(self, layer: str) -> None:
        self._layer = layer
        self.table.point_at(layer)
        self._ask()

    def _tell_legend(self, insight: Explanation) -> None:
        shown = insight.overlay is not None
        words = self.tr("Bright is what spoke for {0}.").format(insight.wish.label)
        self.legend.setText(words if shown else "")
        if shown:
            self.heat.setAccessibleDescription(words)

    def _show_maps(self, insight: Explanation) -> None:
        maps = insight.maps
        self.strip.show_maps(maps)
        self.shape.setText("")
        if maps is not None:
            count, height, width = maps.tiles.shape
            self.shape.setText(self.tr("{0} maps of {1} × {2}").format(count, width, height))
            self.table.point_at(maps.layer)

    def _show_nothing(self) -> None:
        self._invite()
        self.legend.setText("")
        self.shape.setText("")
        self.strip.show_maps(None)
        self._name_answer()

    def _invite(self) -> None:
        self.heat.show_placeholder(self.tr("Here you will see where the network looked."))

    def _lay_out(self) -> None:
        self.setMinimumWidth(_WIDTH)
        self.labels.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.legend.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.notice.setWordWrap(True)
        self.notice.hide()
        self.labels.hide()
        self.total.setAlignment(Qt.AlignmentFlag.AlignRight)
        caption = QLabel(self.tr("&Layer"), self)
        caption.setBuddy(self.layers)
        choice = QHBoxLayout()
        choice.setSpacing(8)
        choice.addWidget(caption)
        choice.addWidget(self.layers, 1)
        choice.addWidget(self.shape)
        maps = QVBoxLayout(self._box)
        maps.setContentsMargins(0, 8, 0, 8)
        maps.setSpacing(8)
        maps.addLayout(choice)
        maps.addWidget(self.strip)
        self._box.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(8)
        column.addWidget(self.labels)
        column.addWidget(self.heat, 3)
        column.addWidget(self.legend)
        column.addWidget(self._box)
        column.addWidget(self.notice)
        column.addWidget(self.table, 2)
        column.addWidget(self.total)
