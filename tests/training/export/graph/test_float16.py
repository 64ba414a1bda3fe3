"""Rounded weights halve the file, and the stored network equals the rounded one."""

import keras
import numpy as np
import onnxruntime as ort

from training.export.graph.conversion import to_onnx
from training.export.graph.float16 import round_convolutions, store_as_float16
from training.hyperparameters import Hyperparameters
from training.networks.network import Network
from training.networks.statistics import measure_images


def _photos(count: int = 8) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)


def _trained() -> keras.Model:
    """Train a network for a few steps, so that its batch normalisation is not the identity."""
    keras.utils.set_random_seed(1)
    statistics = measure_images(_photos(), classes=4)
    network = Network(Hyperparameters(epochs=1), statistics).image(16, 16, 3).whitening_conv(side=2)
    model = network.conv_block(24, depth=3).residual_block(32).global_max_pool().classifier()
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="categorical_crossentropy")
    model.fit(_photos(64), np.eye(4)[np.arange(64) % 4], epochs=4, batch_size=16, verbose=0)
    return model


def test_rounding_changes_the_predictions_a_little() -> None:
    model, photos = _trained(), _photos()
    before = model.predict(photos, verbose=0)

    round_convolutions(model)

    after = model.predict(photos, verbose=0)
    assert not np.array_equal(after, before)
    np.testing.assert_allclose(after, before, atol=5e-3)


def test_a_rounded_network_stored_as_float16_predicts_as_keras() -> None:
    model, photos = _trained(), _photos()
    round_convolutions(model)
    proto = to_onnx(model)
    whole = proto.ByteSize()

    store_as_float16(proto, only_rounded=True)

    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    assert proto.ByteSize() < 0.6 * whole
    np.testing.assert_allclose(session.run(None, {"image": photos})[0], model(photos), atol=1e-6)


def test_a_nested_network_is_rounded_too() -> None:
    base = _trained()
    image = keras.Input(base.input_shape[1:], dtype=base.input.dtype)
    model = keras.Model(image, base(image))

    round_convolutions(model)

    kernels = [layer.get_weights()[0] for layer in base.layers if isinstance(layer, keras.layers.Conv2D)]
    assert kernels
    for kernel in kernels:
        np.testing.assert_array_equal(kernel, kernel.astype(np.float16))


def test_a_second_rounding_changes_nothing() -> None:
    model = _trained()
    round_convolutions(model)
    once = model.get_weights()

    round_convolutions(model)

    for first, second in zip(once, model.get_weights(), strict=True):
        np.testing.assert_allclose(second, first, atol=1e-6)


def test_constants_that_are_not_rounded_can_be_skipped() -> None:
    proto = to_onnx(_trained())
    before = proto.SerializeToString()

    store_as_float16(proto, only_rounded=True)

    assert proto.SerializeToString() == before
