"""A calibration in a network's graph changes the logits as it should, and can be removed."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from service.inference.catalog import BUNDLED, Catalog
from training.errors import ExportError
from training.export.calibration import Calibration
from training.export.graph.head import insert_calibration, remove_calibration, scale_heat_map
from training.export.inference import run_network

CATALOG = Catalog(BUNDLED)
X = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)


def _network(head: str, classes: int) -> onnx.ModelProto:
    """Return a network of one dense layer on 28 x 28 pixels."""
    random = np.random.default_rng(3)
    units = 1 if head == "Sigmoid" else classes
    constants = {
        "shape": np.array([-1, 784], dtype=np.int64),
        "kernel": random.normal(0, 3e-4, (784, units)).astype(np.float32),
        "bias": random.normal(0, 1, units).astype(np.float32),
        "both": np.array([[-1.0, 1.0]], dtype=np.float32),
        "one": np.array([1.0, 0.0], dtype=np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["levels", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "kernel"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
        helper.make_node(head, ["logits"], ["probabilities" if units > 1 else "second"]),
    ]
    if units == 1:
        nodes += [
            helper.make_node("MatMul", ["second", "both"], ["spread"]),
            helper.make_node("Add", ["spread", "one"], ["probabilities"]),
        ]
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 28, 28])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", classes])],
        [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize(
    ("head", "classes", "calibration"),
    [
        ("Softmax", 10, Calibration(temperature=2.0)),
        ("Softmax", 3, Calibration(temperature=0.7, offsets=(0.5, -1.0, 0.5))),
        ("Softmax", 10, Calibration(temperature=0.8, power=1.8, margin_temperature=2.0)),
        ("Softmax", 3, Calibration(temperature=1.3, power=0.6)),
        (
            "Softmax",
            10,
            Calibration(temperature=0.8, power=4.0, margin_temperature=2.0, margin_share=0.4),
        ),
        ("Softmax", 4, Calibration(temperature=1.3, power=2.0, margin_share=0.4)),
        ("Sigmoid", 2, Calibration(temperature=1.5)),
        ("Sigmoid", 2, Calibration(temperature=1.5, offsets=(0.4, -0.4))),
        ("Sigmoid", 2, Calibration(temperature=0.6, power=0.7)),
    ],
)
def test_the_graph_computes_what_the_calibration_computes(
    head: str, classes: int, calibration: Calibration
) -> None:
    proto = _network(head, classes)
    before = run_network(proto, X)

    insert_calibration(proto, calibration)

    np.testing.assert_allclose(run_network(proto, X), calibration.apply(before), atol=2e-5)


@pytest.mark.parametrize(("head", "classes"), [("Softmax", 10), ("Sigmoid", 2)])
def test_a_power_keeps_the_labels_of_small_margins(head: str, classes: int) -> None:
    proto = _network(head, classes)
    for constant in proto.graph.initializer:
        if constant.name in ("kernel", "bias"):
            values = numpy_helper.to_array(constant) * np.float32(1e-3)
            constant.CopyFrom(numpy_helper.from_array(values, constant.name))
    labels = run_network(proto, X).argmax(axis=1)

    insert_calibration(proto, Calibration(temperature=2.0, power=2.6, margin_temperature=2.0))

    assert set(labels) != {0}
    assert np.array_equal(run_network(proto, X).argmax(axis=1), labels)


@pytest.mark.parametrize(("head", "classes"), [("Softmax", 10), ("Sigmoid", 2)])
def test_a_second_calibration_replaces_the_first(head: str, classes: int) -> None:
    proto, fresh = _network(head, classes), _network(head, classes)

    insert_calibration(proto, Calibration(temperature=3.0))
    insert_calibration(proto, Calibration(temperature=2.0))
    insert_calibration(fresh, Calibration(temperature=2.0))

    assert proto == fresh
    assert remove_calibration(proto) == 2.0
    assert proto == _network(head, classes)
    assert remove_calibration(proto) == 1.0


@pytest.mark.parametrize("head", ["Softmax", "Sigmoid"])
def test_a_layer_called_calibration_stays(head: str) -> None:
    proto = _network(head, 2)
    product, total = proto.graph.node[2:4]
    for node, constant in ((product, "kernel"), (total, "bias")):
        node.name, node.input[1] = f"calibration/{node.op_type}", f"calibration/{constant}"
        next(one for one in proto.graph.initializer if one.name == constant).name = node.input[1]
    before = proto.SerializeToString()

    insert_calibration(proto, Calibration(temperature=3.0, power=0.6))
    insert_calibration(proto, Calibration(temperature=2.0))
    assert remove_calibration(proto) == 2.0

    assert proto.SerializeToString() == before


def test_a_network_without_softmax_or_sigmoid_is_rejected() -> None:
    proto = _network("Softmax", 5)
    proto.graph.node[-1].op_type = "Relu"

    with pytest.raises(ExportError, match="Relu"):
        insert_calibration(proto, Calibration(temperature=2.0))


def test_the_heat_map_is_divided_by_the_temperature(tmp_path: Path) -> None:
    import onnxruntime as ort

    path = CATALOG.folder(CATALOG.card("fashion_mnist", 1)) / "explain.onnx"
    proto = onnx.load(path)
    scale_heat_map(proto, 1.0)
    label = np.eye(10, dtype=np.float32)[:1]

    def heat() -> np.ndarray:
        session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(["heat"], {"image": X[:1], "label": label})[0]

    before = heat()
    scale_heat_map(proto, 4.0)
    scale_heat_map(proto, 2.0)

    np.testing.assert_allclose(heat(), before / 2, rtol=1e-5)


def test_the_heat_map_of_a_layer_called_calibration_stays() -> None:
    proto = onnx.load(CATALOG.folder(CATALOG.card("fashion_mnist", 1)) / "explain.onnx")
    proto.graph.node[-1].name = "calibration/layer"
    before = proto.SerializeToString()

    scale_heat_map(proto, 4.0)
    scale_heat_map(proto, 1.0)

    assert proto.SerializeToString() == before
