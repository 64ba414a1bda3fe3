"""The nodes of a graph that are computed in 8 bits."""

import onnx

from service.inference.catalog import BUNDLED
from training.export.graph.int8 import choose_nodes


def test_only_convolutions_and_operations_between_them_are_quantised() -> None:
    graph = onnx.load(BUNDLED / "cats_vs_dogs" / "3" / "model.onnx").graph
    chosen = set(choose_nodes(graph))
    kinds = {node.op_type for node in graph.node if node.name in chosen}
    assert kinds == {"Conv", "Clip", "Add"}
    assert all(node.name in chosen for node in graph.node if node.op_type == "Conv")
    tail = [node for node in graph.node if node.op_type in ("MatMul", "Sigmoid", "GlobalAveragePool", "Cast")]
    assert tail
    assert not chosen & {node.name for node in tail}
