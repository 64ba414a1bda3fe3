"""Builds a Keras network layer by layer and applies the hyperparameters to each layer."""

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from training.hyperparameters import Hyperparameters
from training.networks.column_scaling import ColumnScaling
from training.networks.heads import Head
from training.networks.kernels import initialise_to_identity, whitening_kernel
from training.networks.sequence import BidirectionalGRU, MaxOverWords, MeanOverWords, WordEmbedding
from training.networks.statistics import SMALLEST_DEVIATION, DataStatistics
from training.networks.word_sum import WordSum

_MAX_LEVEL = 255.0


class Network:
    """A sequence of layers; every method adds layers and returns the network.

    Args:
        hyperparameters: Width, dropout, regularisers, batch normalisation, activation, pooling and scaling.
        statistics: Statistics of the training split.
        loads_weights: Whether a pretrained part gets its weights; without them, only its form is right.
    """

    def __init__(
        self, hyperparameters: Hyperparameters, statistics: DataStatistics, *, loads_weights: bool = True
    ) -> None:
        self.hyperparameters = hyperparameters
        self.statistics = statistics
        self.loads_weights = loads_weights
        self._input: Any = None
        self._output: Any = None
        self._names: Counter[str] = Counter()
        self._words_per_step = 1

    def image(self, *shape: int) -> "Network":
        """Add the input, uint8 pixels, and scale it by the hyperparameter ``scaling``.

        Args:
            shape: (height, width), which gets a channel axis, or (height, width, 3).
        """
        self._input = self._output = keras.Input(shape, dtype="uint8", name="image")
        if len(shape) == 2:
            self.add(keras.layers.Reshape((*shape, 1), name="channel"))
        scaling = self.hyperparameters.scaling
        scale: float | list[float] = 1.0 if scaling == "none" else 1 / _MAX_LEVEL
        offset: float | list[float] = 0.0
        if scaling == "standard":
            deviation = np.maximum(self.statistics.deviation, SMALLEST_DEVIATION)
            scale = [float(value) for value in 1 / deviation]
            offset = [float(value) for value in -np.array(self.statistics.mean) / deviation]
        return self.add(keras.layers.Rescaling(scale, offset, name="scaling"))

    def text(self) -> "Network":
        """Add the input of a text: int32 token ids."""
        self._input = self._output = keras.Input((None,), dtype="int32", name="ids")
        return self

    def table(self) -> "Network":
        """Add the input, a row of float32 columns, and fill, flag and scale them."""
        columns = self.statistics.columns
        assert columns is not None, "the statistics are those of a table"
        self._input = self._output = keras.Input((len(columns.mean),), dtype="float32", name="features")
        return self.add(ColumnScaling.fitted(columns, self.hyperparameters.scaling, name="scaling"))

    def add(self, layer: Callable[[Any], Any]) -> "Network":
        """Add any Keras layer."""
        if isinstance(layer, keras.layers.Layer):
            self._number(layer)
        self._output = layer(self._output)
        return self

    def hidden(
        self, layer: keras.layers.Layer, *, activation: str = "relu", batch_norm: bool = False
    ) -> "Network":
        """Add a layer, perhaps batch normalisation, and the activation.

        Args:
            layer: The layer, without an activation.
            activation: Activation, unless the hyperparameters set one.
            batch_norm: Whether batch normalisation follows, unless the hyperparameters set that.
        """
        self.add(layer)
        chosen = self.hyperparameters.batch_norm
        if batch_norm if chosen is None else chosen:
            self.add(keras.layers.BatchNormalization())
        return self.activation(activation)

    def activation(self, name: str) -> "Network":
        """Add this activation, or that of the hyperparameters if they set one."""
        return self.add(keras.layers.Activation(self.hyperparameters.activation or name))

    def regularizer(self) -> keras.regularizers.Regularizer | None:
        """Return the penalty on kernels of the hyperparameters ``l1`` and ``l2``; None without one."""
        l1, l2 = self.hyperparameters.l1, self.hyperparameters.l2
        return keras.regularizers.L1L2(l1=l1, l2=l2) if l1 or l2 else None

    def scaled(self, units: int) -> int:
        """Return a number of units or filters, scaled by the hyperparameter ``width``."""
        return max(1, round(units * self.hyperparameters.width))

    def conv(
        self, filters: int, *, padding: str = "valid", activation: str = "relu", batch_norm: bool = False
    ) -> "Network":
        """Add a 3 x 3 convolution, batch normalisation if asked for, and the activation."""
        layer = self._conv(filters, padding=padding)
        return self.hidden(layer, activation=activation, batch_norm=batch_norm)

    def whitening_conv(self, *, side: int, epsilon: float = 5e-4) -> "Network":
        """Add a fixed convolution that decorrelates the values of a patch and gives them variance one.

        Args:
            side: Side of the patch in pixels, 2 or 3.
            epsilon: As for :func:`whitening_kernel`.
        """
        kernel = whitening_kernel(self.statistics, side=side, epsilon=epsilon)
        layer = keras.layers.Conv2D(kernel.shape[-1], side, use_bias=False, trainable=False, name="whitening")
        self.add(layer)
        layer.set_weights([kernel])
        return self.activation("silu")

    def conv_block(self, filters: int, *, depth: int = 2) -> "Network":
        """Add convolutions with batch normalisation, with pooling after the first.

        The convolutions are initialised to the identity.
        """
        for index in range(depth):
            layer = self._conv(filters, padding="same", use_bias=False)
            self.add(layer)
            initialise_to_identity(layer)
            if index == 0:
                self.pool()
            self.add(keras.layers.BatchNormalization(scale=False, momentum=0.9))
            self.activation("silu")
        return self

    def stem(self, filters: int) -> "Network":
        """Add the first convolution of a residual network, with batch normalisation."""
        return self._conv_batch_norm(filters).activation("relu")

    def residual_block(self, filters: int, *, stride: int = 1) -> "Network":
        """Add two convolutions with a shortcut around them (He et al. 2016, arXiv:1512.03385).

        Args:
            filters: Filters of each convolution. If the number changes, a 1 x 1 convolution projects the
                shortcut.
            stride: Stride of the first convolution; the shortcut is averaged over as many pixels.
        """
        shortcut = self._output
        self._conv_batch_norm(filters, stride=stride).activation("relu")
        self._conv_batch_norm(filters)
        residual, self._output = self._output, shortcut
        if stride > 1:
            self.add(keras.layers.AveragePooling2D(stride, padding="same"))
        if shortcut.shape[-1] != residual.shape[-1]:
            self._conv_batch_norm(filters, side=1)
        self._output = self._number(keras.layers.Add())([self._output, residual])
        return self.activation("relu")

    def dense(self, units: int) -> "Network":
        """Add a hidden dense layer; see :meth:`hidden`."""
        layer = keras.layers.Dense(self.scaled(units), kernel_regularizer=self.regularizer())
        return self.hidden(layer)

    def words(self, vocabulary: int, units: int) -> "Network":
        """Add a hidden dense layer on the multi-hot vector of a text's words; see :meth:`hidden`."""
        layer = WordSum(vocabulary, self.scaled(units), kernel_regularizer=self.regularizer(), name="words")
        return self.hidden(layer)

    def embed(self, vocabulary: int, units: int) -> "Network":
        """Add a trained vector for each word of a sequence."""
        return self.add(WordEmbedding(vocabulary, self.scaled(units), name="embedding"))

    def conv1d(self, filters: int, *, window: int) -> "Network":
        """Add a hidden convolution over ``window`` words; see :meth:`hidden`."""
        layer = keras.layers.Conv1D(
            self.scaled(filters), window, padding="same", kernel_regularizer=self.regularizer()
        )
        return self.hidden(layer)

    def pool_words(self, words: int) -> "Network":
        """Add the maximum of each channel over so many neighbouring words, which become one step."""
        assert self._words_per_step == 1, "the words are pooled once"
        self._words_per_step = words
        return self._add_with_ids(MaxOverWords(words, name="pool_words"))

    def bidirectional_gru(self, units: int) -> "Network":
        """Add gated recurrent units that read the words forwards, and as many that read them backwards."""
        layer = BidirectionalGRU(self.scaled(units), self._words_per_step, self.regularizer(), name="gru")
        return self._add_with_ids(layer)

    def mean_over_words(self) -> "Network":
        """Add the mean of each channel over the words of a sequence."""
        return self._add_with_ids(MeanOverWords(self._words_per_step, name="mean_over_words"))

    def pool(self) -> "Network":
        """Add 2 x 2 maximum pooling, unless the hyperparameter ``pooling`` sets another one or none."""
        match self.hyperparameters.pooling:
            case "none":
                return self
            case "average":
                return self.add(keras.layers.AveragePooling2D(2))
            case _:
                return self.add(keras.layers.MaxPooling2D(2))

    def dropout(self, rate: float = 0.0) -> "Network":
        """Add dropout at this rate, or at that of the hyperparameters if they set one.

        Rate 0 marks a place where the lecture's network has no dropout.
        """
        chosen = rate if self.hyperparameters.dropout is None else self.hyperparameters.dropout
        return self.add(keras.layers.Dropout(chosen, seed=self.hyperparameters.seed)) if chosen else self

    def flatten(self) -> "Network":
        """Flatten each image to one row."""
        return self.add(keras.layers.Flatten())

    def global_average_pool(self) -> "Network":
        """Add the mean of each channel over the image."""
        return self.add(keras.layers.GlobalAveragePooling2D())

    def global_max_pool(self) -> "Network":
        """Add a ninth of each channel's maximum, so that the initial logits are small."""
        return self.add(keras.layers.GlobalMaxPooling2D()).add(keras.layers.Rescaling(1 / 9))

    def freeze(self) -> "Network":
        """Do not train the layers so far; the run of ``--init-from`` provides their weights."""
        for layer in self.model().layers:
            layer.trainable = False
        return self

    def branch(self) -> "Network":
        """Return a second network that continues from here."""
        return copy.copy(self)

    def combine(self, layer: keras.layers.Layer, branch: "Network") -> "Network":
        """Add a layer that also gets the values of a branch: a concatenation, a product, a sum."""
        self._output = self._number(layer)([self._output, branch._output])
        return self

    def model(self) -> keras.Model:
        """Return the model of the layers so far."""
        return keras.Model(self._input, self._output)

    def classifier(self) -> keras.Model:
        """Add the output layer and return the model: softmax, or one sigmoid unit for two classes."""
        classes = self.statistics.classes
        units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
        self.add(keras.layers.Dense(units, activation=activation, name="probabilities"))
        return self.model()

    def output(self, head: Head) -> keras.Model:
        """Add the output layer of a head and return the model.

        The values of a regression without an activation are scaled to the deviation and mean of the targets.
        They therefore begin in the range of the targets, in any unit.
        """
        if head.task == "classification":
            return self.classifier()
        units = self.statistics.classes
        if head.activation or head.task != "regression":
            self.add(keras.layers.Dense(units, activation=head.activation, name=head.output))
        else:
            deviation, mean = self.statistics.target_deviation, self.statistics.target_mean
            self.add(keras.layers.Dense(units, name="standard_scores"))
            self.add(keras.layers.Rescaling(list(deviation), list(mean), name=head.output))
        return self.model()

    def _add_with_ids(self, layer: keras.layers.Layer) -> "Network":
        """Add a layer that also gets the ids, which show where the padding begins."""
        return self.add(lambda values: self._number(layer)(values, self._input))

    def _conv(self, filters: int, side: int = 3, **options: Any) -> keras.layers.Conv2D:
        return keras.layers.Conv2D(
            self.scaled(filters), side, kernel_regularizer=self.regularizer(), **options
        )

    def _conv_batch_norm(self, filters: int, *, side: int = 3, stride: int = 1) -> "Network":
        self.add(self._conv(filters, side, strides=stride, padding="same", use_bias=False))
        return self.add(keras.layers.BatchNormalization(momentum=0.9))

    def _number(self, layer: keras.layers.Layer) -> keras.layers.Layer:
        """Number a layer within this network; Keras counts the layers of all networks of the process."""
        name = re.sub(r"_[0-9]+$", "", layer.name)
        layer.name = f"{name}_{self._names[name]}" if self._names[name] else name
        self._names[name] += 1
        return layer


def flat_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield a network's layers, with the layers of a nested network in its place."""
    for layer in model.layers:
        yield from flat_layers(layer) if isinstance(layer, keras.Model) else (layer,)
