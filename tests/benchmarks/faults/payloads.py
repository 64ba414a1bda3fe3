"""Makes the bodies that the scenarios send: photos, large uploads, damaged pictures."""

import io
import zlib
from functools import cache

from faults.client import Call
from peers.protocols import Digits, Payload, cat_jpeg, empty
from PIL import Image

_BOUNDARY = "lectern-bench"
_PHOTO_SIZE = (1600, 1200)
_UPLOAD_SIDE = 2230  # 15 MB with three bytes a pixel
_HUGE_SIZE = (8000, 5000)  # 40 megapixels, the default of LECTERN_MAX_PIXELS
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def livez() -> Call:
    """Return a probe."""
    return Call("livez", "/livez", empty())


def digit() -> Call:
    """Return a digit as a PNG file, which takes a fraction of a millisecond."""
    return Call("digit", "/models/mnist", Digits.load().png())


@cache
def photo() -> Call:
    """Return a photo of 2 megapixels, which takes tens of milliseconds."""
    photo = Image.open(io.BytesIO(cat_jpeg().body)).convert("RGB").resize(_PHOTO_SIZE)
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=60)
    headers = (("Content-Type", "image/jpeg"),)
    return Call(
        "photo", "/models/cats_vs_dogs", Payload(stream.getvalue(), headers, 1, cat_jpeg().is_correct)
    )


@cache
def upload(*, form: bool) -> Call:
    """Return a picture file of 15 MB, as the body or in a form."""
    stream = io.BytesIO()
    picture = Image.effect_mandelbrot((_UPLOAD_SIDE, _UPLOAD_SIDE), (-3, -2.5, 2, 2.5), 100).convert("RGB")
    picture.save(stream, "PNG", compress_level=0)
    body, content_type = stream.getvalue(), "image/png"
    if form:
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="large.png"\r\n'
            f"Content-Type: image/png\r\n\r\n"
        )
        body = head.encode() + body + f"\r\n--{_BOUNDARY}--\r\n".encode()
        content_type = f"multipart/form-data; boundary={_BOUNDARY}"
    payload = Payload(body, (("Content-Type", content_type),), 1, lambda response: b"label" in response)
    return Call("upload", "/models/cats_vs_dogs", payload)


@cache
def damaged_picture() -> Call:
    """Return a PNG file that ends too early: 40 megapixels by its header, about 130 KB."""
    width, height = _HUGE_SIZE
    pixels = zlib.compress(bytes(height * (1 + 3 * width)), 6)
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    body = _PNG_SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels)[:-1000]
    payload = Payload(body, (("Content-Type", "image/png"),), 1, bool)
    return Call("damaged picture", "/models/cats_vs_dogs", payload, status=422)


def mixed() -> list[Call]:
    """Return good and bad requests of several kinds."""
    text = Payload(
        b"A wonderful little film.", (("Content-Type", "text/plain"),), 1, lambda body: b"positive" in body
    )
    cut = Payload(photo().payload.body[:20_000], (("Content-Type", "image/jpeg"),), 1, bool)
    tensor = Payload(b'{"inputs": [{"name": "image"', (("Content-Type", "application/json"),), 1, bool)
    return [
        photo(),
        digit(),
        Call("text", "/models/imdb", text),
        Call("cut photo", "/models/cats_vs_dogs", cut, status=422),
        photo(),
        digit(),
        Call("no JSON", "/v2/models/mnist/infer", tensor, status=400),
        Call("no model", "/models/nowhere", cut, status=404),
        livez(),
    ]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)
