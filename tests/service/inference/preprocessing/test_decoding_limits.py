"""Pictures that would take too much memory or time are refused before they are decoded, or are reduced."""

import math
import struct
import subprocess
import sys
import time
import tracemalloc
import warnings
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from service.inference.errors import DamagedImage, InputTooLarge
from service.inference.preprocessing import decode_image
from service.inference.preprocessing.decoding import decoding_memory, load_image, open_image

Encode = Callable[..., bytes]
SCENE = Image.linear_gradient("L").convert("RGB").resize((48, 32))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(chunks) + _chunk(b"IEND", b"")


def _bombs() -> dict[str, bytes]:
    bmp = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 50_000, 50_000, 1, 24, 0, 0, 0, 0, 0, 0)
    gif = b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0) + b"\x2c" + bytes(20)
    return {
        "PNG": _png(50_000, 50_000, _chunk(b"IDAT", zlib.compress(bytes(10_000)))),
        "BMP": bmp,
        "GIF": gif,
    }


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_decompression_bomb_is_rejected_by_its_header(kind: str) -> None:
    content = _bombs()[kind]
    tracemalloc.start()
    started = time.perf_counter()
    with pytest.raises(InputTooLarge, match=r"50000 x 50000|60000 x 60000"):
        decode_image(content)
    elapsed, (_, peak) = time.perf_counter() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert elapsed < 3
    assert peak < 5_000_000


