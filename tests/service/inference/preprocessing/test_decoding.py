"""Tests of decoding: all formats, orientations and modes."""

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.inference.errors import DamagedImage
from service.inference.preprocessing import decode_image

Encode = Callable[..., bytes]
_TOP_LEFT, _TOP_RIGHT, _BOTTOM_LEFT, _BOTTOM_RIGHT = (
    (250, 20, 20),
    (20, 250, 20),
    (20, 20, 250),
    (230, 230, 30),
)


SAMPLES = Path(__file__).resolve().parents[3] / "data" / "pictures"


@pytest.fixture
def scene() -> Image.Image:
    """A picture of 48 x 32 pixels with a different colour in each quarter."""
    pixels = np.zeros((32, 48, 3), dtype=np.uint8)
    pixels[:16, :24], pixels[:16, 24:] = _TOP_LEFT, _TOP_RIGHT
    pixels[16:, :24], pixels[16:, 24:] = _BOTTOM_LEFT, _BOTTOM_RIGHT
    return Image.fromarray(pixels)


def _difference(left: Image.Image, right: Image.Image) -> int:
    assert left.size == right.size
    return int(np.abs(np.asarray(left.convert("RGB"), int) - np.asarray(right.convert("RGB"), int)).max())


def _mean_difference(left: Image.Image, right: Image.Image) -> float:
    return float(np.abs(np.asarray(left, int) - np.asarray(right, int)).mean())


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("GIF", {}, 8),
        ("JPEG", {"quality": 95, "subsampling": 0}, 12),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 12),
    ],
)
def test_every_format_gives_the_same_picture(
    encode: Encode, scene: Image.Image, kind: str, options: dict[str, Any], tolerance: int
) -> None:
    picture = decode_image(encode(scene, kind, **options))
    assert picture.mode == "RGB"
    assert _difference(picture, scene) <= tolerance


# How a camera transposes the picture for each EXIF orientation.
_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", _STORED)
@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 95, "subsampling": 0}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})],
)
def test_pictures_come_out_upright(
    encode: Encode, scene: Image.Image, kind: str, options: dict[str, Any], orientation: int
) -> None:
    step = _STORED[orientation]
    stored = scene if step is None else scene.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert _difference(decode_image(encode(stored, kind, exif=exif, **options)), scene) <= 12


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_invalid_orientation_is_ignored(encode: Encode, scene: Image.Image, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert _difference(decode_image(encode(scene, exif=exif)), scene) == 0


@pytest.mark.filterwarnings("ignore:Tag data larger than file:UserWarning", "ignore:Truncated File Read")
@pytest.mark.parametrize("orientation", [1, 6])
def test_damaged_exif_is_ignored(encode: Encode, scene: Image.Image, orientation: int) -> None:
    entries = [
        struct.pack("<HHII", 0x010F, 2, 0xFFFFFF, 0x7FFFFFFF),  # manufacturer: an offset outside the file
        struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0),
        struct.pack("<HHII", 0x011A, 5, 1, 0xFFFFFFF0),  # resolution: an offset outside the file
        struct.pack("<HHII", 0x8769, 4, 1, 0xFFFFFFF0),
    ]
    block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    stored = scene if orientation == 1 else scene.transpose(Image.Transpose.ROTATE_90)
    content = encode(stored, "JPEG", quality=95, subsampling=0, exif=block)
    assert _difference(decode_image(content), scene) <= 12


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("1", "L"),
        ("L", "L"),
        ("P", "RGB"),
        ("LA", "RGBA"),
        ("RGBA", "RGBA"),
        ("CMYK", "RGB"),
        ("YCbCr", "RGB"),
    ],
)
def test_every_mode_comes_out_with_eight_bits(
    encode: Encode, scene: Image.Image, mode: str, expected: str
) -> None:
    kind = {"CMYK": "TIFF", "YCbCr": "TIFF"}.get(mode, "PNG")
    picture = decode_image(encode(scene.convert(mode), kind))
    assert picture.mode == expected
    wanted = scene.convert(mode).convert("RGB")
    assert _difference(picture, wanted) <= 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight(encode: Encode, kind: str) -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    picture = decode_image(encode(Image.fromarray(levels), kind))
    assert picture.mode == "L"
    found = np.asarray(picture).astype(int)
    assert np.abs(found - levels / 257).max() < 1
    assert (found[0, 0], found[255, 255]) == (0, 255)


@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_every_level_of_eight_bits_survives_sixteen(encode: Encode, level: int) -> None:
    sixteen = np.full((8, 8), level * 257, dtype=np.uint16)
    sixteen[0, 0] = 65535
    assert np.all(np.asarray(decode_image(encode(Image.fromarray(sixteen))))[1:] == level)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_files_of_sixteen_bits_with_fewer_are_not_dark(encode: Encode, kind: str, bits: int) -> None:
    levels = np.linspace(0, 2**bits - 1, 64 * 64).round().astype(np.uint16).reshape(64, 64)
    found = np.asarray(decode_image(encode(Image.fromarray(levels), kind)))
    assert np.abs(found - levels * 255.0 / (2**bits - 1)).max() <= 0.51


