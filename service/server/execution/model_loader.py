"""Loads models, warms them up, and measures their latency before they are served."""

import io
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from service.inference.predictor import Predictor
from service.inference.repository.checks import sample_picture
from service.inference.repository.model import Model
from service.server.execution.heap import trim_heap
from service.server.execution.latency_profile import LatencyProfile, measure_predictor
from service.settings import Settings


class ModelLoader:
    """Loads the models of one server process, in any thread.

    Args:
        settings: Hardware, and the largest batch.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # A profile lives as long as its predictor, which requests use even if the model is unloaded.
        self._profiles: WeakKeyDictionary[Predictor, LatencyProfile] = WeakKeyDictionary()

    def load(self, model: Model, version: int | None) -> Predictor:
        """Load and measure a version; the default one if None.

        Raises:
            LecternError: There is no such version, or it cannot be used.
        """
        try:
            predictor = model.predictor(version)
        finally:
            model.log_problems()
        self.profile(predictor)
        return predictor

    def prepare(self, model: Model, versions: Iterable[int]) -> None:
        """Load versions of a model, so that their first requests need not wait.

        Raises:
            LecternError: A version cannot be used.
        """
        for version in versions:
            predictor = self.load(model, version)
            if predictor.card.reads == "pictures":
                # The first picture makes Pillow and NumPy import more modules.
                predictor.prepare(_sample_file())

    def loaded(self, model: Model, version: int | None) -> tuple[Predictor, LatencyProfile] | None:
        """Return a version that is loaded, and its latency profile; None if it has to be loaded."""
        predictor = model.loaded.get(model.default if version is None else version)
        profile = None if predictor is None else self._profiles.get(predictor)
        return None if predictor is None or profile is None else (predictor, profile)

    def profile(self, predictor: Predictor) -> LatencyProfile:
        """Return a network's latency profile, which is measured when the model is loaded."""
        profile = self._profiles.get(predictor)
        if profile is None:
            profile = self._profiles[predictor] = measure_predictor(
                predictor, max_batch=self._settings.max_batch, threads=self._settings.threads
            )
            # The measurement tries larger batches than most requests need.
            predictor.shrink_arena()
            trim_heap()
        return profile


def _sample_file() -> bytes:
    stream = io.BytesIO()
    sample_picture().save(stream, "PNG")
    return stream.getvalue()
