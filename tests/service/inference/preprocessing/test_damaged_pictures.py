"""Files that are cut off or are no pictures are refused, and the refusal says what they are."""

import io
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image

from service.inference.errors import DamagedImage
from service.inference.preprocessing import decode_image

Encode = Callable[..., bytes]
PICTURE = Image.linear_gradient("L").convert("RGB").resize((200, 150))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_truncated_picture_is_damaged(encode: Encode, kind: str) -> None:
    content = encode(PICTURE, kind)
    for end in (1, 8, 20, len(content) // 4, len(content) // 2, len(content) * 3 // 4):
        with pytest.raises(DamagedImage):
            decode_image(content[:end])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF"])
def test_a_picture_whose_end_is_missing_is_called_incomplete(encode: Encode, kind: str) -> None:
    content = encode(PICTURE, kind)
    with pytest.raises(DamagedImage, match="the picture is incomplete"):
        decode_image(content[: len(content) // 2])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_a_picture_of_its_first_bytes_alone_is_called_incomplete(encode: Encode, kind: str) -> None:
    with pytest.raises(DamagedImage, match="the picture is incomplete"):
        decode_image(encode(PICTURE, kind)[:8])


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("digit.png", b"x" * 100)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"hello",
        b"<!doctype html><title>404</title>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\x80\x04\x95\x0c\0\0\0\0\0\0\0\x8c\x08builtins.",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a" + bytes(20),
        b"BM" + b"\xff" * 60,
        b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(30),
        b"II*\0\x08\0\0\0\xff\xff",
        b"P6 2 2 255 " + bytes(12),
        bytes(range(256)) * 40,
        _zip(),
    ],
    ids=lambda content: repr(content[:10]),  # the time in a zip archive comes after them
)
def test_other_files_are_damaged_pictures(content: bytes) -> None:
    with pytest.raises(DamagedImage) as raised:
        decode_image(content)
    assert "PNG" in str(raised.value)


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"%PDF-1.7", "a PDF document"),
        (b" \n<!DOCTYPE html><html>", "an HTML page"),
        (b"<svg xmlns=", "an SVG drawing"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL file"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "a PostScript file"),
        (b"gimp xcf v011", "a GIMP file"),
        (b"\x76\x2f\x31\x01", "an OpenEXR file"),
        (b"\x1aE\xdf\xa3", "a video file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
        (b"FUJIFILMCCD-RAW", "a raw photo of a camera"),
        (b"\0" * 128 + b"DICM", "a DICOM file"),
        (b"SIMPLE  =                    T", "a FITS file"),
        (b"\x01\xda\0\1", "an SGI picture"),
        (b"\n\x05\x01\x08", "a PCX file"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video or audio"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "video or audio"),
        (b"PK\x03\x04\x14", "a ZIP archive"),
    ],
)
def test_the_format_of_a_file_that_is_not_read_is_named(start: bytes, name: str) -> None:
    with pytest.raises(DamagedImage, match=f"{name}.*; send a PNG, JPEG, .* AVIF or HEIC file"):
        decode_image(start + bytes(200))


def test_a_tga_file_is_named(encode: Encode) -> None:
    with pytest.raises(DamagedImage, match="the file is a TGA file"):
        decode_image(encode(Image.new("L", (9, 9), 9), "TGA"))