def test_pillows_limit_of_the_process_is_unchanged() -> None:
    program = (
        "import io; from PIL import Image; before = Image.MAX_IMAGE_PIXELS; "
        "from service.inference.preprocessing import decode_image; "
        "stream = io.BytesIO(); Image.new('L', (9, 9)).save(stream, 'GIF'); decode_image(stream.getvalue()); "
        "assert before and Image.MAX_IMAGE_PIXELS == before"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_only_max_pixels_limits_the_size(encode: Encode, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode(SCENE.convert("P") if kind == "PNG" else SCENE, kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode_image(content).size == SCENE.size


@pytest.mark.parametrize("kind", ["WEBP", "TIFF"])
def test_files_above_pillows_limit_are_too_large(
    encode: Encode, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = encode(SCENE, kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(InputTooLarge, match="1536 pixels"):
        decode_image(content)


def test_decompression_bomb_in_a_text_chunk_is_rejected(encode: Encode) -> None:
    bomb = _chunk(b"zTXt", b"comment\0\0" + zlib.compress(bytes(100_000_000)))
    body = _chunk(b"IDAT", zlib.compress(bytes(4 * 13)))
    with pytest.raises(DamagedImage):
        decode_image(_png(4, 4, bomb, body))


@pytest.mark.parametrize(("limit", "fits"), [(48 * 32, True), (48 * 32 - 1, False)])
def test_the_limit_is_on_width_times_height(encode: Encode, limit: int, fits: bool) -> None:
    content = encode(SCENE)
    if fits:
        assert decode_image(content, max_pixels=limit).size == (48, 32)
    else:
        with pytest.raises(InputTooLarge, match=f"more than {limit}"):
            decode_image(content, max_pixels=limit)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3999), (4000, 3999)),
        ((6000, 6000), (2000, 2000)),
        ((5000, 4001), (2500, 2001)),
        ((2, 10**7), (1, 5 * 10**6)),
    ],
)
def test_very_large_pictures_are_reduced(
    encode: Encode, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    stored = Image.new("L", size, 255)
    stored.paste(0, (0, 0, size[0], size[1] // 2))
    picture = decode_image(encode(stored, "BMP"))
    assert picture.size == expected
    histogram = picture.histogram()
    assert histogram[0] + histogram[255] == expected[0] * expected[1]
    assert abs(histogram[0] - histogram[255]) <= 2 * expected[0]


def test_a_jpeg_file_above_the_limit_is_decoded_at_a_reduced_scale(encode: Encode) -> None:
    large = SCENE.resize((640, 480))
    content = encode(large, "JPEG", quality=95)
    for factor, max_pixels in ((2, 320 * 240), (4, 320 * 240 - 1)):
        picture = decode_image(content, max_pixels=max_pixels)
        assert picture.size == (640 // factor, 480 // factor)
        change = np.asarray(picture, int) - np.asarray(large.resize(picture.size), int)
        assert np.abs(change).mean() < 1
    with pytest.raises(InputTooLarge, match="640 x 480"):
        decode_image(content, max_pixels=640 * 480 // 5 - 1)  # more than five times the limit
    for other in (encode(large, "JPEG", progressive=True), encode(large, "PNG")):
        with pytest.raises(InputTooLarge, match="640 x 480"):
            decode_image(other, max_pixels=320 * 240)
    with pytest.raises(InputTooLarge):
        open_image(content, max_pixels=320 * 240, reduce_jpeg=False)


def test_a_file_of_very_many_parts_is_rejected(encode: Encode) -> None:
    png, jpeg = encode(Image.new("L", (9, 9), 9)), encode(Image.new("L", (9, 9), 9), "JPEG")
    chunk = struct.pack(">I4sI", 0, b"abCd", zlib.crc32(b"abCd"))
    for start, part, rest in ((png[:33], chunk, png[33:]), (jpeg[:2], b"\xff\xfe\x00\x02", jpeg[2:])):
        assert decode_image(start + part * 100 + rest).size == (9, 9)
        with pytest.raises(DamagedImage, match="too many parts"):
            decode_image(start + part * 100_000 + rest)


def _tiled(size: tuple[int, int], tile: tuple[int, int], *, level: int = 9) -> bytes:
    """Return a grey TIFF file of tiles, all of which are the same data of the file."""
    columns, rows = (-(-side // tiled) for side, tiled in zip(size, tile, strict=True))
    content = zlib.compress(bytes([level]) * math.prod(tile))
    count = columns * rows
    # Width, height, bits, deflate, black is 0, channels, width and height of a tile, places, lengths.
    tags = {256: size[0], 257: size[1], 258: 8, 259: 8, 262: 1, 277: 1, 322: tile[0], 323: tile[1]}
    start = 8 + 2 + 12 * (len(tags) + 2) + 4
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()]
    lists = b""
    for tag, value in ((324, start + 8 * count), (325, len(content))):
        entries.append(struct.pack("<HHII", tag, 4, count, value if count == 1 else start + len(lists)))
        lists += struct.pack("<I", value) * count
    if count == 1:
        entries[-2] = struct.pack("<HHII", 324, 4, 1, start + 8)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4) + lists + content


def test_the_tiles_of_a_tiff_file_count(encode: Encode) -> None:
    small = _tiled((100, 40), (32, 16))
    assert np.all(np.asarray(decode_image(small, max_pixels=128 * 48)) == 9)
    with pytest.raises(InputTooLarge, match="100 x 40 pixels in tiles of 6144 pixels, more than 6143"):
        decode_image(small, max_pixels=128 * 48 - 1)
    # One large tile, and many wide ones, in a few kilobytes.
    for size, tile in (((100, 100), (4096, 4096)), ((16, 4096), (4096, 16))):
        opened = open_image(_tiled(size, tile))
        assert decoding_memory(opened) > 8 * 4096 * 4000
        with pytest.raises(InputTooLarge, match="in tiles of 16777216 pixels"):
            open_image(_tiled(size, tile), max_pixels=4096 * 4000)


def _with_scans(jpeg: bytes, repetitions: int) -> bytes:
    """Return a JPEG file with its last scan several times more."""
    return jpeg[:-2] + jpeg[jpeg.rfind(b"\xff\xda") : -2] * repetitions + jpeg[-2:]


def test_a_jpeg_file_of_very_many_scans_is_rejected(encode: Encode) -> None:
    progressive = encode(SCENE.convert("L"), "JPEG", progressive=True)
    assert decode_image(_with_scans(progressive, 50)).size == SCENE.size
    with pytest.raises(DamagedImage, match="more scans than any program writes"):
        decode_image(_with_scans(progressive, 64))


@pytest.mark.parametrize("where", ["in a comment", "after the picture", "within a scan"])
def test_what_only_looks_like_scans_does_not_count(encode: Encode, where: str) -> None:
    jpeg, scans = encode(SCENE, "JPEG"), b"\xff\xda\0\2" * 100
    if where == "in a comment":
        jpeg = jpeg[:2] + b"\xff\xfe" + (len(scans) + 2).to_bytes(2) + scans + jpeg[2:]
    elif where == "after the picture":  # as the film of a phone's photo
        jpeg += scans
    else:
        noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
        jpeg = encode(Image.fromarray(noise), "JPEG", quality=100, restart_marker_rows=1)
        assert jpeg.count(b"\xff\xd0") > 0
    assert decode_image(jpeg).mode == "RGB"


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I"])
@pytest.mark.parametrize("side", [100, 4200])
def test_the_memory_of_a_picture_is_known_before_it_is_decoded(encode: Encode, mode: str, side: int) -> None:
    opened = open_image(encode(Image.new(mode, (side, side)), "JPEG" if mode == "CMYK" else "TIFF"))
    per_pixel = decoding_memory(opened) / side**2
    # The pixels alone take one to four bytes; reduced pictures take less for what follows.
    assert (11 if side == 100 else 4) <= per_pixel <= 23
    assert load_image(opened).width == (side if side == 100 else side // 2)
