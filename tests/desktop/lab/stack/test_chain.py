"""Tests chains of stages against ONNX Runtime, and receptive fields against changed pixels."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from desktop.lab.convolution.kernels import Preset, preset_kernel
from desktop.lab.convolution.layer import Pooling
from desktop.lab.convolution.window import WindowTooLarge
from desktop.lab.stack.chain import Stage, fields, run_chain

STAGES = (
    Stage(preset=Preset.LAPLACIAN),
    Stage(pooling=Pooling.MAX, size=2),
    Stage(preset=Preset.GAUSSIAN_BLUR, size=5),
    Stage(preset=Preset.SOBEL_X, stride=2),
    Stage(pooling=Pooling.AVERAGE, size=2),
)
IMAGE = np.random.default_rng(7).random((40, 40), dtype=np.float32) * 255


def oracle(stages: tuple[Stage, ...]) -> np.ndarray:
    """Return the output of the stages as ONNX Runtime computes it."""
    nodes, constants, name = [], [], "x0"
    for number, stage in enumerate(stages, start=1):
        target = f"x{number}"
        if stage.pooling is None:
            weights = preset_kernel(stage.preset, stage.size).weights[None, None]
            constants.append(numpy_helper.from_array(weights, f"w{number}"))
            options = {"strides": [stage.stride] * 2, "dilations": [stage.dilation] * 2}
            nodes.append(helper.make_node("Conv", [name, f"w{number}"], [f"c{number}"], **options))
            nodes.append(helper.make_node("Relu", [f"c{number}"], [target]))
        else:
            kind = "MaxPool" if stage.pooling is Pooling.MAX else "AveragePool"
            sides = [stage.size] * 2
            nodes.append(helper.make_node(kind, [name], [target], kernel_shape=sides, strides=sides))
        name = target
    values = [helper.make_tensor_value_info(one, TensorProto.FLOAT, None) for one in ("x0", name)]
    graph = helper.make_graph(nodes, "chain", values[:1], values[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x0": IMAGE[None, None]})[0][0, 0]


def test_values_are_those_of_onnx_runtime() -> None:
    levels = run_chain(STAGES, IMAGE)
    assert [level.position for level in levels] == [-1, 0, 1, 2, 3, 4]
    for count in range(1, len(STAGES) + 1):
        np.testing.assert_allclose(levels[count].values, oracle(STAGES[:count]), rtol=1e-4, atol=1e-2)
    plain = run_chain(STAGES, IMAGE, with_pooling=False)
    assert [level.position for level in plain] == [-1, 0, 2, 3]
    kept = tuple(stage for stage in STAGES if stage.pooling is None)
    np.testing.assert_allclose(plain[-1].values, oracle(kept), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("with_pooling", [True, False])
def test_a_value_depends_on_its_field_alone(with_pooling: bool) -> None:
    levels = run_chain(STAGES, IMAGE, with_pooling=with_pooling)
    index, row, column = len(levels) - 1, 1, 2
    (field, *_) = fields(levels, index, row, column)
    assert field.side == levels[index].field_size
    inside = (slice(field.top, field.top + field.side), slice(field.left, field.left + field.side))
    changed = np.full_like(IMAGE, 3)
    changed[inside] = IMAGE[inside]
    after = run_chain(STAGES, changed, with_pooling=with_pooling)[index].values[row, column]
    assert after == pytest.approx(levels[index].values[row, column], rel=1e-4)


def test_the_field_of_each_level() -> None:
    levels = run_chain(STAGES[:2], IMAGE)
    assert [(one.top, one.left, one.side) for one in fields(levels, 2, 3, 4)] == [
        (6, 8, 4), (6, 8, 2), (3, 4, 1),
    ]  # fmt: skip


def test_a_chain_that_is_too_long_is_refused() -> None:
    with pytest.raises(WindowTooLarge):
        run_chain((Stage(pooling=Pooling.MAX, size=3),) * 5, IMAGE)
