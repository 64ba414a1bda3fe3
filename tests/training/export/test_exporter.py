"""The exporter chooses the network to serve, and rejects ensembles that it cannot build."""

import numpy as np
import pytest

from training.errors import ExportError
from training.export.exporter import keras_probabilities, served_network
from training.export.graph.conversion import to_onnx
from training.export.inference import run_network
from training.networks.network import Network
from training.networks.statistics import DataStatistics
from training.recipes import load_recipe


@pytest.mark.parametrize(("name", "supported"), [("imdb-dense", True), ("imdb-bigrams", False)])
def test_an_ensemble_of_text_networks_is_built_or_rejected_with_an_alternative(
    name: str, supported: bool
) -> None:
    recipe = load_recipe(name)
    statistics = DataStatistics(classes=2, log_count_ratios=tuple(np.linspace(-1, 1, 50)))
    first, second = (recipe.build(Network(recipe.hyperparameters, statistics)) for _ in range(2))

    if supported:
        ids = np.random.default_rng(0).integers(0, 50, (6, 30), dtype=np.int32)
        network = served_network([first, second], recipe)
        logits = [
            np.log(p / (1 - p)) for p in (keras_probabilities(each, ids)[:, 1] for each in (first, second))
        ]
        exported = run_network(to_onnx(network), ids)[:, 1]
        np.testing.assert_allclose(exported, 1 / (1 + np.exp(-np.mean(logits, axis=0))), atol=1e-5)
        return
    with pytest.raises(
        ExportError, match=r"imdb-bigrams: the last layer is not a dense one.*average weights"
    ):
        served_network([first, second], recipe)
