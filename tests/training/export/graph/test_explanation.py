"""The explanation graph's feature maps equal Keras's, and its heat map equals TensorFlow's gradients."""

from collections.abc import Callable
from typing import Any, get_args

import keras
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest
import tensorflow as tf

from training.errors import ExportError
from training.export.graph.explanation import ExplanationGraph, build_explanation
from training.export.graph.float16 import store_as_float16
from training.hyperparameters import Activation, Hyperparameters
from training.networks.network import Network
from training.networks.statistics import measure_images

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]
Stack = Callable[[Network], keras.Model]


def _lecture_convnet(network: Network) -> keras.Model:
    return network.conv(4).pool().conv(6).pool().conv(6).flatten().dense(8).classifier()


def _elu_with_norm(network: Network) -> keras.Model:
    for filters, padding in ((4, "same"), (6, "valid")):
        network.conv(filters, padding=padding, activation="elu", batch_norm=True).pool().dropout(0.5)
    return network.flatten().classifier()


def _dense_only(network: Network) -> keras.Model:
    network.flatten().add(keras.layers.Dense(12, use_bias=False)).add(keras.layers.BatchNormalization())
    return network.activation("relu").dropout(0.5).dense(9).classifier()


def _pooled(network: Network) -> keras.Model:
    return network.conv(5).add(keras.layers.GlobalAveragePooling2D()).classifier()


def _whitened(network: Network) -> keras.Model:
    return (
        network.whitening_conv(side=3)
        .conv_block(4)
        .conv_block(6)
        .conv_block(6, depth=3)
        .global_max_pool()
        .classifier()
    )


def _residual(network: Network) -> keras.Model:
    return network.stem(4).residual_block(4).residual_block(8, stride=2).global_average_pool().classifier()


def _branched(network: Network) -> keras.Model:
    network.whitening_conv(side=3).conv_block(4)
    branch = network.branch().flatten()
    return network.global_max_pool().combine(keras.layers.Concatenate(), branch).classifier()


def _built(
    stack: Stack, *, side: int = 29, seed: int = 7, activation: Activation | None = None
) -> keras.Model:
    keras.utils.set_random_seed(seed)
    statistics = measure_images(_pixels(), classes=2 if stack is _elu_with_norm else 10)
    model = stack(Network(Hyperparameters(epochs=1, activation=activation), statistics).image(side, side))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # A new layer is the identity; a trained one is not.
            layer.set_weights([np.linspace(0.5, 1.5, size) for size in (w.shape[0] for w in layer.weights)])
    return model


def _pixels(side: int = 29) -> Pixels:
    return np.random.default_rng(3).integers(0, 256, (6, side, side), dtype=np.uint8)


def _logits(model: keras.Model, pixels: Pixels) -> Values:
    values: Values = keras.Model(model.input, model.layers[-1].input)(pixels) @ model.layers[-1].kernel
    return np.asarray(values + model.layers[-1].bias)


