"""Owns the building blocks that all recipes share, and how the toolbox changes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from training.settings import Settings

_LEVELS = 255.0
_FLATTEST = 1e-3  # the smallest standard deviation that is divided by
_PATCH = 3
_FOR_COVARIANCE = 1_000  # pictures; more change the covariance of their patches by a percent at most


@dataclass(frozen=True, kw_only=True)
class DataStatistics:
    """What a network has to know of its data before it is built.

    Attributes:
        classes: How many there are.
        mean: Of each channel over the training split, in grey levels 0 to 255.
        deviation: Standard deviation of each channel, likewise.
        covariance: Of the values, in standard scores, of a 3 x 3 patch, row by row, its channels last.
        ratios: For texts of two classes, each word's naive Bayes log-count ratio.
    """

    classes: int
    mean: tuple[float, ...] = (127.5,)
    deviation: tuple[float, ...] = (127.5,)
    covariance: tuple[tuple[float, ...], ...] = ()
    ratios: tuple[float, ...] = ()


def measure(pictures: npt.NDArray[np.uint8], *, classes: int) -> DataStatistics:
    """Measure the standard-score constants of a training split.

    Args:
        pictures: uint8 (n, height, width) or (n, height, width, 3).
        classes: How many classes the data has.
    """
    channels = pictures.reshape(-1, pictures.shape[3] if pictures.ndim == 4 else 1)
    # Sums over all grey levels are exact in integers, and need no float copy of the whole split.
    counts = [np.bincount(channels[:, channel], minlength=256) for channel in range(channels.shape[1])]
    levels = np.arange(256, dtype=np.float64)
    mean = [float(count @ levels / count.sum()) for count in counts]
    variance = [
        float(count @ (levels - middle) ** 2 / count.sum())
        for count, middle in zip(counts, mean, strict=True)
    ]
    deviation = [float(np.sqrt(value)) for value in variance]
    return DataStatistics(
        classes=classes,
        mean=tuple(mean),
        deviation=tuple(deviation),
        covariance=_covariance(pictures[:_FOR_COVARIANCE], mean=mean, deviation=deviation),
    )


def _covariance(
    pictures: npt.NDArray[np.uint8], *, mean: Sequence[float], deviation: Sequence[float]
) -> tuple[tuple[float, ...], ...]:
    """Return the second moments of 3 x 3 patches: (9 * channels) rows and columns."""
    scores = (pictures.reshape(*pictures.shape[:3], -1) - np.array(mean)) / np.maximum(deviation, _FLATTEST)
    windows = np.lib.stride_tricks.sliding_window_view(scores.astype(np.float32), (_PATCH, _PATCH), (1, 2))
    patches = np.moveaxis(windows, 3, -1).reshape(-1, _PATCH * _PATCH * scores.shape[3])
    return tuple(tuple(row) for row in (patches.T @ patches / len(patches)).tolist())


class Network:
    """Stacks layers as the lecture's slides list them, with the toolbox applied to each.

    Args:
        settings: Width, dropout, regularisers, batch normalisation and scaling.
        shape: Shape of one input, without the batch.
    """

    def __init__(self, settings: Settings, *, shape: Sequence[int]) -> None:
        self._settings = settings
        self._input = keras.Input(tuple(shape), dtype="uint8", name="image")
        self._output: Any = self._input

    def add(self, layer: Callable[[Any], Any]) -> "Network":
        """Put any Keras layer on top."""
        self._output = layer(self._output)
        return self

    def scale(self, facts: DataStatistics) -> "Network":
        """Turn uint8 pixels into the floats that hidden layers see; grey pictures get their channel axis."""
        if len(self._input.shape) == 3:
            self.add(keras.layers.Reshape((*self._input.shape[1:], 1), name="channel"))
        scale, offset = 1 / _LEVELS, 0.0
        if self._settings.scaling == "none":
            scale = 1.0
        elif self._settings.scaling == "standard":
            deviation = np.maximum(facts.deviation, _FLATTEST)
            scale = [float(value) for value in 1 / deviation]
            offset = [float(value) for value in -np.array(facts.mean) / deviation]
        return self.add(keras.layers.Rescaling(scale, offset, name="scaling"))

    def conv(
        self, filters: int, *, padding: str = "valid", activation: str = "relu", norm: bool = False
    ) -> "Network":
        """A 3 x 3 convolution; with ``norm`` its batch normalisation comes before the activation."""
        layer = keras.layers.Conv2D(
            self._width(filters), 3, padding=padding, kernel_regularizer=self._regularizer()
        )
        return self._hidden(layer, activation=activation, norm=norm)

    def whiten(self, facts: DataStatistics, *, side: int, floor: float = 5e-4) -> "Network":
        """A fixed convolution that makes a patch's values uncorrelated and of variance one.

        There is a filter for each direction and one for its opposite, as an activation follows
        (Jordan 2024, arXiv:2404.00498).

        Args:
            facts: With the covariance of patches.
            side: Of the patch, 2 or 3.
            floor: Added to the variances of standard scores, so that directions with next to none are not
                blown up. About the variance of the noise that is to be borne.
        """
        covariance = np.array(facts.covariance)
        channels = len(covariance) // _PATCH**2
        places = [row * _PATCH + column for row in range(side) for column in range(side)]
        chosen = [place * channels + channel for place in places for channel in range(channels)]
        values, vectors = np.linalg.eigh(covariance[np.ix_(chosen, chosen)])
        directions = vectors / np.sqrt(values + floor)
        kernel = np.concatenate([directions, -directions], axis=1).reshape(side, side, channels, -1)
        layer = keras.layers.Conv2D(2 * len(values), side, use_bias=False, trainable=False, name="whitening")
        self.add(layer)
        layer.set_weights([kernel])
        return self.add(keras.layers.Activation("silu"))

    def block(self, filters: int, *, depth: int = 2) -> "Network":
        """Convolutions with batch normalisation, pooled behind the first one; they begin as the identity."""
        for place in range(depth):
            layer = keras.layers.Conv2D(self._width(filters), 3, padding="same", use_bias=False)
            self.add(layer)
            _start_as_identity(layer)
            if place == 0:
                self.pool()
            self.add(keras.layers.BatchNormalization(scale=False, momentum=0.9))
            self.add(keras.layers.Activation("silu"))
        return self

    def stem(self, filters: int) -> "Network":
        """The first convolution of a residual network, with batch normalisation."""
        return self._normalised(filters).add(keras.layers.Activation("relu"))

    def residual(self, filters: int, *, stride: int = 1) -> "Network":
        """Two convolutions whose result is added to what they began with (He 2016, arXiv:1512.03385).

        Args:
            filters: Of each convolution. Where their number changes, the input is projected to it.
            stride: Of the first one; the input is averaged over as many pixels.
        """
        kept = self._output
        self._normalised(filters, stride=stride).add(keras.layers.Activation("relu"))
        self._normalised(filters)
        changed, self._output = self._output, kept
        if stride > 1:
            self.add(keras.layers.AveragePooling2D(stride, padding="same"))
        if kept.shape[-1] != changed.shape[-1]:
            self._normalised(filters, side=1)
        self._output = keras.layers.add([self._output, changed])
        return self.add(keras.layers.Activation("relu"))

    def dense(self, units: int, *, activation: str = "relu", norm: bool = False) -> "Network":
        """A hidden dense layer."""
        layer = keras.layers.Dense(self._width(units), kernel_regularizer=self._regularizer())
        return self._hidden(layer, activation=activation, norm=norm)

    def pool(self) -> "Network":
        """2 x 2 maximum pooling."""
        return self.add(keras.layers.MaxPooling2D(2))

    def dropout(self, rate: float) -> "Network":
        """Dropout, at the network's own rate unless the settings name another."""
        chosen = rate if self._settings.dropout is None else self._settings.dropout
        return self.add(keras.layers.Dropout(chosen, seed=self._settings.seed)) if chosen else self

    def extra_dropout(self) -> "Network":
        """Dropout in a place where the lecture's network has none: only if the settings ask for it."""
        return self.dropout(0.0)

    def flatten(self) -> "Network":
        """All values of a picture in one row."""
        return self.add(keras.layers.Flatten())

    def classify(self, classes: int) -> keras.Model:
        """Finish with softmax probabilities, or one sigmoid unit for the second of two classes."""
        if classes == 2:
            self.add(keras.layers.Dense(1, activation="sigmoid", name="probabilities"))
        else:
            self.add(keras.layers.Dense(classes, activation="softmax", name="probabilities"))
        return keras.Model(self._input, self._output)

    def mean(self) -> "Network":
        """Each channel's mean over the picture."""
        return self.add(keras.layers.GlobalAveragePooling2D())

    def pool_to_one(self) -> "Network":
        """Each channel's maximum over the picture, a ninth of it, so that training begins in doubt."""
        return self.add(keras.layers.GlobalMaxPooling2D()).add(keras.layers.Rescaling(1 / 9))

    def _hidden(self, layer: keras.layers.Layer, *, activation: str, norm: bool) -> "Network":
        self.add(layer)
        if norm or self._settings.batch_norm:
            self.add(keras.layers.BatchNormalization())
        return self.add(keras.layers.Activation(activation))

    def _normalised(self, filters: int, *, side: int = _PATCH, stride: int = 1) -> "Network":
        width = self._width(filters)
        self.add(keras.layers.Conv2D(width, side, strides=stride, padding="same", use_bias=False))
        return self.add(keras.layers.BatchNormalization(momentum=0.9))

    def _width(self, units: int) -> int:
        return max(1, round(units * self._settings.width))

    def _regularizer(self) -> keras.regularizers.Regularizer | None:
        if self._settings.l1 or self._settings.l2:
            return keras.regularizers.L1L2(l1=self._settings.l1, l2=self._settings.l2)
        return None


def _start_as_identity(layer: keras.layers.Conv2D) -> None:
    """Let the first filters hand on their input channel, where there are at least as many filters."""
    kernel = layer.get_weights()[0]
    shared = min(kernel.shape[2:])
    kernel[:, :, :, :shared] = 0
    kernel[_PATCH // 2, _PATCH // 2, range(shared), range(shared)] = 1
    layer.set_weights([kernel])
