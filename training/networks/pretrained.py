"""Builds a classifier on a pretrained base, split where fine-tuning begins."""

from dataclasses import dataclass
from typing import Literal

import keras

from training.hyperparameters import Hyperparameters, Unfreeze
from training.networks.bases import find_base, load_base, scaling_of, split_base
from training.networks.network import Network

SIZE = 180  # side of the images that the networks for photos take
# MobileNetV2 and most other bases were pretrained on images of this side. They classify enlarged images
# better than small ones.
BASE_SIZE = 224
WEIGHTS: Literal["imagenet"] | None = "imagenet"
SOURCE = (
    "MobileNetV2 (Sandler et al. 2018), convolutional base pretrained on ImageNet, Apache-2.0, as "
    "keras.applications loads it; the classifier on top is trained by this recipe"
)


@dataclass(frozen=True, kw_only=True)
class TransferNetwork:
    """One network as a set of models that share their weights.

    The probabilities are that of the second class, or those of all classes if there are more than two. Shapes
    in brackets are those of MobileNetV2 for images of 180 pixels that are enlarged to 224.
    """

    full: keras.Model  # from uint8 images (180, 180, 3) to probabilities
    lower: keras.Model  # from the same images to the activations at the cut (14, 14, 96)
    pooled: keras.Model  # from those activations to the base's pooled features (1280,)
    head: keras.Model  # from pooled features to probabilities
    fine_tuning: keras.Model  # from the activations at the cut to probabilities
    base: keras.Model  # the pretrained part, from scaled and enlarged images to its last activations
    cut: str  # name of the layer whose activations are cached; fine-tuning begins after it


def build_classifier(network: Network, *, size: int = SIZE, base_size: int = BASE_SIZE) -> keras.Model:
    """Build the whole network of a recipe with a pretrained base; the arguments are as in build_transfer."""
    classes, weights = network.statistics.classes, "imagenet" if network.loads_weights else None
    return build_transfer(
        network.hyperparameters, classes=classes, size=size, base_size=base_size, weights=weights
    ).full


def build_transfer(
    hyperparameters: Hyperparameters,
    *,
    classes: int,
    size: int = SIZE,
    base_size: int = BASE_SIZE,
    weights: str | None = "imagenet",
) -> TransferNetwork:
    """Build a new classifier on the frozen pretrained base.

    Args:
        hyperparameters: The base; dropout and regularisation of the classifier.
        classes: Number of classes; two classes share one sigmoid unit.
        size: Side of the images in pixels.
        base_size: Side to which the base's images are enlarged.
        weights: ``imagenet``, or None for a base with random weights, of which only the form matters.

    Raises:
        DatasetError: The pretrained weights cannot be loaded.
        RecipeError: There is no such base, or it cannot be divided.
    """
    chosen = find_base(hyperparameters.base)
    base = load_base(chosen, size=base_size, weights=weights and WEIGHTS)
    base.trainable = False
    lower, upper = split_base(base)
    scaling = scaling_of(chosen).layer()
    enlarge = keras.layers.Resizing(base_size, base_size, interpolation="bilinear", name="enlarge")
    pool = keras.layers.GlobalAveragePooling2D(name="pool")
    dropout, output = _classifier_layers(hyperparameters, classes=classes)

    image = keras.Input((size, size, 3), dtype="uint8", name="image")
    features = keras.Input((base.output.shape[-1],), name="features")
    # The feature cache stores activations in float16.
    activations = keras.Input(upper.input.shape[1:], dtype="float16", name="activations")
    pooled = pool(upper(keras.ops.cast(activations, "float32")))
    return TransferNetwork(
        full=keras.Model(image, output(dropout(pool(base(enlarge(scaling(image))))))),
        lower=keras.Model(image, lower(enlarge(scaling(image)))),
        pooled=keras.Model(activations, pooled),
        head=keras.Model(features, output(dropout(features))),
        fine_tuning=keras.Model(activations, output(dropout(pooled))),
        base=base,
        cut=lower.layers[-1].name,
    )


def unfreeze(network: TransferNetwork, part: Unfreeze) -> None:
    """Make the layers after the cut, or all layers, trainable, except batch normalisation.

    Batch normalisation would replace its statistics by worse ones, of small batches of few images.
    """
    layers = network.base.layers
    first = layers.index(network.base.get_layer(network.cut)) + 1 if part == "top" else 0
    network.base.trainable = True
    for index, layer in enumerate(layers):
        layer.trainable = index >= first and not isinstance(layer, keras.layers.BatchNormalization)


def _classifier_layers(
    hyperparameters: Hyperparameters, *, classes: int
) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """Return the dropout and the output layer, which all models of a network share."""
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    return (
        keras.layers.Dropout(hyperparameters.dropout or 0.0, seed=hyperparameters.seed),
        keras.layers.Dense(
            units,
            activation=activation,
            kernel_regularizer=keras.regularizers.L1L2(l1=hyperparameters.l1, l2=hyperparameters.l2),
            name="probabilities",
        ),
    )
