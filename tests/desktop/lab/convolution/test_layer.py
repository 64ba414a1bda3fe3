"""Tests convolutions and pooling against ONNX Runtime, and counts of parameters."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from desktop.lab.convolution.filters import default_filter, stack_filters
from desktop.lab.convolution.kernels import Preset, preset_kernel
from desktop.lab.convolution.layer import (
    Block,
    ConvolutionLayer,
    Pooling,
    apply_block,
    convolve,
    mixing_weights,
    pool,
)
from desktop.lab.convolution.window import WindowTooLarge, receptive_field

PLANES = np.random.default_rng(4).integers(0, 256, (3, 28, 28)).astype(np.float32)


def onnx_runtime(kind: str, *tensors: np.ndarray, **attributes: object) -> np.ndarray:
    """Run one node; the first tensor, (depth, height, width), becomes a batch of one."""
    names = ["planes", "weights", "bias"][: len(tensors)]
    feed = dict(zip(names, (tensors[0][None], *tensors[1:]), strict=True))
    graph = helper.make_graph(
        [helper.make_node(kind, names, ["result"], **attributes)],
        "oracle",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in feed.items()],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feed)[0][0]


def random_layer(filters: int, depth: int, side: int, **options: object) -> ConvolutionLayer:
    random = np.random.default_rng(side)
    return ConvolutionLayer(
        weights=random.normal(size=(filters, depth, side, side)).astype(np.float32),
        bias=random.normal(size=filters).astype(np.float32) * 100,
        **options,
    )


def one_filter(preset: Preset, size: int = 3, **options: object) -> ConvolutionLayer:
    weights = preset_kernel(preset, size).weights[None, None]
    return ConvolutionLayer(weights=weights, bias=np.zeros(1, dtype=np.float32), **options)


@pytest.mark.parametrize("side", [1, 2, 3, 5, 7, 11])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 2), (1, 2)])
@pytest.mark.parametrize("padding", [0, 1, 4])
@pytest.mark.parametrize("depth", [1, 3])
def test_convolution_equals_onnx_runtime(
    side: int, stride: int, dilation: int, padding: int, depth: int
) -> None:
    layer = random_layer(4, depth, side, stride=stride, dilation=dilation, padding=padding)
    actual = convolve(PLANES[:depth], layer)
    expected = onnx_runtime(
        "Conv", PLANES[:depth], layer.weights, layer.bias,
        strides=[stride] * 2, pads=[padding] * 4, dilations=[dilation] * 2,
    )  # fmt: skip
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=5e-2)
    assert actual.dtype == np.float32
    assert layer.window(28).output_size == actual.shape[1] == actual.shape[2]


@pytest.mark.parametrize("multiplier", [1, 2, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_convolution_equals_onnx_runtime(multiplier: int, stride: int) -> None:
    layer = random_layer(3 * multiplier, 1, 3, stride=stride, padding=None, depthwise=True)
    expected = onnx_runtime(
        "Conv", PLANES, layer.weights, layer.bias, group=3, strides=[stride] * 2, pads=[1] * 4
    )
    np.testing.assert_allclose(convolve(PLANES, layer), expected, rtol=1e-4, atol=5e-2)


def test_large_outputs_are_computed_in_blocks() -> None:
    planes = np.random.default_rng(5).normal(size=(3, 256, 256)).astype(np.float32)
    layer = random_layer(2, 3, 11)
    expected = onnx_runtime("Conv", planes, layer.weights, layer.bias)
    np.testing.assert_allclose(convolve(planes, layer), expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(("pooling", "node"), [(Pooling.MAX, "MaxPool"), (Pooling.AVERAGE, "AveragePool")])
@pytest.mark.parametrize("side", [2, 3, 5])
def test_pooling_equals_onnx_runtime(pooling: Pooling, node: str, side: int) -> None:
    expected = onnx_runtime(node, PLANES, kernel_shape=[side] * 2, strides=[side] * 2)
    np.testing.assert_allclose(pool(PLANES, pooling, size=side), expected, rtol=1e-5)


def test_a_block_applies_convolution_relu_pointwise_and_pooling_in_this_order() -> None:
    layer = random_layer(4, 3, 3, padding=None)
    block = Block(layer=layer, relu=True, pointwise=2, pooling=Pooling.MAX, pool_size=3)
    output = apply_block(block, PLANES)
    convolved = onnx_runtime("Conv", PLANES, layer.weights, layer.bias, pads=[1] * 4)
    assert convolved.min() < 0
    mixed = onnx_runtime("Conv", np.maximum(convolved, 0), mixing_weights(2, 4))
    expected = onnx_runtime("MaxPool", mixed, kernel_shape=[3, 3], strides=[3, 3])
    np.testing.assert_allclose(output.values, expected, rtol=1e-4, atol=5e-2)
    assert [window.output_size for window in output.windows] == [28, 9]


def test_a_pointwise_layer_begins_with_the_mean() -> None:
    weights = mixing_weights(4, 4)[:, :, 0, 0]
    assert weights[0] == pytest.approx(0.25)
    # The patterns of the cosine transform are orthogonal.
    gram = weights @ weights.T
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-6)


@pytest.mark.parametrize("side", [3, 5, 7, 11])
@pytest.mark.parametrize(("stride", "size"), [(1, 28), (2, 14), (3, 10)])
def test_same_padding_gives_the_output_size_of_keras(side: int, stride: int, size: int) -> None:
    layer = random_layer(1, 1, side, padding=None, stride=stride)
    assert convolve(PLANES[:1], layer).shape == (1, size, size)


@pytest.mark.parametrize("dilation", [2, 3])
def test_same_padding_keeps_the_size_of_a_dilated_layer(dilation: int) -> None:
    layer = random_layer(1, 1, 3, padding=None, dilation=dilation)
    assert convolve(PLANES[:1], layer).shape == (1, 28, 28)


def test_parameters_of_known_layers() -> None:
    # The first layer of AlexNet, and the first two of the network mnist, version 1.
    for filters, depth, side, count in ((96, 3, 11, 34_944), (32, 1, 3, 320), (64, 32, 3, 18_496)):
        assert random_layer(filters, depth, side).parameters == count
    assert random_layer(96, 3, 11).parameter_formula() == "(3 · 11 · 11 + 1) · 96 = 34 944"
    weights, bias = stack_filters([default_filter(0, 3)] * 2, 3, depthwise=True)
    layer = ConvolutionLayer(weights=weights, bias=bias, depthwise=True)
    assert layer.parameter_formula() == "(1 · 3 · 3 + 1) · 6 = 60"


def test_a_window_larger_than_its_input_raises() -> None:
    small = PLANES[:1, :4, :4]
    with pytest.raises(WindowTooLarge, match="7 × 7 does not fit on 4 × 4"):
        convolve(small, random_layer(1, 1, 7))
    with pytest.raises(WindowTooLarge, match="3 × 3 does not fit on 2 × 2"):
        apply_block(Block(layer=one_filter(Preset.IDENTITY), pooling=Pooling.MAX, pool_size=3), small)
    assert convolve(small, random_layer(1, 1, 7, padding=2)).shape == (1, 2, 2)


def test_preset_kernels_detect_and_blur_an_edge() -> None:
    edge = np.zeros((1, 8, 8), dtype=np.float32)
    edge[:, :, 4:] = 200
    assert convolve(edge, one_filter(Preset.SOBEL_X)).max() == 800
    assert not convolve(edge, one_filter(Preset.SOBEL_Y)).any()
    blurred = convolve(edge, one_filter(Preset.BOX_BLUR))[0]
    np.testing.assert_allclose(blurred[0], [0, 0, 200 / 3, 400 / 3, 200, 200], rtol=1e-5)


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("padding", [0, 2, None])
@pytest.mark.parametrize("pooling", [None, Pooling.AVERAGE])
def test_a_value_depends_on_exactly_its_receptive_field(
    stride: int, dilation: int, padding: int | None, pooling: Pooling | None
) -> None:
    layer = ConvolutionLayer(
        weights=np.ones((1, 1, 3, 3), dtype=np.float32),
        bias=np.zeros(1, dtype=np.float32),
        stride=stride, dilation=dilation, padding=padding,
    )  # fmt: skip
    block, planes = Block(layer=layer, pooling=pooling), PLANES[:1]
    output = apply_block(block, planes)
    for row, column in ((0, 0), (2, 4)):
        field = receptive_field(output.windows, row, column)
        within = np.zeros(planes.shape, dtype=bool)
        top, left, side = field.top, field.left, field.side
        within[:, max(top, 0) : top + side, max(left, 0) : left + side] = True
        only = apply_block(block, np.where(within, planes, 0)).values
        assert only[0, row, column] == pytest.approx(output.values[0, row, column])
        for corner in ((top, left), (top + side - 1, left + side - 1)):
            if min(corner) < 0:
                continue
            changed = planes.copy()
            changed[(0, *corner)] += 100
            assert apply_block(block, changed).values[0, row, column] != output.values[0, row, column]
