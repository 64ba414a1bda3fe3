"""The exporter chooses the network to serve, and rejects ensembles that it cannot build."""

import numpy as np
import pytest

from training.errors import ExportError
from training.export.exporter import served_network
from training.networks.statistics import DataStatistics
from training.recipes import load_recipe


@pytest.mark.parametrize(("name", "supported"), [("imdb-dense", True), ("imdb-bigrams", False)])
def test_an_ensemble_of_text_networks_is_built_or_rejected_with_an_alternative(
    name: str, supported: bool
) -> None:
    recipe = load_recipe(name)
    statistics = DataStatistics(classes=2, log_count_ratios=tuple(np.linspace(-1, 1, 50)))
    first, second = (recipe.build(recipe.hyperparameters, statistics) for _ in range(2))

    if supported:
        assert served_network(first, recipe, others=[second]).output_shape == (None, 1)
        return
    with pytest.raises(
        ExportError, match=r"imdb-bigrams: the last layer is not a dense one.*average weights"
    ):
        served_network(first, recipe, others=[second])
