"""Owns the layer that turns the ids of distinct words into a hidden layer's sums."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="lectern")
class WordSum(keras.layers.Layer):
    """A dense layer on the multi-hot vector of a text's words, without ever making that vector.

    The product of a multi-hot vector and a kernel is the sum of the kernel's rows of the words that are
    there. Ids start at 1; 0 is padding and adds nothing.

    Args:
        words: Size of the vocabulary.
        units: Width of the result.
    """

    def __init__(self, words: int, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.words = words
        self.units = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make ``words`` x ``units`` weights and ``units`` biases."""
        self.kernel = self.add_weight(
            shape=(self.words, self.units), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, ids: Any) -> Any:
        """Sum up int32 ids (batch, length) to (batch, units)."""
        rows = keras.ops.take(self.kernel, keras.ops.maximum(ids - 1, 0), axis=0)
        there = keras.ops.cast(ids > 0, rows.dtype)
        return keras.ops.sum(rows * keras.ops.expand_dims(there, -1), axis=1) + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (batch, units)."""
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return what Keras needs to make the layer again."""
        return {**super().get_config(), "words": self.words, "units": self.units}
