"""Tests that the fast PNG decoder gives the same pictures as Pillow."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from service.inference.preprocessing.plain_png import decode_plain_png

Encode = Callable[..., bytes]


def _png(pixels: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **options)
    return stream.getvalue()


def _decode(data: bytes) -> Image.Image | None:
    return decode_plain_png(data, max_pixels=10**6)


_NOISE = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
_COLOURS = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)


@pytest.mark.parametrize(("mode", "channels"), [("L", ()), ("RGB", (3,)), ("RGBA", (4,))])
@pytest.mark.parametrize("size", [(1, 1), (28, 28), (3, 200), (512, 512)])
def test_plain_file_is_decoded(size: tuple[int, int], mode: str, channels: tuple[int, ...]) -> None:
    # It repeats itself, so that it fits into one chunk.
    pixels = np.resize(np.random.default_rng(1).integers(0, 256, 512, dtype=np.uint8), size + channels)
    decoded = _decode(_png(pixels))
    assert decoded is not None
    assert decoded.mode == mode
    assert np.array_equal(np.asarray(decoded), pixels)


def test_a_file_above_the_limit_is_not_decoded() -> None:
    data = _png(_NOISE)
    assert decode_plain_png(data, max_pixels=28 * 28) is not None
    assert decode_plain_png(data, max_pixels=28 * 28 - 1) is None


def test_real_digits_are_plain_files(mnist_digits: np.ndarray, encode: Encode) -> None:
    for digit in mnist_digits[:50]:
        decoded = _decode(encode(digit))
        assert decoded is not None
        assert np.array_equal(np.asarray(decoded), digit)


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return _png(_NOISE, exif=exif)


def _palette() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(_COLOURS).quantize().save(stream, "PNG")
    return stream.getvalue()


def _with_text() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Title", "a digit")
    return _png(_NOISE, pnginfo=notes)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(_png(np.zeros((28, 28, 2), np.uint8)), id="grey with transparency"),
        pytest.param(_palette(), id="palette"),
        pytest.param(_png(_NOISE.astype(np.uint16)), id="sixteen bits"),
        pytest.param(_png(_NOISE > 127), id="one bit"),
        pytest.param(_png(_NOISE, transparency=0), id="a transparent grey"),
        pytest.param(_png(_COLOURS, transparency=(0, 0, 0)), id="a transparent colour"),
        pytest.param(_turned(), id="sideways"),
        pytest.param(_with_text(), id="text"),
        pytest.param(_png(np.zeros((513, 512), np.uint8)), id="large"),
        pytest.param(_png(_NOISE) + b"more", id="more behind it"),
    ],
)
def test_other_files_are_not_decoded(data: bytes) -> None:
    assert _decode(data) is None


@settings(max_examples=300, deadline=None)
@given(
    whole=st.sampled_from([_png(_NOISE), _png(_COLOURS), _png(np.dstack([_COLOURS, _NOISE]))]),
    place=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
    cut=st.booleans(),
)
def test_damaged_file_is_never_decoded_differently_from_pillow(
    whole: bytes, place: float, value: int, cut: bool
) -> None:
    at = int(place * len(whole))
    data = whole[:at] if cut else whole[:at] + bytes([value]) + whole[at + 1 :]
    decoded = _decode(data)
    if decoded is not None:
        with Image.open(io.BytesIO(data)) as theirs:
            assert decoded.mode == theirs.mode
            assert np.array_equal(np.asarray(decoded), np.asarray(theirs))
