"""Tests convolution and pooling against ONNX Runtime, and sizes, receptive fields and texts."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from PIL import Image

from desktop.lab.convolution import (
    ConvolutionBlock,
    Pooling,
    SlidingWindow,
    WindowTooLarge,
    apply_block,
    convolve,
    crop_grey_square,
    format_weighted_sum,
    pool,
    receptive_field,
    to_grey_levels,
)
from desktop.lab.kernels import PRESETS, Preset

PIXELS = np.random.default_rng(4).integers(0, 256, (28, 28), dtype=np.uint8)


def onnx_runtime(kind: str, *tensors: np.ndarray, **attributes: object) -> np.ndarray:
    """Run one node on (height, width) arrays, as a batch of one with one channel."""
    names = ["picture", "kernel"][: len(tensors)]
    graph = helper.make_graph(
        [helper.make_node(kind, names, ["result"], **attributes)],
        "oracle",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, None, None]) for name in names],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {name: tensor[None, None] for name, tensor in zip(names, tensors, strict=True)}
    return session.run(None, feed)[0][0, 0]


@pytest.mark.parametrize("side", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 4])
def test_convolution_equals_onnx_runtime(side: int, stride: int, padding: int) -> None:
    kernel = np.random.default_rng(side).normal(size=(side, side)).astype(np.float32)
    picture = PIXELS[:, :21].astype(np.float32)
    actual = convolve(picture, kernel, stride=stride, padding=padding)
    expected = onnx_runtime("Conv", picture, kernel, strides=[stride] * 2, pads=[padding] * 4)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-2)
    assert actual.dtype == np.float32
    for size, output in zip(picture.shape, actual.shape, strict=True):
        assert SlidingWindow(input_size=size, size=side, padding=padding, stride=stride).output_size == output


@pytest.mark.parametrize(("pooling", "node"), [(Pooling.MAX, "MaxPool"), (Pooling.AVERAGE, "AveragePool")])
@pytest.mark.parametrize("side", [2, 3, 5])
def test_pooling_equals_onnx_runtime(pooling: Pooling, node: str, side: int) -> None:
    picture = PIXELS.astype(np.float32)
    expected = onnx_runtime(node, picture, kernel_shape=[side] * 2, strides=[side] * 2)
    np.testing.assert_allclose(pool(picture, pooling, size=side), expected, rtol=1e-5)


def test_a_block_applies_convolution_relu_and_pooling_in_this_order() -> None:
    block = ConvolutionBlock(
        kernel=PRESETS[Preset.SOBEL_X], stride=1, padding=None, relu=True, pooling=Pooling.MAX, pool_size=3
    )
    output = apply_block(block, PIXELS)
    convolved = onnx_runtime("Conv", PIXELS.astype(np.float32), PRESETS[Preset.SOBEL_X], pads=[1] * 4)
    assert convolved.min() < 0
    expected = onnx_runtime("MaxPool", np.maximum(convolved, 0), kernel_shape=[3, 3], strides=[3, 3])
    np.testing.assert_allclose(output.values, expected, rtol=1e-5)
    assert [window.output_size for window in output.windows] == [28, 9]


def test_the_identity_kernel_returns_the_image() -> None:
    output = apply_block(ConvolutionBlock(kernel=PRESETS[Preset.IDENTITY], padding=None), PIXELS)
    np.testing.assert_array_equal(to_grey_levels(output.values), PIXELS)


@pytest.mark.parametrize("side", [3, 5, 7])
@pytest.mark.parametrize(("stride", "size"), [(1, 28), (2, 14), (3, 10)])
def test_same_padding_gives_the_output_size_of_keras(side: int, stride: int, size: int) -> None:
    kernel = np.ones((side, side), dtype=np.float32)
    output = apply_block(ConvolutionBlock(kernel=kernel, padding=None, stride=stride), PIXELS)
    assert output.values.shape == (size, size)


@pytest.mark.parametrize(
    ("window", "formula"),
    [
        (SlidingWindow(input_size=28, size=3), "(28 − 3 + 2 · 0) / 1 + 1 = 26"),
        (SlidingWindow(input_size=28, size=5, padding=2, stride=1), "(28 − 5 + 2 · 2) / 1 + 1 = 28"),
        (SlidingWindow(input_size=7, size=3, stride=2), "(7 − 3 + 2 · 0) / 2 + 1 = 3"),
        (SlidingWindow(input_size=28, size=3, stride=2), "⌊(28 − 3 + 2 · 0) / 2⌋ + 1 = 13"),
    ],
)
def test_the_formula_shows_its_numbers(window: SlidingWindow, formula: str) -> None:
    assert window.formula() == formula


def test_a_window_larger_than_its_input_raises() -> None:
    small = PIXELS[:4, :4]
    with pytest.raises(WindowTooLarge, match="7 × 7 does not fit on 4 × 4"):
        apply_block(ConvolutionBlock(kernel=np.ones((7, 7), dtype=np.float32)), small)
    with pytest.raises(WindowTooLarge, match="3 × 3 does not fit on 2 × 2"):
        apply_block(
            ConvolutionBlock(kernel=PRESETS[Preset.IDENTITY], pooling=Pooling.MAX, pool_size=3), small
        )
    assert apply_block(
        ConvolutionBlock(kernel=np.ones((7, 7), dtype=np.float32), padding=2), small
    ).values.shape == (2, 2)


def test_negative_values_are_darker_than_the_grey_of_zero() -> None:
    levels = to_grey_levels(np.array([[-10, 0, 10, 5]], dtype=np.float32))
    assert levels.tolist() == [[0, 128, 255, 191]]
    assert to_grey_levels(np.array([[0, 100, 255]], dtype=np.float32)).tolist() == [[0, 100, 255]]
    assert to_grey_levels(np.array([[0, 2, 4]], dtype=np.float32)).tolist() == [[0, 128, 255]]
    assert to_grey_levels(np.zeros((1, 2), dtype=np.float32)).tolist() == [[0, 0]]
    assert to_grey_levels(np.array([[-1e-5, 1e-5]], dtype=np.float32)).tolist() == [[0, 3]]


def test_preset_kernels_detect_and_blur_an_edge() -> None:
    edge = np.zeros((8, 8), dtype=np.uint8)
    edge[:, 4:] = 200
    across = apply_block(ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X]), edge).values
    along = apply_block(ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_Y]), edge).values
    assert across.max() == 800
    assert not along.any()
    blurred = apply_block(ConvolutionBlock(kernel=PRESETS[Preset.BOX_BLUR]), edge).values
    np.testing.assert_allclose(blurred[0], [0, 0, 200 / 3, 400 / 3, 200, 200], rtol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 2, None])
@pytest.mark.parametrize("pooling", [None, Pooling.AVERAGE])
def test_a_value_depends_on_exactly_its_receptive_field(
    stride: int, padding: int | None, pooling: Pooling | None
) -> None:
    kernel = np.ones((3, 3), dtype=np.float32)
    block = ConvolutionBlock(kernel=kernel, stride=stride, padding=padding, pooling=pooling)
    output = apply_block(block, PIXELS)
    for row, column in ((0, 0), (2, 4)):
        top, left, side = receptive_field(output.windows, row, column)
        within = np.zeros(PIXELS.shape, dtype=bool)
        within[max(top, 0) : top + side, max(left, 0) : left + side] = True
        only = apply_block(block, np.where(within, PIXELS, 0).astype(np.uint8)).values
        assert only[row, column] == pytest.approx(output.values[row, column])
        corners = [(top, left), (top + side - 1, left + side - 1)]
        for corner in corners:
            if min(corner) < 0:
                continue
            changed = PIXELS.copy()
            changed[corner] = 255 - changed[corner]
            assert apply_block(block, changed).values[row, column] != output.values[row, column]


def test_an_image_is_cropped_square_and_converted_to_grey() -> None:
    picture = Image.new("RGB", (300, 200), (255, 0, 0))
    picture.paste((0, 0, 255), (150, 0, 300, 200))
    square = crop_grey_square(picture, size=64)
    assert square.shape == (64, 64)
    assert square[:, :24].min() == square[:, :24].max() == 76
    assert square[:, 40:].max() == 29


def test_the_weighted_sum_includes_the_padding() -> None:
    picture = np.array([[10, 20], [30, 40]], dtype=np.uint8)
    kernel = PRESETS[Preset.SOBEL_Y]
    lines = format_weighted_sum(picture, kernel, top=-1, left=0)
    assert lines == ["-1 · 0 + -2 · 0 + -1 · 0", "0 · 10 + 0 · 20 + 0 · 0", "1 · 30 + 2 · 40 + 1 · 0"]
    terms = [term.split(" · ") for line in lines for term in line.split(" + ")]
    total = sum(float(weight) * int(level) for weight, level in terms)
    assert total == apply_block(ConvolutionBlock(kernel=kernel, padding=1), picture).values[0, 1]
    far = format_weighted_sum(picture, kernel, top=-16, left=9)
    assert far == ["-1 · 0 + -2 · 0 + -1 · 0", "0 · 0 + 0 · 0 + 0 · 0", "1 · 0 + 2 · 0 + 1 · 0"]
