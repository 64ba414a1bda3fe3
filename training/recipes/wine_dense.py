"""wine-dense: a table with missing values, which are filled and flagged; a small dense network for wines.

A missing value becomes the mean of its column, and a flag tells the network so. The columns are scaled to
their standard score; with `--scaling none` the validation accuracy is 0.75 in place of 0.94.

Reached: test accuracy 1.0000 with seed 1, which says little on 36 test examples: the 95 % confidence interval
begins at 0.90. Time: 35 s for 100 epochs on two CPU cores.
"""

import keras

from training.hyperparameters import Hyperparameters
from training.networks.network import Network
from training.recipes.recipe import NETWORK_HYPERPARAMETERS, Recipe

HYPERPARAMETERS = Hyperparameters(
    epochs=100, batch_size=16, learning_rate=2e-3, scaling="standard", l2=1e-3, early_stopping=15
)


def build(network: Network) -> keras.Model:
    """Build the network: 483 parameters."""
    network.table().dense(16).dropout()
    return network.classifier()


RECIPE = Recipe(
    name="wine-dense",
    title="Wines: three cultivars by thirteen measurements, some of which are missing",
    dataset="wine",
    preprocessing="table",
    hyperparameters=HYPERPARAMETERS,
    build=build,
    network_hyperparameters=NETWORK_HYPERPARAMETERS - {"pooling"},
    sure_accuracy=0.98,
    default=True,
)
