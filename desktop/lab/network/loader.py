"""Loads the networks that the lab looks into."""

from threading import Lock

from desktop.explain.backend import ExplanationBackend
from desktop.lab.input_picker import LabInput
from desktop.lab.network.activations import Activations, NetworkRunner
from desktop.pictures.images import pillow_of
from service.inference import Card


class NetworkLoader:
    """Runs networks, of which it keeps the one that was used last; several threads can use it at once."""

    def __init__(self, backend: ExplanationBackend) -> None:
        """Initialize without loading anything.

        Args:
            backend: Provides the models.
        """
        self._backend = backend
        self._lock = Lock()
        self._last: NetworkRunner | None = None

    def models(self) -> tuple[Card, ...]:
        """Return the cards of all networks for pictures; errors as for the backend's."""
        return self._backend.models("image-classification")

    def runner(self, model: Card) -> NetworkRunner:
        """Return a network; raises a LecternError if it cannot be loaded."""
        with self._lock:
            if self._last is None or self._last.card is not model:
                self._last = NetworkRunner.load(self._backend.folder(model), model)
            return self._last

    def run(self, model: Card, lab_input: LabInput) -> Activations:
        """Return what a network computes of the lab's input; slow, so not for the GUI thread.

        Raises:
            LecternError: The network cannot be loaded, or the input is blank.
        """
        assert lab_input.source is not None
        runner = self.runner(model)
        if lab_input.drawn and model.input.preprocessing == "digit":
            return runner.run(lab_input.pixels)
        return runner.run(self._backend.prepare(model, pillow_of(lab_input.source)))
