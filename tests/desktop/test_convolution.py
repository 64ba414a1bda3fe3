"""The arithmetic of the lab, against ONNX Runtime's own convolution and pooling."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from PIL import Image

from desktop.lab.convolution import (
    DoesNotFit,
    Operation,
    Pooling,
    Step,
    apply,
    convolve,
    grey_levels,
    grey_square,
    origin,
    pool,
    products,
)
from desktop.lab.kernels import PRESETS, BadWeight, Preset, parse_kernel, resized, write_weight

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
def test_convolution_is_onnx_runtimes(side: int, stride: int, padding: int) -> None:
    kernel = np.random.default_rng(side).normal(size=(side, side)).astype(np.float32)
    picture = PIXELS[:, :21].astype(np.float32)
    ours = convolve(picture, kernel, stride=stride, padding=padding)
    theirs = onnx_runtime("Conv", picture, kernel, strides=[stride] * 2, pads=[padding] * 4)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-2)
    assert ours.dtype == np.float32
    for size, output in zip(picture.shape, ours.shape, strict=True):
        assert Step(size=size, window=side, padding=padding, stride=stride).output == output


@pytest.mark.parametrize(("pooling", "node"), [(Pooling.MAX, "MaxPool"), (Pooling.AVERAGE, "AveragePool")])
@pytest.mark.parametrize("side", [2, 3, 5])
def test_pooling_is_onnx_runtimes(pooling: Pooling, node: str, side: int) -> None:
    picture = PIXELS.astype(np.float32)
    theirs = onnx_runtime(node, picture, kernel_shape=[side] * 2, strides=[side] * 2)
    np.testing.assert_allclose(pool(picture, pooling, side=side), theirs, rtol=1e-5)


def test_a_layer_is_convolution_then_relu_then_pooling() -> None:
    operation = Operation(
        kernel=PRESETS[Preset.SOBEL_X], stride=1, padding=None, rectified=True, pooling=Pooling.MAX, pool=3
    )
    outcome = apply(operation, PIXELS)
    convolved = onnx_runtime("Conv", PIXELS.astype(np.float32), PRESETS[Preset.SOBEL_X], pads=[1] * 4)
    assert convolved.min() < 0
    theirs = onnx_runtime("MaxPool", np.maximum(convolved, 0), kernel_shape=[3, 3], strides=[3, 3])
    np.testing.assert_allclose(outcome.values, theirs, rtol=1e-5)
    assert [step.output for step in outcome.steps] == [28, 9]


def test_the_identity_gives_the_picture_back() -> None:
    outcome = apply(Operation(kernel=PRESETS[Preset.IDENTITY], padding=None), PIXELS)
    np.testing.assert_array_equal(grey_levels(outcome.values), PIXELS)


@pytest.mark.parametrize("side", [3, 5, 7])
@pytest.mark.parametrize(("stride", "output"), [(1, 28), (2, 14), (3, 10)])
def test_same_padding_gives_the_size_that_keras_gives(side: int, stride: int, output: int) -> None:
    kernel = np.ones((side, side), dtype=np.float32)
    outcome = apply(Operation(kernel=kernel, padding=None, stride=stride), PIXELS)
    assert outcome.values.shape == (output, output)


@pytest.mark.parametrize(
    ("step", "written"),
    [
        (Step(size=28, window=3), "(28 − 3 + 2 · 0) / 1 + 1 = 26"),
        (Step(size=28, window=5, padding=2, stride=1), "(28 − 5 + 2 · 2) / 1 + 1 = 28"),
        (Step(size=7, window=3, stride=2), "(7 − 3 + 2 · 0) / 2 + 1 = 3"),
        (Step(size=28, window=3, stride=2), "⌊(28 − 3 + 2 · 0) / 2⌋ + 1 = 13"),
    ],
)
def test_the_formula_is_written_out(step: Step, written: str) -> None:
    assert step.formula() == written


def test_a_window_that_does_not_fit_is_refused() -> None:
    small = PIXELS[:4, :4]
    with pytest.raises(DoesNotFit, match="7 × 7 does not fit on 4 × 4"):
        apply(Operation(kernel=np.ones((7, 7), dtype=np.float32)), small)
    with pytest.raises(DoesNotFit, match="3 × 3 does not fit on 2 × 2"):
        apply(Operation(kernel=PRESETS[Preset.IDENTITY], pooling=Pooling.MAX, pool=3), small)
    assert apply(Operation(kernel=np.ones((7, 7), dtype=np.float32), padding=2), small).values.shape == (2, 2)


def test_negative_values_are_darker_than_the_grey_of_nothing() -> None:
    levels = grey_levels(np.array([[-10, 0, 10, 5]], dtype=np.float32))
    assert levels.tolist() == [[0, 128, 255, 191]]
    assert grey_levels(np.array([[0, 100, 255]], dtype=np.float32)).tolist() == [[0, 100, 255]]
    assert grey_levels(np.array([[0, 2, 4]], dtype=np.float32)).tolist() == [[0, 128, 255]]
    assert grey_levels(np.zeros((1, 2), dtype=np.float32)).tolist() == [[0, 0]]
    assert grey_levels(np.array([[-1e-5, 1e-5]], dtype=np.float32)).tolist() == [[0, 3]]


def test_a_typed_kernel_may_hold_fractions_commas_and_empty_cells() -> None:
    kernel = parse_kernel([["1/9", " -2 ", ""], ["0,5", "−1", "1e1"], ["0", "-1/4", ".5"]])
    expected = [[1 / 9, -2, 0], [0.5, -1, 10], [0, -0.25, 0.5]]
    np.testing.assert_allclose(kernel, expected, rtol=1e-6)
    assert kernel.dtype == np.float32


@pytest.mark.parametrize("text", ["x", "1/0", "/2", "1/", "nan", "inf", "1e9", "1/2/3", "--1"])
def test_a_bad_weight_is_named(text: str) -> None:
    with pytest.raises(BadWeight, match=r"row 2, column 1 .* is no number") as caught:
        parse_kernel([["0", "0"], [text, "0"]])
    assert (caught.value.row, caught.value.column, caught.value.text) == (2, 1, text)


@pytest.mark.parametrize("preset", list(Preset))
def test_the_known_kernels_survive_being_written_into_cells(preset: Preset) -> None:
    cells = [[write_weight(float(weight)) for weight in row] for row in PRESETS[preset]]
    np.testing.assert_array_equal(parse_kernel(cells), PRESETS[preset])


def test_what_known_kernels_do_to_an_edge() -> None:
    edge = np.zeros((8, 8), dtype=np.uint8)
    edge[:, 4:] = 200
    across = apply(Operation(kernel=PRESETS[Preset.SOBEL_X]), edge).values
    along = apply(Operation(kernel=PRESETS[Preset.SOBEL_Y]), edge).values
    assert across.max() == 800
    assert not along.any()
    blurred = apply(Operation(kernel=PRESETS[Preset.BOX_BLUR]), edge).values
    np.testing.assert_allclose(blurred[0], [0, 0, 200 / 3, 400 / 3, 200, 200], rtol=1e-5)


def test_another_size_keeps_the_middle_of_a_kernel() -> None:
    larger = resized(PRESETS[Preset.SHARPEN], 5)
    np.testing.assert_array_equal(larger[1:4, 1:4], PRESETS[Preset.SHARPEN])
    assert larger.sum() == PRESETS[Preset.SHARPEN].sum()
    np.testing.assert_array_equal(resized(larger, 3), PRESETS[Preset.SHARPEN])


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 2, None])
@pytest.mark.parametrize("pooling", [None, Pooling.AVERAGE])
def test_a_value_depends_on_the_pixels_it_is_said_to_come_from(
    stride: int, padding: int | None, pooling: Pooling | None
) -> None:
    kernel = np.ones((3, 3), dtype=np.float32)
    operation = Operation(kernel=kernel, stride=stride, padding=padding, pooling=pooling)
    outcome = apply(operation, PIXELS)
    for row, column in ((0, 0), (2, 4)):
        top, left, side = origin(outcome.steps, row, column)
        within = np.zeros(PIXELS.shape, dtype=bool)
        within[max(top, 0) : top + side, max(left, 0) : left + side] = True
        only = apply(operation, np.where(within, PIXELS, 0).astype(np.uint8)).values
        assert only[row, column] == pytest.approx(outcome.values[row, column])
        corners = [(top, left), (top + side - 1, left + side - 1)]
        for corner in corners:
            if min(corner) < 0:
                continue
            changed = PIXELS.copy()
            changed[corner] = 255 - changed[corner]
            assert apply(operation, changed).values[row, column] != outcome.values[row, column]


def test_a_picture_is_cut_square_and_made_grey() -> None:
    picture = Image.new("RGB", (300, 200), (255, 0, 0))
    picture.paste((0, 0, 255), (150, 0, 300, 200))
    square = grey_square(picture, side=64)
    assert square.shape == (64, 64)
    assert square[:, :24].min() == square[:, :24].max() == 76
    assert square[:, 40:].max() == 29


def test_the_sum_of_a_value_is_written_out_with_the_padding() -> None:
    picture = np.array([[10, 20], [30, 40]], dtype=np.uint8)
    kernel = PRESETS[Preset.SOBEL_Y]
    lines = products(picture, kernel, top=-1, left=0)
    assert lines == ["-1 · 0 + -2 · 0 + -1 · 0", "0 · 10 + 0 · 20 + 0 · 0", "1 · 30 + 2 · 40 + 1 · 0"]
    terms = [term.split(" · ") for line in lines for term in line.split(" + ")]
    total = sum(float(weight) * int(level) for weight, level in terms)
    assert total == apply(Operation(kernel=kernel, padding=1), picture).values[0, 1]
    far = products(picture, kernel, top=-16, left=9)
    assert far == ["-1 · 0 + -2 · 0 + -1 · 0", "0 · 0 + 0 · 0 + 0 · 0", "1 · 0 + 2 · 0 + 1 · 0"]
