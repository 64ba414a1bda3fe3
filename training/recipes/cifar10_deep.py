"""cifar10-deep: seven convolutions behind a whitening one, for small photos.

Reached: test accuracy 0.9416 with the exported file by itself, which looks at the mirror image too, seed 1,
22 epochs, 95 min beside other work on two shared cores of an AMD EPYC, no GPU. Without the mirror 0.9364 of
validation pictures are right, with it 0.9438. It bears blur and noise worse than the lecture's network, so
it is served with one that met such pictures, which looks at the mirror image: 0.9410 of the test pictures
(0.9395 in 8 bits), in as much time.

    ./run train cifar10-deep
    ./run train cifar10-damaged
    ./run export cifar10-deep --run cifar10-deep --run cifar10-damaged

Of the test pictures 34 went through JPEG once; the rest are as published.
"""

import keras

from training.networks.network import DataStatistics, Network
from training.recipes.recipe import Recipe
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


def build(settings: Settings, facts: DataStatistics, *, floor: float = 5e-4) -> keras.Model:
    """Make the network: 2,564,522 parameters, the widths of airbench94 and one convolution more.

    The design is that of Jordan 2024, arXiv:2404.00498.

    Args:
        settings: Of the run.
        facts: Of the data.
        floor: Of the whitening, see :meth:`training.networks.network.Network.whiten`.
    """
    network = Network(settings, shape=(32, 32, 3)).scale(facts).whiten(facts, side=2, floor=floor)
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
    flip_tta=True,
    float16_weights=True,
)
