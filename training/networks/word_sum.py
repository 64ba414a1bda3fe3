"""Owns the layer that turns the ids of distinct words into sums, and naive Bayes's weights for them."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def count_ratios(ids: npt.NDArray[np.int32], y: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return how much oftener each word is in texts of the second class (Wang and Manning 2012).

    Args:
        ids: int32 (n, length) distinct ids from 1, filled up with 0.
        y: Classes (n,), 0 or 1.

    Returns:
        float32 (words,): the natural logarithm of the ratio of the word's shares in both classes, each count
        one higher than it is.
    """
    size = int(ids.max()) + 1
    counts = [np.bincount(ids[y == label].ravel(), minlength=size)[1:] + 1.0 for label in (0, 1)]
    shares = [count / count.sum() for count in counts]
    return np.log(shares[1] / shares[0]).astype(np.float32)


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
