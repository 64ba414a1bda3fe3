"""The choice of a stage of a network."""

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QWidget

from desktop.lab.network.activations import Activations
from desktop.lab.network.stage import Network, Stage
from desktop.lab.network.titles import stage_names


class StageChoice(QComboBox):
    """Offers the stages of a network that fulfil a condition.

    Signals:
        currentIndexChanged: Another stage is chosen; not emitted by :meth:`offer`.
    """

    def __init__(self, name: str, condition: Callable[[Stage], bool], parent: QWidget | None = None) -> None:
        """Create the choice without stages.

        Args:
            name: Name for screen readers.
            condition: Whether a stage is offered.
            parent: Parent widget.
        """
        super().__init__(parent)
        self._condition = condition
        self._network: Network | None = None
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)

    @property
    def number(self) -> int | None:
        """Number of the stage; None if there is none."""
        data = self.currentData()
        return data if isinstance(data, int) else None

    def offer(self, activations: Activations, *, last: bool = False) -> None:
        """Offer the stages of a network; of another network, choose the first or the last one."""
        network = activations.network
        if network is self._network:
            return
        self._network = network
        with QSignalBlocker(self):
            self.clear()
            for number, (name, stage) in enumerate(zip(stage_names(network), network.stages, strict=True)):
                if self._condition(stage):
                    before = stage_names(network)[stage.sources[0]] if stage.function else ""
                    self.addItem(f"{name} ({before})" if before else name, number)
            self.setCurrentIndex(self.count() - 1 if last else 0 if self.count() else -1)
