"""The panel that explains a prediction."""

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop.explain.backend import Explanation, ExplanationBackend, ExplanationRequest, Pixels
from desktop.explain.feature_maps import FeatureMapView
from desktop.explain.layer_table import LayerTable
from desktop.names import label_name
from desktop.prediction.worker import Worker
from desktop.result.pixel_view import PixelView
from desktop.widgets import PAGE_MARGIN, column, create_combo
from desktop.window.messages import error_message
from service.inference import Card, LecternError

_WIDTH, _MIN_WIDTH = 360, 240
# Longer than the time between two events of a moving mouse.
_PAUSE_MS = 120


class ExplanationPanel(QWidget):
    """Shows heat map, feature maps and layers for the current input of a network.

    Explanations are computed on this computer, and only while the panel is visible. They wait for a pause of
    the user, because they would delay the mouse. Each change replaces the computation of an older one.
    """

    def __init__(self, backend: ExplanationBackend, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._backend = backend
        # With the predicted label. The combo boxes hold the label and the layer that the user chose.
        self._request: ExplanationRequest | None = None
        self._card: Card | None = None
        self.labels = create_combo(self.tr("Label to explain"), parent=self)
        self.heat_map = PixelView(self.tr("Heat map"), self, smooth=True)
        self.legend = QLabel(self)
        self.feature_maps = FeatureMapView(self)
        self.notice = QLabel(self.tr("A network without convolutional layers has no feature maps."), self)
        self.table = LayerTable(self, hide_names=True)
        self.parameters = QLabel(self)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._request_explanation)
        self._worker = Worker("explanations", self)
        self._worker.result_ready.connect(self._show_explanation)
        self._worker.failed.connect(self._show_error)
        self._lay_out()
        self.labels.currentIndexChanged.connect(self._request_explanation)
        self.feature_maps.layer_changed.connect(self._layer_changed)
        self.table.layer_selected.connect(self.feature_maps.select_layer)
        self._clear()

    def set_model(self, model: str | None, version: int | None) -> None:
        """Set the network to explain, and clear its input.

        Args:
            model: Name of the model; None if there is none.
            version: Version of the model; the default version if None.
        """
        self._worker.cancel()
        self._request = None if model is None else ExplanationRequest(model=model, version=version)
        self._clear()
        self._request_explanation()

    def set_pixels(self, pixels: Pixels) -> None:
        """Set the input of the network, uint8 (height, width) or (height, width, 3)."""
        if self._request is not None:
            self._request = replace(self._request, pixels=pixels)
            self._pause.start()

    def set_label(self, label: str) -> None:
        """Set the label that the network predicted."""
        if self._request is not None and label != self._request.label:
            self._request = replace(self._request, label=label)
            self._update_label_text()
            self._pause.start()

    def postpone(self) -> None:
        """Wait with a pending explanation, because the user is editing."""
        if self._pause.isActive():
            self._pause.start()

    def reset_label(self) -> None:
        """Explain the predicted label again, in place of one that the user chose."""
        with QSignalBlocker(self.labels):
            self.labels.setCurrentIndex(0 if self.labels.count() else -1)

    def sizeHint(self) -> QSize:
        """Return the preferred size."""
        return QSize(_WIDTH, super().sizeHint().height())

    def showEvent(self, event: QShowEvent) -> None:
        """Explain the current input."""
        super().showEvent(event)
        self._request_explanation()

    def hideEvent(self, event: QHideEvent) -> None:
        """Cancel the computation."""
        self._pause.stop()
        self._worker.cancel()
        super().hideEvent(event)

    def _request_explanation(self) -> None:
        self._pause.stop()
        if self._request is None or not self.isVisible():
            return
        request = replace(
            self._request,
            label=self.labels.currentData() or self._request.label,
            layer=self.feature_maps.layer,
        )
        self._worker.call(partial(self._backend.explain, request))

    def _layer_changed(self, layer: str) -> None:
        self.table.select_layer(layer)
        self._request_explanation()

    @Slot(object)
    def _show_explanation(self, explanation: Explanation) -> None:
        card, label = explanation.card, explanation.request.label
        if card is not self._card:
            self._set_card(card)
        if explanation.overlay is not None:
            self._show_heat_map(explanation.overlay, label or "", has_heat=explanation.has_heat)
        else:
            self.legend.clear()
            self._show_why_not(explanation)
        self.feature_maps.set_maps(explanation.maps)
        if explanation.maps is not None:
            self.table.select_layer(explanation.maps.layer)

    def _show_heat_map(self, overlay: Pixels, label: str, *, has_heat: bool) -> None:
        self.heat_map.set_pixels(overlay)
        text = self.tr("Bright pixels contribute to {0}.")
        if not has_heat:
            text = self.tr("No pixel contributes to {0}.")
        self.legend.setText(text.format(label_name(label)))
        self.heat_map.setAccessibleDescription(self.legend.text())

    def _show_why_not(self, explanation: Explanation) -> None:
        """Say why there is no heat map."""
        if explanation.card.task == "text-classification":
            self.heat_map.show_placeholder(self.tr("Heat maps are not available for texts."))
        elif explanation.card.explanation is None:
            self.heat_map.show_placeholder(
                self.tr("This network was exported without explanations. Export it again.")
            )
        elif explanation.request.pixels is None:
            self._show_heat_map_placeholder()

    @Slot(object)
    def _show_error(self, error: LecternError) -> None:
        self._clear()
        self.heat_map.show_placeholder(
            self.tr("This network is not on this computer, where explanations are computed.")
            if error.code == "model_not_found"
            else error_message(error)
        )

    def _set_card(self, card: Card) -> None:
        self._card = card
        explanation = card.explanation
        names = () if explanation is None else explanation.layers
        layers = [layer for layer in card.layers if layer.name in names]
        with QSignalBlocker(self.labels):
            self.labels.clear()
            if explanation is not None:
                self.labels.addItem("", None)
                for label in card.labels:
                    self.labels.addItem(self.tr("Why {0}?").format(label_name(label)), label)
        self._update_label_text()
        self.labels.setVisible(explanation is not None)
        self.feature_maps.set_layers(layers)
        self.feature_maps.setVisible(bool(layers))
        self.notice.setVisible(explanation is not None and not layers)
        self.table.set_card(card)
        self.parameters.setText(self.tr("{0} parameters").format(self.locale().toString(card.parameters)))

    def _update_label_text(self) -> None:
        label = None if self._request is None else self._request.label
        if self.labels.count():
            text = self.tr("Why this prediction?")
            if label is not None:
                text = self.tr("Why this prediction: {0}?").format(label_name(label))
            self.labels.setItemText(0, text)

    def _clear(self) -> None:
        self._show_heat_map_placeholder()
        self.legend.clear()
        self.feature_maps.set_maps(None)
        self._update_label_text()

    def _show_heat_map_placeholder(self) -> None:
        self.heat_map.show_placeholder(self.tr("The heat map appears with the next prediction."))

    def _lay_out(self) -> None:
        self.setMinimumWidth(_MIN_WIDTH)
        self.labels.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.legend.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.notice.setWordWrap(True)
        self.parameters.setAlignment(Qt.AlignmentFlag.AlignRight)
        for part in (self.labels, self.feature_maps, self.notice):
            part.hide()
        column(
            self.labels,
            (self.heat_map, 3),
            self.legend,
            self.feature_maps,
            self.notice,
            (self.table, 2),
            self.parameters,
            parent=self,
            margin=PAGE_MARGIN,
        )
