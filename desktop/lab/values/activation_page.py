"""The page of activation functions."""

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLabel, QWidget

from desktop.lab.maps.plot import Mark, Plot, Series
from desktop.lab.network.activations import Activations
from desktop.lab.network.formulas import function_formula
from desktop.lab.network.loader import NetworkLoader
from desktop.lab.network.stage import Function, StageKind, Values
from desktop.lab.network.topic import NetworkTopic
from desktop.lab.values.functions import ACTIVATIONS, FLAT_SLOPE, flat_share, sample_sorted
from desktop.lab.values.stage_choice import StageChoice
from desktop.widgets import caption, column, create_combo, row, scale_font

_DOTS, _POINTS = 300, 241
_MIN_REACH = 3.0


class ActivationPage(NetworkTopic):
    """Shows activation functions, and where the values of a layer lie on one of them."""

    def __init__(self, loader: NetworkLoader, parent: QWidget | None = None) -> None:
        """Create the page.

        Args:
            loader: Provides the networks.
            parent: Parent widget.
        """
        super().__init__(loader, parent)
        self.title = self.tr("Activation")
        self.stages = StageChoice(
            self.tr("Layer whose values are shown"), lambda stage: stage.kind is StageKind.ACTIVATION, self
        )
        names: list[tuple[str, object]] = [(self.tr("as in the network"), None)]
        names += [(_title(function), function) for function in ACTIVATIONS]
        self.functions = create_combo(self.tr("Function"), names, self)
        self.formula = QLabel(self)
        self.plot = Plot(self.tr("Activation functions"), self)
        self.text = QLabel(self)
        self._lay_out()
        self.stages.currentIndexChanged.connect(self._show)
        self.functions.currentIndexChanged.connect(self._show)

    @property
    def function(self) -> Function | None:
        """The function that is shown; None without a network."""
        chosen = self.functions.currentData()
        if chosen is not None or self.activations is None or self.stages.number is None:
            return chosen if isinstance(chosen, Function) else None
        return self.activations.network.stages[self.stages.number].function

    def show_activations(self, activations: Activations, *, same: bool) -> None:
        """Show the values of the layer."""
        self.stages.offer(activations)
        self._show()

    def show_nothing(self, placeholder: str) -> None:
        """Show the curves alone, and a text."""
        self.text.setText(placeholder)
        self._plot(None, np.empty(0, dtype=np.float32))

    @Slot()
    def _show(self) -> None:
        function, number = self.function, self.stages.number
        if self.activations is None or number is None or function is None:
            return
        values = self.activations.read(number)
        self.formula.setText(function_formula(function))
        self._plot(function, sample_sorted(values, _DOTS))
        outputs = ACTIVATIONS[function].apply(values)
        text = self.tr(
            "{0} values from {1} to {2} become values from {3} to {4}. {5} % are negative. "
            "Where the slope is less than {6}, hardly anything is learned: {7} %."
        )
        number_text = self.locale().toString
        self.text.setText(
            text.format(
                number_text(values.size),
                *(number_text(float(one), "f", 2) for one in (values.min(), values.max())),
                *(number_text(float(one), "f", 2) for one in (outputs.min(), outputs.max())),
                number_text(float((values < 0).mean() * 100), "f", 1),
                number_text(FLAT_SLOPE, "f", 2),
                number_text(flat_share(function, values) * 100, "f", 1),
            )
        )

    def _plot(self, function: Function | None, dots: Values) -> None:
        reach = max(float(np.abs(dots).max(initial=0)), _MIN_REACH)
        x = np.linspace(-reach, reach, _POINTS, dtype=np.float32)
        series = []
        for color, (name, activation) in enumerate(ACTIVATIONS.items()):
            if name in (Function.SIGMOID, Function.TANH, Function.RELU, Function.ELU) or name is function:
                mark = Mark.LINE if name is function else Mark.DASHES
                series.append(Series(x, activation.apply(x), mark, color, _title(name)))
        if function is not None:
            series.append(Series(dots, ACTIVATIONS[function].apply(dots), Mark.DOTS, -1))
        self.plot.show_series(series, y_range=(-min(reach, 1.5), reach))

    def _lay_out(self) -> None:
        scale_font(self.formula, 1.2, bold=True)
        self.text.setWordWrap(True)
        function = caption(self.tr("&Function"), self.functions)
        column(
            row(self.models, self.stages, None),
            row(function, self.functions, None, self.formula, None),
            (self.plot, 1),
            self.text,
            parent=self,
            margin=8,
        )


def _title(function: Function) -> str:
    return function.value[0].upper() + function.value[1:]
