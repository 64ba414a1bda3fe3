"""Tests the transposed convolution against ONNX Runtime, and as the gradient of a convolution."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from desktop.lab.convolution.layer import ConvolutionLayer, convolve
from desktop.lab.convolution.window import WindowTooLarge
from desktop.lab.stack.transposed import Stamp, convolve_transposed, shrink

RANDOM = np.random.default_rng(9)
IMAGE = RANDOM.normal(size=(5, 5)).astype(np.float32)
KERNEL = RANDOM.normal(size=(3, 3)).astype(np.float32)
CASES = [(1, 0), (2, 0), (2, 1), (3, 0), (4, 2)]


@pytest.mark.parametrize(("stride", "padding"), CASES)
def test_values_are_those_of_onnx_runtime(stride: int, padding: int) -> None:
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[stride] * 2, pads=[padding] * 4)
    values = [helper.make_tensor_value_info(one, TensorProto.FLOAT, None) for one in ("x", "y")]
    weights = numpy_helper.from_array(KERNEL[None, None], "w")
    graph = helper.make_graph([node], "transposed", values[:1], values[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"x": IMAGE[None, None]})[0][0, 0]
    found = convolve_transposed(IMAGE, KERNEL, stride=stride, padding=padding)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    sizes = Stamp(input_size=5, size=3, stride=stride, padding=padding)
    assert len(found) == sizes.output_size
    for row, column in ((0, 0), (2, 1), (len(found) - 1, len(found) - 2)):
        terms = sizes.contributions(row, column)
        total = sum(IMAGE[y, x] * KERNEL[down, across] for y, x, down, across in terms)
        assert found[row, column] == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_it_is_the_backward_pass_of_a_convolution(stride: int) -> None:
    """The gradient of sum(G · conv(X)) with respect to X is the transposed convolution of G."""
    layer = ConvolutionLayer(weights=KERNEL[None, None], bias=np.zeros(1, dtype=np.float32), stride=stride)
    picture = RANDOM.normal(size=(1, 7, 7)).astype(np.float32)
    gradient = RANDOM.normal(size=convolve(picture, layer).shape).astype(np.float32)
    backward = convolve_transposed(gradient[0], KERNEL, stride=stride)
    for row, column in ((0, 0), (3, 2), (6, 6)):
        step = np.zeros_like(picture)
        step[0, row, column] = 1
        # The convolution is linear, so a step of 1 gives the exact derivative.
        change = float((gradient * (convolve(picture + step, layer) - convolve(picture, layer))).sum())
        assert backward[row, column] == pytest.approx(change, abs=1e-4)


def test_padding_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(WindowTooLarge, match="leaves nothing"):
        convolve_transposed(IMAGE[:1, :1], KERNEL, padding=2)


def test_shrinking_keeps_the_mean() -> None:
    picture = RANDOM.random((28, 28)).astype(np.float32)
    small = shrink(picture, 4)
    np.testing.assert_allclose(small, picture.reshape(4, 7, 4, 7).mean(axis=(1, 3)), rtol=1e-5)
    assert shrink(picture, 64) is picture
