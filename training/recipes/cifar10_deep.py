"""cifar10-deep: six convolutions behind a whitening one, for small photos.

Reached: PENDING
"""

import keras

from training.layers import DataFacts, Network
from training.recipe import Recipe
from training.settings import Augmentation, Settings

SETTINGS = Settings(
    epochs=22,
    batch_size=256,
    optimizer="sgd",
    learning_rate=0.35,
    weight_decay=0.008,
    schedule="cosine",
    scaling="standard",
    label_smoothing=0.1,
    precision="mixed_bfloat16",
    augmentation=Augmentation(flip=True, crop=3, erase=0.25),
)


def build(settings: Settings, facts: DataFacts) -> keras.Model:
    """Make the network: the widths of airbench94 (Jordan 2024, arXiv:2404.00498), one convolution more."""
    network = Network(settings, shape=(32, 32, 3)).scale(facts).whiten(facts, side=2)
    network.block(64).block(256).block(256, depth=3)
    return network.pool_to_one().classify(facts.classes)


RECIPE = Recipe(
    name="cifar10-deep",
    title="Ten kinds of small photos: a deep convolutional network that begins by whitening",
    dataset="cifar10",
    preprocessing="photo",
    settings=SETTINGS,
    build=build,
    size=32,
    sure_accuracy=0.98,
    mirror=True,
)
