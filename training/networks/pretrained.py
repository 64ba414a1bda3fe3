"""Owns the pretrained base: MobileNetV2, whole, and cut in two where fine-tuning begins."""

import warnings
from dataclasses import dataclass
from typing import Literal

import keras

from training.errors import DatasetError
from training.settings import Settings

SIZE = 180
# Everything from here on is trained when fine-tuning; what comes before is computed once.
CUT = "block_12_add"
WEIGHTS: Literal["imagenet"] | None = "imagenet"
_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
SOURCE = (
    "MobileNetV2 (Sandler et al. 2018), convolutional base pretrained on ImageNet, Apache-2.0, as "
    "keras.applications loads it; the classifier on top is trained by this recipe"
)


@dataclass(frozen=True)
class Transfer:
    """One network, seen as its parts; all of them share their weights.

    Attributes:
        whole: From uint8 pictures (180, 180, 3) to the probability of the second class, or of every class if
            there are more.
        lower: From the same pictures to the activations at the cut (12, 12, 96).
        pooled: From those activations to the base's pooled features (1280,).
        head: From pooled features to the probability.
        joint: From the activations at the cut to the probability.
        base: The pretrained part, from scaled pictures to its last activations.
    """

    whole: keras.Model
    lower: keras.Model
    pooled: keras.Model
    head: keras.Model
    fine_tuning: keras.Model
    base: keras.Model


def make_transfer(settings: Settings, *, classes: int) -> Transfer:
    """Put a new classifier on the pretrained base.

    Args:
        settings: Dropout and regularisation of the classifier.
        classes: How many it tells apart; two share one sigmoid unit.

    Returns:
        The network in its parts; the base is frozen.
    """
    base = _load_base()
    base.trainable = False
    cut = base.get_layer(CUT).output
    lower = keras.Model(base.input, cut)
    upper = keras.Model(cut, base.output)
    scaling = keras.layers.Rescaling(1 / 127.5, -1, name="scaling")
    pool = keras.layers.GlobalAveragePooling2D(name="pool")
    head = _make_head(settings, features=base.output.shape[-1], classes=classes)

    image = keras.Input((SIZE, SIZE, 3), dtype="uint8", name="image")
    # Half precision is how the activations are kept on disk.
    activations = keras.Input(cut.shape[1:], dtype="float16", name="activations")
    pooled = pool(upper(keras.ops.cast(activations, "float32")))
    return Transfer(
        whole=keras.Model(image, head(pool(base(scaling(image))))),
        lower=keras.Model(image, lower(scaling(image))),
        pooled=keras.Model(activations, pooled),
        head=head,
        fine_tuning=keras.Model(activations, head(pooled)),
        base=base,
    )


def unfreeze_top(transfer: Transfer) -> None:
    """Make the layers behind the cut trainable, save batch normalisation.

    Its statistics come from a million pictures; a few thousand in small batches would only spoil them.
    """
    layers = transfer.base.layers
    after = layers.index(transfer.base.get_layer(CUT)) + 1
    transfer.base.trainable = True
    for place, layer in enumerate(layers):
        layer.trainable = place >= after and not isinstance(layer, keras.layers.BatchNormalization)


def _load_base() -> keras.Model:
    try:
        with warnings.catch_warnings():
            # For 180 x 180 Keras takes the weights of 224 x 224, as is wanted, and warns each time.
            warnings.filterwarnings("ignore", message=".*Weights for input shape", category=UserWarning)
            return keras.applications.MobileNetV2(
                include_top=False, weights=WEIGHTS, input_shape=(SIZE, SIZE, 3), name="mobilenet_v2"
            )
    except Exception as error:  # Keras wraps whatever urllib raises in a plain Exception.
        raise DatasetError(
            f"the pretrained weights of MobileNetV2 cannot be loaded ({error}); put {_FILE} by hand into "
            "~/.keras/models, or choose cats-dogs-scratch, which needs none"
        ) from error


def _make_head(settings: Settings, *, features: int, classes: int) -> keras.Model:
    regularizer = keras.regularizers.L1L2(l1=settings.l1, l2=settings.l2)
    inputs = keras.Input((features,), name="features")
    hidden = keras.layers.Dropout(settings.dropout or 0.0, seed=settings.seed)(inputs)
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    layer = keras.layers.Dense(
        units, activation=activation, kernel_regularizer=regularizer, name="probabilities"
    )
    return keras.Model(inputs, layer(hidden), name="classifier")
