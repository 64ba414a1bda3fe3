"""Defines the base class of the lab's pages that look into a network."""

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from desktop.lab.input_picker import LabInput
from desktop.lab.network.activations import Activations
from desktop.lab.network.loader import NetworkLoader
from desktop.lab.network.model_choice import ModelChoice
from desktop.lab.topic import Topic
from desktop.window.messages import error_message
from service.inference import Card, LecternError


class NetworkTopic(Topic):
    """A page that shows something of what a network computes of the input.

    Attributes:
        models: The choice of the network.
        activations: What the network computed; None while there is no input.
    """

    def __init__(self, loader: NetworkLoader, parent: QWidget | None = None) -> None:
        """Create the page.

        Args:
            loader: Provides the networks.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.models = ModelChoice(loader, self)
        self.activations: Activations | None = None
        self._loader = loader
        self.models.changed.connect(self.change_model)

    def showEvent(self, event: QShowEvent) -> None:
        """Refresh the networks that are offered."""
        super().showEvent(event)
        self.models.refresh()

    def show_input(self) -> None:
        """Run the network on the new input."""
        if self.lab_input is not None:
            self.models.suit(self.lab_input)
        self.run_network()

    def show_result(self, result: object) -> None:
        """Show what the network computed."""
        before = self.activations
        self.activations = cast(Activations, result)
        self.show_activations(
            self.activations, same=before is not None and before.network is self.activations.network
        )

    def show_error(self, error: LecternError) -> None:
        """Show why there is nothing."""
        self.activations = None
        self.show_nothing(error_message(error))

    def job(self, model: Card, lab_input: LabInput) -> Callable[[], object]:
        """Return the function that computes what :meth:`show_result` gets, on the page's thread."""
        loader = self._loader
        return lambda: loader.run(model, lab_input)

    def show_activations(self, activations: Activations, *, same: bool) -> None:
        """Show what a network computed.

        Args:
            activations: The values of its stages.
            same: Whether it is the network of the last call.
        """
        raise NotImplementedError

    def show_nothing(self, placeholder: str) -> None:
        """Show a text in place of values."""
        raise NotImplementedError

    @Slot()
    def change_model(self) -> None:
        """Run the network that is chosen now."""
        self.run_network()

    @Slot()
    def run_network(self) -> None:
        """Run the chosen network on the input, if there is one and the page is shown."""
        lab_input, model = self.lab_input, self.models.current
        if lab_input is None or model is None:
            self.cancel()
            self.activations = None
            self.show_nothing(self.placeholder)
        elif self.isVisible():
            self.compute(self.job(model, lab_input))
