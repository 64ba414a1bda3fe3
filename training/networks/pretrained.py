"""Builds a classifier on a pretrained MobileNetV2, split where fine-tuning begins."""

import warnings
from dataclasses import dataclass
from typing import Literal

import keras

from training.errors import DatasetError
from training.hyperparameters import Hyperparameters

SIZE = 180
# Fine-tuning trains the layers after this one; its activations are computed once.
CUT = "block_12_add"
WEIGHTS: Literal["imagenet"] | None = "imagenet"
_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
SOURCE = (
    "MobileNetV2 (Sandler et al. 2018), convolutional base pretrained on ImageNet, Apache-2.0, as "
    "keras.applications loads it; the classifier on top is trained by this recipe"
)


@dataclass(frozen=True, kw_only=True)
class TransferNetwork:
    """One network as a set of models that share their weights.

    The probabilities are that of the second class, or those of all classes if there are more than two.
    """

    full: keras.Model  # from uint8 images (180, 180, 3) to probabilities
    lower: keras.Model  # from the same images to the activations at the cut (12, 12, 96)
    pooled: keras.Model  # from those activations to the base's pooled features (1280,)
    head: keras.Model  # from pooled features to probabilities
    fine_tuning: keras.Model  # from the activations at the cut to probabilities
    base: keras.Model  # the pretrained part, from scaled images to its last activations


def build_transfer(hyperparameters: Hyperparameters, *, classes: int) -> TransferNetwork:
    """Build a new classifier on the frozen pretrained base.

    Args:
        hyperparameters: Dropout and regularisation of the classifier.
        classes: Number of classes; two classes share one sigmoid unit.

    Raises:
        DatasetError: The pretrained weights cannot be loaded.
    """
    base = _load_base()
    base.trainable = False
    cut = base.get_layer(CUT).output
    lower = keras.Model(base.input, cut)
    upper = keras.Model(cut, base.output)
    scaling = keras.layers.Rescaling(1 / 127.5, -1, name="scaling")
    pool = keras.layers.GlobalAveragePooling2D(name="pool")
    head = _build_head(hyperparameters, features=base.output.shape[-1], classes=classes)

    image = keras.Input((SIZE, SIZE, 3), dtype="uint8", name="image")
    # The feature cache stores activations in float16.
    activations = keras.Input(cut.shape[1:], dtype="float16", name="activations")
    pooled = pool(upper(keras.ops.cast(activations, "float32")))
    return TransferNetwork(
        full=keras.Model(image, head(pool(base(scaling(image))))),
        lower=keras.Model(image, lower(scaling(image))),
        pooled=keras.Model(activations, pooled),
        head=head,
        fine_tuning=keras.Model(activations, head(pooled)),
        base=base,
    )


def unfreeze_top(network: TransferNetwork) -> None:
    """Make the layers after the cut trainable, except batch normalisation.

    Small batches of few images would replace good statistics by poor ones.
    """
    layers = network.base.layers
    first = layers.index(network.base.get_layer(CUT)) + 1
    network.base.trainable = True
    for index, layer in enumerate(layers):
        layer.trainable = index >= first and not isinstance(layer, keras.layers.BatchNormalization)


def _load_base() -> keras.Model:
    try:
        with warnings.catch_warnings():
            # Keras loads the weights for 224 x 224, which is intended, and warns.
            warnings.filterwarnings("ignore", message=".*Weights for input shape", category=UserWarning)
            return keras.applications.MobileNetV2(
                include_top=False, weights=WEIGHTS, input_shape=(SIZE, SIZE, 3), name="mobilenet_v2"
            )
    except Exception as error:  # Keras wraps whatever urllib raises in a plain Exception.
        raise DatasetError(
            f"the pretrained weights of MobileNetV2 cannot be loaded ({error}); put {_FILE} into "
            "~/.keras/models, or choose cats-dogs-scratch, which needs no pretrained weights"
        ) from error


def _build_head(hyperparameters: Hyperparameters, *, features: int, classes: int) -> keras.Model:
    regularizer = keras.regularizers.L1L2(l1=hyperparameters.l1, l2=hyperparameters.l2)
    inputs = keras.Input((features,), name="features")
    hidden = keras.layers.Dropout(hyperparameters.dropout or 0.0, seed=hyperparameters.seed)(inputs)
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    layer = keras.layers.Dense(
        units, activation=activation, kernel_regularizer=regularizer, name="probabilities"
    )
    return keras.Model(inputs, layer(hidden), name="classifier")
