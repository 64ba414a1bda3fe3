"""Defines the layer that sums the weights of a text's words."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="lectern")
class WordSum(keras.layers.Layer):
    """A dense layer on the multi-hot vector of a text's words that never builds the vector.

    The product of a multi-hot vector and a kernel is the sum of the kernel's rows of the words that occur.
    Ids start at 1; 0 is padding.

    Args:
        words: Size of the vocabulary.
        units: Size of the output.
        kernel_regularizer: Penalty on the kernel, as a dense layer has it.
        **options: Further arguments of a Keras layer.
    """

    def __init__(
        self,
        words: int,
        units: int,
        *,
        kernel_regularizer: keras.regularizers.Regularizer | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.words = words
        self.units = units
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the kernel (words, units) and the bias (units,)."""
        self.kernel = self.add_weight(
            shape=(self.words, self.units),
            initializer="glorot_uniform",
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, ids: Any) -> Any:
        """Map int32 ids (batch, length) to sums (batch, units)."""
        # Without the product, TensorFlow's gradient has an entry for each occurrence of a word in the batch.
        # Optimizers would then sum the squares of these entries in place of the square of their sum.
        rows = keras.ops.take(self.kernel * 1.0, keras.ops.maximum(ids - 1, 0), axis=0)
        mask = keras.ops.cast(ids > 0, rows.dtype)
        return keras.ops.sum(rows * keras.ops.expand_dims(mask, -1), axis=1) + self.bias

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "words": self.words,
            "units": self.units,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
