"""mnist-hands: goes on from a run of mnist-deep, with digits in forms that MNIST hardly has.

The served file is the mean of both runs' weights:

    lectern train mnist-deep --seed 2
    lectern train mnist-hands --start mnist-deep
    lectern export mnist-hands --run mnist-hands --run mnist-deep --weights
"""

from dataclasses import replace

from training.recipes import mnist_deep

SETTINGS = replace(
    mnist_deep.SETTINGS,
    epochs=5,
    learning_rate=0.04,
    augmentation=replace(mnist_deep.SETTINGS.augmentation, formed=0.25),
)

RECIPE = replace(
    mnist_deep.RECIPE,
    name="mnist-hands",
    title="Handwritten digits: a deep convolutional network that begins by whitening",
    settings=SETTINGS,
)