def _run(graph: ExplanationGraph, pixels: Pixels, labels: Values | None = None) -> dict[str, Values]:
    session = ort.InferenceSession(graph.proto.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    inputs = {"image": pixels} if labels is None else {"image": pixels, "label": labels}
    return dict(zip(names, session.run(names, inputs), strict=True))


def _taped_heat(model: keras.Model, pixels: Pixels, labels: Values, *, after: str) -> Values:
    """Compute the heat of a layer's output with TensorFlow's gradients."""
    names = [layer.name for layer in model.layers]
    split = names.index(after) + 1
    tensor = tf.constant(pixels)
    for layer in model.layers[1:split]:
        tensor = layer(tensor)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        hidden = tensor
        for layer in model.layers[split:-1]:
            hidden = layer(hidden)
        logits = hidden @ model.layers[-1].kernel + model.layers[-1].bias
        if logits.shape[1] == 1:
            logits = tf.concat([-logits, logits], axis=1)
        target = tf.reduce_sum(logits * labels)
    heat: Values = tf.reduce_sum(tensor * tape.gradient(target, tensor), axis=-1).numpy()
    return heat


@pytest.mark.parametrize("activation", get_args(Activation))
def test_heat_of_every_activation_is_that_of_its_gradient(activation: Activation) -> None:
    keras.backend.clear_session()
    model, pixels = _built(_dense_only, activation=activation), _pixels()
    labels = np.eye(10, dtype=np.float32)[np.arange(len(pixels))]

    heat = _run(build_explanation([model]), pixels, labels)["heat"]

    expected = _taped_heat(model, pixels, labels, after="scaling")
    np.testing.assert_allclose(heat, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("stack", "heat_layer", "after"), [(_dense_only, "image", "scaling"), (_pooled, "conv2d", "activation")]
)
def test_heat_is_activation_times_gradient(stack: Stack, heat_layer: str, after: str) -> None:
    keras.backend.clear_session()
    model, pixels = _built(stack), _pixels()
    labels = np.eye(max(2, model.output_shape[-1]), dtype=np.float32)[[0, 1, 1, 0, 1, 0]]

    graph = build_explanation([model])
    free = [
        size
        for info in (*graph.proto.graph.input, *graph.proto.graph.output)
        for size in info.type.tensor_type.shape.dim
        if not size.dim_value
    ]
    assert {size.dim_param for size in free} == {"batch"}
    outputs = _run(graph, pixels, labels)

    assert graph.heat_layer == heat_layer
    expected = _taped_heat(model, pixels, labels, after=after)
    np.testing.assert_allclose(outputs["heat"], expected, atol=2e-5 * np.abs(expected).max() + 1e-6)


@pytest.mark.parametrize("stack", [_pooled, _residual], ids=lambda stack: stack.__name__)
@pytest.mark.parametrize("count", [1, 3])
def test_the_heat_of_pooled_networks_sums_to_the_logit(stack: Stack, count: int) -> None:
    keras.backend.clear_session()
    models, pixels = [_built(stack, seed=seed) for seed in range(count)], _pixels()
    graph = build_explanation(models)

    heat = _run(graph, pixels, np.eye(10, dtype=np.float32)[[4] * 6])["heat"]

    logits = np.mean([_logits(model, pixels) for model in models], axis=0)
    np.testing.assert_allclose(heat.sum(axis=(1, 2)), logits[:, 4], atol=1e-4)


def test_feature_maps_of_a_residual_network_include_the_shortcuts() -> None:
    keras.backend.clear_session()
    model, pixels = _built(_residual), _pixels()
    graph = build_explanation([model])

    maps = _run(graph, pixels, np.eye(10, dtype=np.float32)[[1] * 6])

    shown = [name for name in graph.layers if model.get_layer(name).kernel_size == (3, 3)]
    active = [part.output for part in model.layers if isinstance(part, keras.layers.Activation)]
    for name, value in zip(shown, keras.Model(model.input, active)(pixels), strict=True):
        np.testing.assert_allclose(maps[name], value, atol=1e-4, err_msg=name)
    assert graph.heat_layer == graph.layers[-1]


def test_feature_maps_equal_those_of_keras_and_filters_are_the_weights() -> None:
    keras.backend.clear_session()
    model, pixels = _built(_lecture_convnet), _pixels()

    graph = build_explanation([model])
    outputs = _run(graph, pixels)

    assert graph.layers == ("conv2d", "conv2d_1", "conv2d_2")
    for name, activation in zip(graph.layers, ("activation", "activation_1", "activation_2"), strict=True):
        expected = keras.Model(model.input, model.get_layer(activation).output)(pixels).numpy()
        np.testing.assert_allclose(outputs[name], expected, atol=1e-4)
    np.testing.assert_array_equal(outputs["filters"], model.get_layer("conv2d").kernel.numpy())


def test_feature_maps_of_a_network_with_a_branch_are_those_of_keras() -> None:
    keras.backend.clear_session()
    model, pixels = _built(_branched), _pixels()

    graph = build_explanation([model])

    assert graph.layers == ("whitening", "conv2d", "conv2d_1")
    maps = _run(graph, pixels)
    expected = keras.Model(model.input, model.get_layer("activation_2").output)(pixels).numpy()
    np.testing.assert_allclose(maps["conv2d_1"], expected, atol=1e-4)


@pytest.mark.parametrize("stack", [_lecture_convnet, _elu_with_norm, _whitened])
def test_other_convolutional_networks_have_feature_maps_and_no_heat(stack: Stack) -> None:
    keras.backend.clear_session()

    graph = build_explanation([_built(stack)])
    session = ort.InferenceSession(graph.proto.SerializeToString(), providers=["CPUExecutionProvider"])

    assert graph.heat_layer == ""
    assert [taken.name for taken in session.get_inputs()] == ["image"]
    assert {given.name for given in session.get_outputs()} == {*graph.layers, "filters"}


def test_a_pretrained_base_and_a_nested_classifier_are_supported() -> None:
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    inner = keras.Input((16, 16, 1))
    left = keras.layers.ReLU()(keras.layers.Conv2D(5, 3, padding="same", name="first")(inner))
    both = keras.layers.Add()([left, keras.layers.Conv2D(5, 1, name="side")(inner)])
    base = keras.Model(inner, keras.layers.ReLU()(keras.layers.Conv2D(7, 3, name="last")(both)))
    features = keras.Input((7,))
    head = keras.Model(features, keras.layers.Dense(1, activation="sigmoid")(features))
    image = keras.Input((16, 16), dtype="uint8", name="image")
    scaled = keras.layers.Rescaling(1 / 255, name="scaling")(keras.layers.Reshape((16, 16, 1))(image))
    model = keras.Model(image, head(keras.layers.GlobalAveragePooling2D()(base(scaled))))
    pixels = _pixels(16)

    graph = build_explanation([model])
    outputs = _run(graph, pixels, np.eye(2, dtype=np.float32)[[1] * 6])

    assert graph.layers == ("first", "side", "last")
    assert graph.heat_layer == "last"
    probability = keras.ops.convert_to_numpy(model(pixels))[:, 0]
    bias = float(head.layers[-1].get_weights()[1][0])
    log_odds = np.log(probability / (1 - probability))
    np.testing.assert_allclose(outputs["heat"].sum(axis=(1, 2)) + bias, log_odds, atol=1e-4)


def test_a_layer_without_a_known_gradient_is_rejected_by_name() -> None:
    keras.backend.clear_session()
    softplus = keras.layers.Activation("softplus", name="activation")
    model = _built(lambda network: network.flatten().add(keras.layers.Dense(8)).add(softplus).classifier())

    with pytest.raises(ExportError, match="activation"):
        build_explanation([model])


def test_float16_halves_the_graph_and_hardly_changes_its_outputs() -> None:
    keras.backend.clear_session()
    model, pixels = _built(lambda network: _pooled(network.conv(40).pool().conv(60))), _pixels()
    labels = np.eye(10, dtype=np.float32)[[4] * 6]
    graph = build_explanation([model])
    whole, before = _run(graph, pixels, labels), graph.proto.ByteSize()

    store_as_float16(graph.proto)
    rounded = _run(graph, pixels, labels)

    assert graph.proto.ByteSize() < 0.55 * before
    for name, values in whole.items():
        np.testing.assert_allclose(rounded[name], values, atol=3e-3 * np.abs(values).max(), err_msg=name)


def _pooled_then_dense(activation: Any) -> Stack:
    def stack(network: Network) -> keras.Model:
        network.conv(5).global_average_pool().add(keras.layers.Dense(8, activation=activation))
        return network.classifier()

    return stack


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_heat_goes_through_a_dense_layer_with_an_activation(activation: str) -> None:
    keras.backend.clear_session()
    model, pixels = _built(_pooled_then_dense(activation)), _pixels()
    labels = np.eye(10, dtype=np.float32)[[0, 1, 1, 0, 1, 0]]

    graph = build_explanation([model])

    assert graph.heat_layer == "conv2d"
    expected = _taped_heat(model, pixels, labels, after="activation")
    found = _run(graph, pixels, labels)["heat"]
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max() + 1e-6)


