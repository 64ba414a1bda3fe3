"""The page of dropout and batch normalization, on the values of a layer."""

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QGroupBox, QLabel, QPushButton, QSizePolicy, QWidget

from desktop.lab.maps.levels import Pixels, to_pixels
from desktop.lab.maps.plot import Mark, Plot, Series
from desktop.lab.maps.sheet_view import SheetView
from desktop.lab.network.activations import Activations
from desktop.lab.network.loader import NetworkLoader
from desktop.lab.network.stage import StageKind, Values
from desktop.lab.network.topic import NetworkTopic
from desktop.lab.values.stage_choice import StageChoice
from desktop.lab.values.training_only import drop, normalize
from desktop.widgets import caption, column, row

_SHOWN, _TILE, _HEADING_WIDTH = 64, 26, 96
_BINS = 40
_DROPPED_COLOR = (150, 40, 40)


class TrainingPage(NetworkTopic):
    """Shows which values dropout removes, and how batch normalization moves values."""

    def __init__(self, loader: NetworkLoader, parent: QWidget | None = None) -> None:
        """Create the page.

        Args:
            loader: Provides the networks.
            parent: Parent widget.
        """
        super().__init__(loader, parent)
        self.title = self.tr("Training")
        self.dropped = StageChoice(
            self.tr("Layer for dropout"), lambda stage: stage.kind in _DROPPED_KINDS, self
        )
        self.rate = QDoubleSpinBox(self)
        self.again = QPushButton(self.tr("Draw &again"), self)
        self.sheet = SheetView(
            self.tr("Values before and after dropout"), self, tile=_TILE, left=_HEADING_WIDTH
        )
        self.dropout_text = QLabel(self)
        self.normalized = StageChoice(
            self.tr("Layer for normalization"), lambda stage: stage.kind is StageKind.CONVOLUTION, self
        )
        self.before = Plot(self.tr("Values before normalization"), self)
        self.after = Plot(self.tr("Values after normalization"), self)
        self.normalization_text = QLabel(self)
        self.seed = 0
        self._lay_out()
        self.dropped.currentIndexChanged.connect(self._show_dropout)
        self.rate.valueChanged.connect(self._show_dropout)
        self.again.clicked.connect(self._draw_again)
        self.sheet.resized.connect(self._show_dropout)
        self.normalized.currentIndexChanged.connect(self._show_normalization)

    def show_activations(self, activations: Activations, *, same: bool) -> None:
        """Show the values of the layers."""
        self.dropped.offer(activations, last=True)
        self.normalized.offer(activations)
        self._show_dropout()
        self._show_normalization()

    def show_nothing(self, placeholder: str) -> None:
        """Show a text in place of values."""
        self.sheet.show_sheet(None)
        self.dropout_text.setText(placeholder)
        self.normalization_text.clear()
        self.before.show_series(())
        self.after.show_series(())

    @Slot()
    def _draw_again(self) -> None:
        self.seed += 1
        self._show_dropout()

    @Slot()
    def _show_dropout(self) -> None:
        number = self.dropped.number
        if self.activations is None or number is None:
            return
        values = self.activations.maps(number)
        result = drop(values, self.rate.value(), seed=self.seed)
        shown = min(_SHOWN, self.sheet.layout_for(()).columns * 2)
        scale = float(np.abs(result.values).max(initial=0))
        after = _as_colors(to_pixels(result.values[:shown], scale=scale))
        after[~result.kept[:shown]] = _DROPPED_COLOR
        self.sheet.show_maps(
            (to_pixels(values[:shown], scale=scale), after), (self.tr("Before"), self.tr("Dropout"))
        )
        text = self.tr(
            "{0} of {1} values are dropped; the others are multiplied by 1 / (1 − {2}) = {3}. "
            "The sum is {4} before and {5} after. Only training does this; a prediction uses all values. "
            "Dropped values are red."
        )
        number_text = self.locale().toString
        self.dropout_text.setText(
            text.format(
                number_text(int((~result.kept).sum())),
                number_text(values.size),
                number_text(result.rate, "f", 2),
                number_text(result.factor, "f", 2),
                number_text(float(values.sum()), "f", 1),
                number_text(float(result.values.sum()), "f", 1),
            )
        )

    @Slot()
    def _show_normalization(self) -> None:
        number = self.normalized.number
        if self.activations is None or number is None:
            self.normalization_text.setText(self.tr("The network has no convolution."))
            self.before.show_series(())
            self.after.show_series(())
            return
        values, learned = _normalized(self.activations, number)
        before = self.activations.values(number)
        self.before.show_series([_histogram(before)])
        self.after.show_series([_histogram(values)])
        text = self.tr("Before: mean {0}, deviation {1}. After: mean {2}, deviation {3}.")
        how = (
            self.tr("The network's own batch normalization, with the means of training.")
            if learned
            else self.tr("Each map is normalized over its own values: y = (x − mean) / deviation.")
        )
        numbers = (before.mean(), before.std(), values.mean(), values.std())
        # Adding 0 turns -0.0 into 0.0.
        texts = (self.locale().toString(round(float(one), 2) + 0.0, "f", 2) for one in numbers)
        self.normalization_text.setText(f"{text.format(*texts)} {how}")

    def _lay_out(self) -> None:
        self.rate.setRange(0, 0.9)
        self.rate.setSingleStep(0.1)
        self.rate.setValue(0.5)
        for label, lines in ((self.dropout_text, 3), (self.normalization_text, 2)):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            # The tabs do not ask how high a text is at their width, and would let it cover the maps.
            label.setMinimumHeight(self.fontMetrics().lineSpacing() * lines)
        dropout = QGroupBox("Dropout", self)
        # The plots of the other group shrink first.
        dropout.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        rate = caption(self.tr("&Rate"), self.rate)
        column(
            row(self.dropped, rate, self.rate, self.again, None),
            self.sheet,
            self.dropout_text,
            None,
            parent=dropout,
            margin=8,
        )
        normalization = QGroupBox(self.tr("Batch normalization"), self)
        column(
            row(self.normalized, None),
            (row((self.before, 1), (self.after, 1)), 1),
            self.normalization_text,
            parent=normalization,
            margin=8,
        )
        column(row(self.models, None), dropout, (normalization, 1), parent=self, margin=8)


_DROPPED_KINDS = (StageKind.ACTIVATION, StageKind.GLOBAL_POOLING)


def _normalized(activations: Activations, number: int) -> tuple[Values, bool]:
    """Return the normalized values of a convolution, and whether the network's own stage made them.

    Converters fold most normalizations into the convolution before them; those cannot be seen any more.
    """
    stages = activations.network.stages
    for after, stage in enumerate(stages):
        if stage.kind is StageKind.NORMALIZATION and stage.sources == (number,):
            return activations.values(after), True
    return normalize(activations.values(number)), False


def _as_colors(pixels: Pixels) -> Pixels:
    """Return grey levels (maps, height, width) as colours; colours stay as they are."""
    return np.repeat(pixels[..., None], 3, axis=3) if pixels.ndim == 3 else pixels.copy()


def _histogram(values: Values) -> Series:
    counts, edges = np.histogram(values, bins=_BINS)
    middles = ((edges[:-1] + edges[1:]) / 2).astype(np.float32)
    return Series(middles, counts.astype(np.float32), Mark.BARS, 4)
