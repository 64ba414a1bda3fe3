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


_NOISE = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (3, 200), (200, 256)])
def test_plain_file_is_decoded(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8)
    decoded = decode_plain_png(_png(pixels))
    assert decoded is not None
    assert decoded.mode == "L"
    assert np.array_equal(np.asarray(decoded), pixels)


def test_real_digits_are_plain_files(mnist_digits: np.ndarray, encode: Encode) -> None:
    for digit in mnist_digits[:50]:
        decoded = decode_plain_png(encode(digit))
        assert decoded is not None
        assert np.array_equal(np.asarray(decoded), digit)


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return _png(_NOISE, exif=exif)


def _with_text() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Title", "a digit")
    return _png(_NOISE, pnginfo=notes)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(_png(np.zeros((28, 28, 3), np.uint8)), id="colour"),
        pytest.param(_png(np.zeros((28, 28, 4), np.uint8)), id="transparency"),
        pytest.param(_png(_NOISE.astype(np.uint16)), id="sixteen bits"),
        pytest.param(_png(_NOISE > 127), id="one bit"),
        pytest.param(_png(_NOISE, transparency=0), id="a transparent grey"),
        pytest.param(_turned(), id="sideways"),
        pytest.param(_with_text(), id="text"),
        pytest.param(_png(np.zeros((257, 256), np.uint8)), id="large"),
        pytest.param(_png(_NOISE) + b"more", id="more behind it"),
    ],
)
def test_other_files_are_not_decoded(data: bytes) -> None:
    assert decode_plain_png(data) is None


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(_png(_NOISE)) - 1), value=st.integers(0, 255), cut=st.booleans())
def test_damaged_file_is_never_decoded_differently_from_pillow(at: int, value: int, cut: bool) -> None:
    whole = _png(_NOISE)
    data = whole[:at] if cut else whole[:at] + bytes([value]) + whole[at + 1 :]
    decoded = decode_plain_png(data)
    if decoded is not None:
        with Image.open(io.BytesIO(data)) as theirs:
            assert np.array_equal(np.asarray(decoded), np.asarray(theirs))
