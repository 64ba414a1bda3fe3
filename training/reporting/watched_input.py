"""Predicts one picture or text with a network after each epoch of its training."""

from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from service.inference.errors import InputError
from service.inference.files import open_regular
from service.inference.prediction import Score
from service.inference.preprocessing import decode_image, picture_preparation
from service.inference.training_events import InputRead
from training.datasets import Dataset
from training.recipes.recipe import Recipe


class WatchedInput:
    """A file with a picture or a text. It may change, or be missing."""

    def __init__(self, path: Path, recipe: Recipe, dataset: Dataset) -> None:
        """Create the input.

        Args:
            path: The file; it is read at each prediction.
            recipe: Names the preprocessing.
            dataset: Has the labels and, for texts, the vocabulary.
        """
        self._path, self._dataset = path, dataset
        self._recipe = recipe

    def read(self, model: keras.Model, *, epoch: int) -> InputRead | None:
        """Predict the file.

        Args:
            model: The network.
            epoch: Number of finished epochs.

        Returns:
            The probabilities before calibration. None if the file is missing or has nothing to read, or if
            the network does not read pictures or texts, or predicts values.
        """
        try:
            with open_regular(self._path) as file:
                prepared = self._prepare(file.read())
        except (OSError, InputError):
            return None
        if prepared is None or model.input_shape[1:] not in (prepared.shape, (None,) * prepared.ndim):
            return None
        output = np.asarray(model(prepared[None], training=False), dtype=np.float64)[0]
        if len(output) == 1 and len(self._dataset.labels) == 2:
            output = np.concatenate([1 - output, output])
        scores = zip(self._dataset.labels, output, strict=True)
        return InputRead(epoch=epoch, scores=tuple(Score(label, float(score)) for label, score in scores))

    def _prepare(self, content: bytes) -> npt.NDArray[np.generic] | None:
        recipe = self._recipe
        if recipe.preprocessing == "table" or recipe.task == "regression":
            return None
        if recipe.task != "text-classification":
            return picture_preparation(recipe.preprocessing, size=recipe.size)(decode_image(content))
        assert self._dataset.vocabulary is not None, "data sets of texts have one"
        text = content.decode(errors="replace")
        ids = self._dataset.vocabulary.encode(text, length=recipe.length)
        return np.asarray(ids, dtype=np.int32) if len(ids) else None
