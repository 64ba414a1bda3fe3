"""Defines the layers of networks that read the words of a text in their order.

Each layer gets the ids of the words too, and ignores what stands at the padding, id 0, at the end of a row. A
text therefore has the same prediction whatever the longest text of its batch is.
"""

from typing import Any

import keras
from keras import ops

_PACKAGE = "lectern"


@keras.saving.register_keras_serializable(package=_PACKAGE)
class WordEmbedding(keras.layers.Layer):
    """A trained vector for each word, and zeros for padding.

    Args:
        words: Size of the vocabulary; ids are from 1 to it.
        units: Size of the vectors.
        **options: Further arguments of a Keras layer.
    """

    def __init__(self, words: int, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.words = words
        self.units = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the vectors (words, units)."""
        self.embeddings = self.add_weight(
            shape=(self.words, self.units), initializer="uniform", name="embeddings"
        )

    def call(self, ids: Any) -> Any:
        """Map int32 ids (batch, length) to vectors (batch, length, units)."""
        rows = ops.take(self.embeddings, ops.maximum(ids - 1, 0), axis=0)
        return rows * _mask(ids, rows.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "words": self.words, "units": self.units}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class BidirectionalGRU(keras.layers.Layer):
    """Gated recurrent units that read a text forwards, and others that read it backwards (Cho et al. 2014).

    Args:
        units: Units of each direction.
        **options: Further arguments of a Keras layer.
    """

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units
        self.directions = keras.layers.Bidirectional(
            keras.layers.GRU(units, return_sequences=True), name="directions"
        )

    def build(self, vectors_shape: tuple[int | None, ...], ids_shape: tuple[int | None, ...]) -> None:
        """Create the weights of both directions."""
        self.directions.build(vectors_shape)

    def call(self, vectors: Any, ids: Any) -> Any:
        """Map vectors (batch, length, n) to the states of both directions (batch, length, 2 * units)."""
        return self.directions(vectors, mask=ops.greater(ids, 0))

    def compute_output_shape(
        self, vectors_shape: tuple[int | None, ...], ids_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return the shape of the states."""
        return (*vectors_shape[:2], 2 * self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class MeanOverWords(keras.layers.Layer):
    """The mean of each channel over the words of a text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True  # a recurrent layer passes its mask on

    def compute_mask(self, values: Any, ids: Any = None, previous_mask: Any = None) -> None:
        """Return no mask, since the output has no words."""
        return

    def call(self, values: Any, ids: Any) -> Any:
        """Map values (batch, length, channels) to their means (batch, channels)."""
        mask = _mask(ids, values.dtype)
        return ops.sum(values * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1)


def _mask(ids: Any, dtype: str) -> Any:
    """Return (batch, length, 1) ones, and zeros at the padding."""
    return ops.expand_dims(ops.cast(ids > 0, dtype), -1)
