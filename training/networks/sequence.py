"""Defines the layers of networks that read the words of a text in their order.

Each layer gets the ids of the words too, and ignores what stands at the padding, id 0, at the end of a row. A
text therefore has the same prediction whatever the longest text of its batch is. After a pooling of words, a
step stands for several of them.
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
class MaxOverWords(keras.layers.Layer):
    """The maximum of each channel over neighbouring words; padding counts as zero.

    Args:
        words_per_step: Number of words that become one step.
        **options: Further arguments of a Keras layer.
    """

    def __init__(self, words_per_step: int, **options: Any) -> None:
        super().__init__(**options)
        self.words_per_step = words_per_step

    def call(self, values: Any, ids: Any) -> Any:
        """Map values (batch, length, channels) to (batch, steps, channels); the last step may be shorter."""
        values = ops.pad(values * _mask(ids, values.dtype), ((0, 0), (0, self.words_per_step - 1), (0, 0)))
        return ops.max_pool(values, self.words_per_step)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "words_per_step": self.words_per_step}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class BidirectionalGRU(keras.layers.Layer):
    """Gated recurrent units that read a text forwards, and others that read it backwards (Cho et al. 2014).

    Args:
        units: Units of each direction.
        words_per_step: Number of words that a step stands for.
        regularizer: Penalty on the kernels of both directions, those of the states too.
        **options: Further arguments of a Keras layer.
    """

    def __init__(
        self,
        units: int,
        words_per_step: int = 1,
        regularizer: keras.regularizers.Regularizer | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units = units
        self.words_per_step = words_per_step
        self.regularizer = keras.regularizers.get(regularizer)
        self.directions = keras.layers.Bidirectional(
            keras.layers.GRU(
                units,
                return_sequences=True,
                kernel_regularizer=self.regularizer,
                recurrent_regularizer=self.regularizer,
            ),
            name="directions",
        )

    def build(self, vectors_shape: tuple[int | None, ...], ids_shape: tuple[int | None, ...]) -> None:
        """Create the weights of both directions."""
        self.directions.build(vectors_shape)

    def call(self, vectors: Any, ids: Any) -> Any:
        """Map vectors (batch, steps, n) to the states of both directions (batch, steps, 2 * units)."""
        return self.directions(vectors, mask=ops.greater(ids[:, :: self.words_per_step], 0))

    def compute_output_shape(
        self, vectors_shape: tuple[int | None, ...], ids_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return the shape of the states."""
        return (*vectors_shape[:2], 2 * self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "units": self.units,
            "words_per_step": self.words_per_step,
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }


@keras.saving.register_keras_serializable(package=_PACKAGE)
class MeanOverWords(keras.layers.Layer):
    """The mean of each channel over the words of a text.

    Args:
        words_per_step: Number of words that a step stands for.
        **options: Further arguments of a Keras layer.
    """

    def __init__(self, words_per_step: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.words_per_step = words_per_step
        self.supports_masking = True  # a recurrent layer passes its mask on

    def compute_mask(self, values: Any, ids: Any = None, previous_mask: Any = None) -> None:
        """Return no mask, since the output has no words."""
        return

    def call(self, values: Any, ids: Any) -> Any:
        """Map values (batch, steps, channels) to their means (batch, channels)."""
        mask = _mask(ids[:, :: self.words_per_step], values.dtype)
        return ops.sum(values * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "words_per_step": self.words_per_step}


def _mask(ids: Any, dtype: str) -> Any:
    """Return (batch, length, 1) ones, and zeros at the padding."""
    return ops.expand_dims(ops.cast(ids > 0, dtype), -1)
