"""A converted network has names, constant shapes, and the same predictions."""

from dataclasses import replace

import keras
import numpy as np
import onnx
import onnxruntime as ort
import pytest

from training.export.graph.conversion import OPSET, shape_operations, to_onnx
from training.hyperparameters import Hyperparameters
from training.networks.ensemble import average_logits
from training.networks.network import Network
from training.networks.statistics import DataStatistics
from training.networks.word_sum import WordSum

SETTINGS = Hyperparameters(epochs=1, scaling="standard")
STATISTICS = DataStatistics(classes=3, mean=(90.0,), deviation=(60.0,))


def _pictures(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, *shape), dtype=np.uint8)


def _convnet(classes: int = 3) -> keras.Model:
    keras.utils.set_random_seed(4)
    network = Network(SETTINGS, replace(STATISTICS, classes=classes)).image(14, 14)
    return network.conv(4, batch_norm=True).pool().conv(5).flatten().dense(6).classifier()


def _run(proto: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    (result,) = session.run(["probabilities"], {session.get_inputs()[0].name: x})
    return result


@pytest.mark.parametrize("count", [1, 5])
def test_predicts_as_keras_for_any_batch(count: int) -> None:
    model, x = _convnet(), _pictures(count, 14, 14)

    result = _run(to_onnx(model), x)

    assert result.dtype == np.float32
    np.testing.assert_allclose(result, model.predict(x, verbose=0), atol=1e-5)


def test_one_sigmoid_unit_gives_both_classes() -> None:
    model, x = _convnet(classes=2), _pictures(4, 14, 14)

    result = _run(to_onnx(model), x)

    second = model.predict(x, verbose=0)[:, 0]
    np.testing.assert_allclose(result, np.stack([1 - second, second], axis=1), atol=1e-5)


def test_has_named_input_output_and_a_free_batch() -> None:
    proto = to_onnx(_convnet())

    described = {}
    for info in (*proto.graph.input, *proto.graph.output):
        tensor = info.type.tensor_type
        shape = [size.dim_param or size.dim_value for size in tensor.shape.dim]
        described[info.name] = (onnx.TensorProto.DataType.Name(tensor.elem_type), shape)
    assert described == {
        "image": ("UINT8", ["batch", 14, 14]),
        "probabilities": ("FLOAT", ["batch", 3]),
    }
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", OPSET)]


def test_no_shape_is_computed_and_normalisation_is_folded() -> None:
    kinds = {node.op_type for node in to_onnx(_convnet()).graph.node}

    assert not kinds & {"Shape", "Gather", "Slice", "Concat", "BatchNormalization"}


def _weights(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Return the constants of each node that has some of several dimensions, by the node's name."""
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    return {
        node.name: constants[name]
        for node in proto.graph.node
        for name in node.input
        if name in constants and constants[name].ndim > 1
    }


def _kernel(model: keras.Model, layer: str) -> np.ndarray:
    """Return the kernel of a convolution in ONNX's order (filters, channels, height, width)."""
    return np.transpose(model.get_layer(layer).get_weights()[0], (3, 2, 0, 1))


def _directions(kernel: np.ndarray) -> np.ndarray:
    """Return a kernel with filters of length one, which a merged batch normalisation does not change."""
    rows = kernel.reshape(len(kernel), -1)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_nodes_have_the_names_of_the_layers() -> None:
    _convnet()  # Keras and TensorFlow number names over all networks of a process
    model = _convnet()

    proto = to_onnx(model)

    found = _weights(proto)
    np.testing.assert_allclose(
        _directions(found["conv2d/Conv"]), _directions(_kernel(model, "conv2d")), atol=1e-5
    )
    np.testing.assert_allclose(found["conv2d_1/Conv"], _kernel(model, "conv2d_1"), atol=1e-6)
    names = [node.name for node in proto.graph.node]
    assert {"max_pooling2d/MaxPool", "activation/Relu", "activation_1/Relu", "probabilities/Softmax"} <= set(
        names
    )
    assert len(set(names)) == len(names)
    computing = [
        node.name for node in proto.graph.node if node.op_type in ("Conv", "MatMul", "Relu", "MaxPool")
    ]
    assert {name.split("/")[0] for name in computing} <= {layer.name for layer in model.layers}


def test_convolutions_that_were_merged_with_a_normalisation_have_their_names() -> None:
    model = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.35, pooling="avg"
    )
    inputs = keras.Input((32, 32, 3), dtype="uint8", name="image")
    outputs = keras.layers.Dense(3, "softmax", name="probabilities")(
        model(keras.layers.Rescaling(1 / 255)(inputs))
    )

    proto = to_onnx(keras.Model(inputs, outputs))

    convolutions = [layer.name for layer in model.layers if "Conv2D" in type(layer).__name__]
    names = [node.name for node in proto.graph.node if node.op_type == "Conv"]
    assert sorted(names) == sorted(f"{name}/Conv" for name in convolutions)


def test_nodes_of_an_ensemble_have_the_number_of_their_network() -> None:
    models = [_convnet(), _convnet()]
    for weights in models[1].weights:
        weights.assign(weights + 0.1)

    found = _weights(to_onnx(average_logits(models)))

    for prefix, model in zip(("", "2/"), models, strict=True):
        np.testing.assert_allclose(found[f"{prefix}conv2d_1/Conv"], _kernel(model, "conv2d_1"), atol=1e-6)


def test_operations_that_compute_shapes_are_found() -> None:
    node = onnx.helper.make_node("Shape", ["x"], ["y"], name="tail")
    graph = onnx.helper.make_graph(
        [node],
        "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n"])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.INT64, [1])],
    )

    assert shape_operations(onnx.helper.make_model(graph)) == ("Shape tail",)


def test_word_sums_equal_a_multi_hot_product_and_ignore_padding() -> None:
    keras.utils.set_random_seed(2)
    ids = keras.Input((None,), dtype="int32", name="ids")
    model = keras.Model(ids, keras.layers.Dense(1, activation="sigmoid")(WordSum(20, 4, name="words")(ids)))
    x = np.array([[3, 7, 20, 0, 0], [1, 0, 0, 0, 0]], dtype=np.int32)

    layer = model.get_layer("words")
    kernel, bias = (np.asarray(weight) for weight in layer.get_weights())
    multi_hot = np.zeros((2, 20), dtype=np.float32)
    multi_hot[0, [2, 6, 19]] = 1
    multi_hot[1, 0] = 1
    np.testing.assert_allclose(np.asarray(layer(x)), multi_hot @ kernel + bias, atol=1e-6)
    shorter = _run(to_onnx(model), x[:, :3])
    np.testing.assert_allclose(shorter, _run(to_onnx(model), x), atol=1e-7)
    np.testing.assert_allclose(shorter[:, 1], model.predict(x, verbose=0)[:, 0], atol=1e-6)
