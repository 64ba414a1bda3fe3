"""Defines the layer that mixes a logit for whole texts with one for sentences."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="lectern")
class LengthMixture(keras.layers.Layer):
    """A mean of two logits whose weights depend on the number of a text's words and phrases.

    The logit for sentences is divided by the square root of that number, and has the weight
    ``1 / (1 + (number / middle) ** steepness)``.

    Args:
        middle: Number at which both logits have the same weight.
        steepness: Exponent.
        sentence_scale: Factor of the logit for sentences.
        **options: Further arguments of a Keras layer.
    """

    def __init__(self, *, middle: float, steepness: float, sentence_scale: float, **options: Any) -> None:
        super().__init__(**options)
        self.middle = middle
        self.steepness = steepness
        self.sentence_scale = sentence_scale

    def call(self, text_logit: Any, sentence_logit: Any, ids: Any) -> Any:
        """Mix two logits (batch, 1) of texts with int32 ids (batch, length); 0 is padding."""
        number = ops.maximum(ops.sum(ops.cast(ids > 0, "float32"), axis=1, keepdims=True), 1.0)
        share = 1 / (1 + (number / self.middle) ** self.steepness)
        scaled = sentence_logit * self.sentence_scale / ops.sqrt(number)
        return text_logit * (1 - share) + scaled * share

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "middle": self.middle,
            "steepness": self.steepness,
            "sentence_scale": self.sentence_scale,
        }