def _with_operation(network: Network) -> keras.Model:
    network.conv(5).global_average_pool().add(keras.layers.Dense(8))
    return network.add(keras.ops.relu).classifier()


@pytest.mark.parametrize(
    "stack", [_pooled_then_dense("gelu"), _pooled_then_dense(keras.layers.LeakyReLU()), _with_operation]
)
def test_a_convolutional_network_that_cannot_be_differentiated_has_no_heat(stack: Stack) -> None:
    keras.backend.clear_session()
    model, pixels = _built(stack), _pixels()

    graph = build_explanation([model])

    assert (graph.layers, graph.heat_layer) == (("conv2d",), "")
    expected = keras.Model(model.input, model.get_layer("activation").output)(pixels).numpy()
    np.testing.assert_allclose(_run(graph, pixels)["conv2d"], expected, atol=1e-4)


def _operation_between_convolutions(network: Network) -> keras.Model:
    network.add(keras.layers.Conv2D(4, 3)).add(keras.ops.relu).add(keras.layers.Conv2D(4, 3))
    return network.flatten().classifier()


def _squeezed(network: Network) -> keras.Model:
    """Squeeze-and-excitation (Hu, Shen and Sun 2018)."""
    network.conv(5)
    gate = network.branch().global_average_pool().add(keras.layers.Dense(5, activation="sigmoid"))
    gate.add(keras.layers.Reshape((1, 1, 5)))
    return network.combine(keras.layers.Multiply(), gate).conv(4).global_average_pool().classifier()


@pytest.mark.parametrize("stack", [_operation_between_convolutions, _squeezed])
def test_feature_maps_of_any_graph_are_those_of_keras(stack: Stack) -> None:
    keras.backend.clear_session()
    model, pixels = _built(stack), _pixels()
    last = model.get_layer("conv2d_1" if stack is _operation_between_convolutions else "activation_1")

    graph = build_explanation([model])

    assert (graph.layers, graph.heat_layer) == (("conv2d", "conv2d_1"), "")
    expected = keras.Model(model.input, last.output)(pixels).numpy()
    np.testing.assert_allclose(_run(graph, pixels)["conv2d_1"], expected, atol=1e-4)


def test_operations_beside_a_nested_network_are_refused() -> None:
    keras.backend.clear_session()
    inner = keras.Input((29, 29, 1))
    base = keras.Model(inner, keras.layers.Conv2D(4, 3)(inner), name="base")

    def stack(network: Network) -> keras.Model:
        network.add(lambda values: keras.ops.subtract(values, 0.5)).add(base)
        return network.global_average_pool().classifier()

    with pytest.raises(ExportError, match=r"keras\.ops beside the nested network base; use layers such as"):
        build_explanation([_built(stack)])
