"""Ensembles and flip test-time augmentation average logits, in Keras and in ONNX Runtime."""

import keras
import numpy as np
import onnxruntime as ort
import pytest

from training.errors import RunError
from training.export.graph.conversion import to_onnx
from training.hyperparameters import Hyperparameters
from training.networks.ensemble import average_logits, average_weights, with_flip_tta
from training.networks.network import Network
from training.networks.statistics import measure_images


def _photos() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (5, 12, 12, 3), dtype=np.uint8)


def _model(seed: int, *, classes: int = 4) -> keras.Model:
    keras.utils.set_random_seed(seed)
    statistics = measure_images(_photos(), classes=classes)
    network = Network(Hyperparameters(epochs=1), statistics).image(12, 12, 3)
    return network.conv_block(6).global_max_pool().classifier()


def _logits(probabilities: np.ndarray) -> np.ndarray:
    if probabilities.shape[1] == 1:
        return np.log(probabilities / (1 - probabilities))
    logs = np.log(probabilities)
    return logs - logs.mean(axis=1, keepdims=True)


def _session(model: keras.Model) -> ort.InferenceSession:
    return ort.InferenceSession(to_onnx(model).SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("classes", [2, 4])
def test_average_logits_of_all_networks(classes: int) -> None:
    members, photos = [_model(seed, classes=classes) for seed in (2, 3, 4)], _photos()
    single = [_logits(member.predict(photos, verbose=0)) for member in members]
    assert np.abs(single[0] - single[1]).max() > 0.01

    result = average_logits(members).predict(photos, verbose=0)

    np.testing.assert_allclose(_logits(result), np.mean(single, axis=0), atol=1e-4)


def test_every_second_network_gets_the_flipped_image_in_keras_and_onnx() -> None:
    members, photos = [_model(seed) for seed in (2, 3, 4)], _photos()
    flipped = photos[:, :, ::-1]
    views = [
        _logits(member.predict(view, verbose=0))
        for member, view in zip(members, (photos, flipped, photos), strict=True)
    ]

    ensemble = average_logits(members, flip_tta=True)

    result = ensemble.predict(photos, verbose=0)
    np.testing.assert_allclose(_logits(result), np.mean(views, axis=0), atol=1e-4)
    np.testing.assert_allclose(
        _session(ensemble).run(None, {"image": photos})[0], ensemble(photos), atol=1e-5
    )


def test_average_weights_is_one_network() -> None:
    first, second = _model(2), _model(3)
    weights = [model.get_weights() for model in (first, second)]

    mean = average_weights([first, second])

    assert mean.count_params() == second.count_params()
    for one, two, result in zip(*weights, mean.get_weights(), strict=True):
        np.testing.assert_allclose(result, (one + two) / 2, atol=1e-6)


def test_average_weights_refuses_other_architectures() -> None:
    with pytest.raises(RunError, match="weights of other shapes; use --average logits"):
        average_weights([_model(2, classes=4), _model(2, classes=5)])


def test_flip_tta_averages_the_logits_of_an_image_and_the_flipped_image() -> None:
    model, photos = _model(2), _photos()
    single, flipped = model.predict(photos, verbose=0), model.predict(photos[:, :, ::-1], verbose=0)

    with_flip = with_flip_tta(model)
    result = with_flip.predict(photos, verbose=0)

    np.testing.assert_allclose(_logits(result), (_logits(single) + _logits(flipped)) / 2, atol=1e-4)
    np.testing.assert_allclose(with_flip.predict(photos[:, :, ::-1], verbose=0), result, atol=1e-5)


def test_flip_tta_in_onnx_equals_keras_for_one_image_and_for_a_batch() -> None:
    model, photos = with_flip_tta(_model(2)), _photos()

    session = _session(model)

    expected = model.predict(photos, verbose=0)
    np.testing.assert_allclose(session.run(None, {"image": photos})[0], expected, atol=1e-5)
    for index in range(5):
        (single,) = session.run(None, {"image": photos[index : index + 1]})
        np.testing.assert_allclose(single[0], expected[index], atol=1e-5)
