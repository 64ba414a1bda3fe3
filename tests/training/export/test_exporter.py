"""The exporter chooses the network to serve, and rejects ensembles that it cannot build."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from training.errors import ExportError
from training.export.exporter import keras_probabilities, served_network
from training.export.graph.conversion import to_onnx
from training.export.inference import run_network
from training.networks import pretrained
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


def test_a_pretrained_network_averages_the_logits_of_a_photo_and_its_flip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = replace(load_recipe("cats-dogs-finetune"), flip_tta=True)
    monkeypatch.setattr(pretrained, "WEIGHTS", None)
    keras.utils.set_random_seed(1)
    # All models of a transfer network share layers, as after a training.
    network = pretrained.build_transfer(recipe.hyperparameters, classes=2)
    for layer in network.base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(0.1 * layer.moving_variance)  # else untrained features are zero
    photos = np.random.default_rng(2).integers(0, 256, (3, 180, 180, 3), dtype=np.uint8)
    views = [keras_probabilities(network.full, view)[:, 1] for view in (photos, photos[:, :, ::-1])]
    logits = np.mean([np.log(p / (1 - p)) for p in views], axis=0)
    assert not np.allclose(views[0], views[1], atol=1e-3)

    served = served_network([network.full], recipe)

    exported = run_network(to_onnx(served), photos)[:, 1]
    np.testing.assert_allclose(exported, 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_a_run_of_an_older_version_whose_logits_cannot_be_averaged_is_named() -> None:
    recipe = replace(load_recipe("cats-dogs-finetune"), flip_tta=True)
    features = keras.Input((4,))
    head = keras.Model(features, keras.layers.Dense(1, activation="sigmoid")(features))
    image = keras.Input((8, 8, 4))
    nested = keras.Model(image, head(keras.layers.GlobalAveragePooling2D()(image)))

    with pytest.raises(ExportError, match=r"^cats-dogs-finetune: the last layer .* train it again"):
        served_network([nested], recipe)
