"""A committee answers by the mean of its members' logits, in ONNX Runtime too."""

import keras
import numpy as np
import onnxruntime as ort
import pytest

from training.errors import RunError
from training.export.onnx_graph import to_onnx
from training.networks.ensemble import average_weights, committee
from training.networks.network import Network, measure
from training.settings import Settings


def _photos() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (5, 12, 12, 3), dtype=np.uint8)


def _model(seed: int, *, classes: int = 4) -> keras.Model:
    keras.utils.set_random_seed(seed)
    facts = measure(_photos(), classes=classes)
    return (
        Network(Settings(epochs=1), shape=(12, 12, 3)).scale(facts).block(6).pool_to_one().classify(classes)
    )


def _logits(probabilities: np.ndarray) -> np.ndarray:
    if probabilities.shape[1] == 1:
        return np.log(probabilities / (1 - probabilities))
    logs = np.log(probabilities)
    return logs - logs.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 4])
def test_logits_are_the_mean_of_the_members(classes: int) -> None:
    members, photos = [_model(seed, classes=classes) for seed in (2, 3, 4)], _photos()
    alone = [_logits(member.predict(photos, verbose=0)) for member in members]
    assert np.abs(alone[0] - alone[1]).max() > 0.01

    result = committee(members).predict(photos, verbose=0)

    np.testing.assert_allclose(_logits(result), np.mean(alone, axis=0), atol=1e-4)


def test_every_second_member_can_look_at_the_mirror_image_and_the_exported_graph_answers_alike() -> None:
    members, photos = [_model(seed) for seed in (2, 3, 4)], _photos()
    mirrored = photos[:, :, ::-1]
    views = [
        _logits(member.predict(view, verbose=0))
        for member, view in zip(members, (photos, mirrored, photos), strict=True)
    ]

    whole = committee(members, mirror=True)

    session = ort.InferenceSession(to_onnx(whole).SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(_logits(whole.predict(photos, verbose=0)), np.mean(views, axis=0), atol=1e-4)
    np.testing.assert_allclose(session.run(None, {"image": photos})[0], whole(photos), atol=1e-5)


def test_the_mean_of_weights_is_one_network_halfway_between() -> None:
    first, second = _model(2), _model(3)
    weights = [model.get_weights() for model in (first, second)]

    mean = average_weights([first, second])

    assert mean.count_params() == second.count_params()
    for one, two, result in zip(*weights, mean.get_weights(), strict=True):
        np.testing.assert_allclose(result, (one + two) / 2, atol=1e-6)


def test_weights_of_other_networks_have_no_mean() -> None:
    with pytest.raises(RunError, match="weights of other shapes"):
        average_weights([_model(2, classes=4), _model(2, classes=5)])
