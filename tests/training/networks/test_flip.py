"""A network with a mirror answers by the mean of its logits for both pictures, in ONNX Runtime too."""

import keras
import numpy as np
import onnxruntime as ort

from training.export.onnx_graph import to_onnx
from training.networks.flip import with_mirror
from training.networks.network import Network, measure
from training.settings import Settings


def _photos() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (5, 12, 12, 3), dtype=np.uint8)


def _model() -> keras.Model:
    keras.utils.set_random_seed(2)
    facts = measure(_photos(), classes=4)
    return Network(Settings(epochs=1), shape=(12, 12, 3)).scale(facts).block(6).pool_to_one().classify(4)


def _logs(probabilities: np.ndarray) -> np.ndarray:
    logs = np.log(probabilities)
    return logs - logs.mean(axis=1, keepdims=True)


def test_logits_are_the_mean_of_both_and_the_same_for_a_picture_and_its_mirror_image() -> None:
    model, photos = _model(), _photos()
    alone, mirrored = model.predict(photos, verbose=0), model.predict(photos[:, :, ::-1], verbose=0)

    both = with_mirror(model)
    result = both.predict(photos, verbose=0)

    np.testing.assert_allclose(_logs(result), (_logs(alone) + _logs(mirrored)) / 2, atol=1e-4)
    np.testing.assert_allclose(both.predict(photos[:, :, ::-1], verbose=0), result, atol=1e-5)


def test_exported_graph_answers_alike_for_one_picture_and_for_many() -> None:
    both, photos = with_mirror(_model()), _photos()

    session = ort.InferenceSession(to_onnx(both).SerializeToString(), providers=["CPUExecutionProvider"])

    expected = both.predict(photos, verbose=0)
    (result,) = session.run(None, {"image": photos})
    np.testing.assert_allclose(result, expected, atol=1e-5)
    for place in range(5):
        (single,) = session.run(None, {"image": photos[place : place + 1]})
        np.testing.assert_allclose(single[0], expected[place], atol=1e-5)
