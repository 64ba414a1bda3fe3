"""The page of softmax with a temperature."""

import math

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QPushButton, QSlider, QWidget

from desktop.lab.network.activations import Activations
from desktop.lab.network.loader import NetworkLoader
from desktop.lab.network.topic import NetworkTopic
from desktop.lab.values.share_table import ShareTable
from desktop.lab.values.softmax import Softmax, read_logits
from desktop.names import label_name
from desktop.widgets import caption, column, row, scale_font

_MIN, _MAX, _STEPS = 0.1, 20.0, 200


class SoftmaxPage(NetworkTopic):
    """Shows how the network's logits become probabilities, at an adjustable temperature."""

    def __init__(self, loader: NetworkLoader, parent: QWidget | None = None) -> None:
        """Create the page.

        Args:
            loader: Provides the networks.
            parent: Parent widget.
        """
        super().__init__(loader, parent)
        self.title = "Softmax"
        self.temperature = QDoubleSpinBox(self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.reset = QPushButton(self.tr("Reset to &1"), self)
        self.formula = QLabel("p = e^(z / T) / Σ e^(z / T)", self)
        self.result = QLabel(self)
        self.note = QLabel(
            self.tr(
                "A low temperature makes the largest share larger, a high one makes all shares equal. "
                "The order never changes."
            ),
            self,
        )
        self.table = ShareTable(self.tr("Logits and shares"), self)
        self._lay_out()
        self.temperature.valueChanged.connect(self._set_temperature)
        self.slider.valueChanged.connect(lambda step: self.temperature.setValue(_at_step(step)))
        self.reset.clicked.connect(lambda: self.temperature.setValue(1))

    def show_activations(self, activations: Activations, *, same: bool) -> None:
        """Show the shares."""
        self._show()

    def show_nothing(self, placeholder: str) -> None:
        """Show a text in place of the shares."""
        self.table.show_placeholder(placeholder)
        self.result.clear()

    @Slot(float)
    def _set_temperature(self, value: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(_step_of(value))
        self.slider.blockSignals(False)
        self._show()

    def _show(self) -> None:
        if self.activations is None:
            return
        softmax = Softmax(read_logits(self.activations), self.temperature.value())
        self.table.show_softmax([label_name(label) for label in self.activations.labels], softmax)
        text = self.tr("T = {0}: the sum of the powers is {1}. Entropy {2} of at most {3} bits.")
        numbers = (
            softmax.temperature,
            float(softmax.powers.sum()),
            softmax.entropy,
            math.log2(len(softmax.logits)),
        )
        self.result.setText(text.format(*(self.locale().toString(one, "f", 2) for one in numbers)))

    def _lay_out(self) -> None:
        self.temperature.setRange(_MIN, _MAX)
        self.temperature.setSingleStep(0.1)
        self.temperature.setValue(1)
        self.slider.setRange(0, _STEPS)
        self.slider.setValue(_step_of(1))
        self.slider.setAccessibleName(self.tr("Temperature"))
        scale_font(self.formula, 1.2, bold=True)
        for label in (self.result, self.note):
            label.setWordWrap(True)
        temperature = caption(self.tr("&Temperature T"), self.temperature)
        column(
            row(self.models, None, self.formula, None),
            row(temperature, self.temperature, (self.slider, 1), self.reset),
            (self.table, 1),
            self.result,
            self.note,
            parent=self,
            margin=8,
        )


def _at_step(step: int) -> float:
    """Return the temperature at a place of the slider, which is logarithmic."""
    return round(_MIN * float((_MAX / _MIN) ** (step / _STEPS)), 2)


def _step_of(temperature: float) -> int:
    return round(math.log(temperature / _MIN) / math.log(_MAX / _MIN) * _STEPS)