def test_levels_of_more_than_sixteen_bits_are_scaled_to_the_highest(encode: Encode) -> None:
    levels = np.array([[-5, 0, 400_000, 1_000_000]], dtype=np.int32)
    assert np.asarray(decode_image(encode(Image.fromarray(levels), "TIFF"))).tolist() == [[0, 0, 102, 255]]


def test_a_transparent_colour_of_a_palette_is_transparent(encode: Encode) -> None:
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(1, (2, 2, 6, 6))
    for kind in ("PNG", "GIF"):
        found = np.asarray(decode_image(encode(picture, kind, transparency=0)))
        assert found.shape == (8, 8, 4)
        assert found[0, 0, 3] == 0
        assert tuple(found[4, 4]) == (0, 0, 255, 255)


def test_a_transparent_grey_is_transparent(encode: Encode) -> None:
    found = np.asarray(decode_image(encode(Image.new("L", (4, 4), 7), transparency=7)))
    assert found.shape == (4, 4, 4)
    assert np.all(found[..., 3] == 0)


@pytest.mark.parametrize("adobe", [True, False])
def test_a_cmyk_jpeg_has_the_colours_it_was_made_with(encode: Encode, adobe: bool) -> None:
    # Photoshop stores CMYK inverted and marks it with an Adobe segment, which Pillow writes too.
    content = encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    if not adobe:
        start = content.index(b"\xff\xee")
        length = struct.unpack(">H", content[start + 2 : start + 4])[0]
        content = content[:start] + content[start + 2 + length :]
    red, green, blue = np.asarray(decode_image(content))[8, 8].astype(int)
    assert (red > 240, green < 15, blue < 15) == (True, True, True)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_an_animation_is_decoded(encode: Encode, kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "lime", "blue")]
    content = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    assert tuple(np.asarray(decode_image(content).convert("RGB"))[10, 10] // 250) == (1, 0, 0)


def test_first_picture_of_an_mpo_file_is_decoded(encode: Encode) -> None:
    first, second = Image.new("RGB", (48, 32), "red"), Image.new("RGB", (48, 32), "blue")
    content = encode(first, "MPO", save_all=True, append_images=[second], quality=95)
    assert _difference(decode_image(content), first) <= 3


def test_a_heic_photo_that_a_phone_has_turned_is_upright() -> None:
    heic, jpeg = ((SAMPLES / f"cat.{kind}").read_bytes() for kind in ("heic", "jpg"))
    picture = decode_image(heic)
    assert picture.mode == "RGB"
    assert _mean_difference(picture, decode_image(jpeg)) < 4
    for end in range(0, len(heic), 100):
        with pytest.raises(DamagedImage):
            decode_image(heic[:end])


def test_a_heic_photo_without_its_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    with pytest.raises(DamagedImage, match=r"needs the package pillow-heif; .* send a JPEG"):
        decode_image((SAMPLES / "cat.heic").read_bytes())


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_avif_is_read(encode: Encode, scene: Image.Image, mode: str) -> None:
    stored = scene.convert(mode)
    if mode == "RGBA":
        stored.putalpha(Image.linear_gradient("L").resize(scene.size))
    picture = decode_image(encode(stored, "AVIF", quality=95, subsampling="4:4:4"))
    assert picture.mode == ("RGBA" if mode == "RGBA" else "RGB")
    assert _difference(picture.convert("RGB"), stored.convert("RGB")) <= 24


def test_colour_of_transparent_pixels_is_not_averaged(encode: Encode) -> None:
    stored = Image.new("RGBA", (4400, 4400), (255, 255, 255, 0))
    stored.paste((0, 0, 0, 255), (1, 1, 3001, 3001))
    found = np.asarray(decode_image(encode(stored, compress_level=1)))
    assert found.shape == (2200, 2200, 4)
    assert found[..., 0][found[..., 3] > 0].max() == 0


def test_floating_point_pixels_are_rejected(encode: Encode) -> None:
    with pytest.raises(DamagedImage, match="floating-point"):
        decode_image(encode(Image.fromarray(np.ones((9, 9), np.float32)), "TIFF"))


def test_libtiff_is_silent_if_the_application_wants_that() -> None:
    # A field of the file is given another number, so that a required one is missing.
    program = """
import io, sys
from PIL import Image
from service.inference.errors import DamagedImage
from service.inference.preprocessing import decoding
if sys.argv[1:]:
    decoding.silence_libtiff()
stream = io.BytesIO()
Image.new("L", (9, 9)).save(stream, "TIFF", compression="tiff_lzw")
strip_offsets = (273).to_bytes(2, sys.byteorder)
try:
    decoding.decode_image(stream.getvalue().replace(strip_offsets, b"\\x00\\x80", 1))
except DamagedImage:
    print("damaged")
"""

    def run(*arguments: str) -> tuple[str, str]:
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.strip(), done.stderr

    assert "StripOffsets" in run()[1]
    assert run("silent") == ("damaged", "")
