"""Reads bytes as the server reads a request, for fuzzers.

Each target raises one of ``REFUSALS`` if the client would get an error. Any other exception is a fault.
"""

import asyncio
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from service.inference.card import Card, read_card
from service.inference.catalog import BUNDLED
from service.inference.errors import BlankImage, LecternError
from service.inference.preprocessing import decode_image, picture_preparation
from service.server.execution.engine import Engine
from service.server.pipeline.errors import RequestError
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common.prediction_body import read_prediction
from service.server.protocols.oip.grpc_infer import read_message
from service.server.protocols.oip.inference_pb2 import ModelInferRequest
from service.server.protocols.oip.request import json_length, read_infer
from service.server.protocols.tfserving.request import read_predict
from service.settings import Settings

MAX_BATCH = 4
MAX_PIXELS = 100_000
_SIDE = 32
_PREPARATIONS = [picture_preparation(kind, size=_SIDE) for kind in ("digit", "garment", "photo")]
# One card for each shape and type of tensor.
CARDS = [read_card(BUNDLED / name / "1" / "card.json") for name in ("mnist", "cifar10", "imdb")]
# For its threads; it has no models.
_ENGINE = Engine(Settings())
REFUSALS = (RequestError, LecternError, DecodeError)


def read_picture(data: bytes) -> None:
    """Decode a picture file, and prepare it as each kind of network needs it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damaged metadata.
        picture = decode_image(data, max_pixels=MAX_PIXELS)
    assert picture.mode in ("L", "RGB", "RGBA")
    for prepare in _PREPARATIONS:
        with suppress(BlankImage):
            pixels = prepare(picture)
            assert pixels.dtype == np.uint8
            assert pixels.shape in ((28, 28), (_SIDE, _SIDE, 3))


def read_tensor(data: bytes) -> None:
    """Read an inference request of the Open Inference Protocol.

    Args:
        data: One byte for the model, two for the length of the JSON, and the body.
    """
    card, length, body = _card(data), int.from_bytes(data[1:3], "little"), data[3:]
    size = json_length(str(length), body)
    _check_content(read_infer(body, size, card=card, max_batch=MAX_BATCH, note_id=_ignore).content, card)


def read_call(data: bytes) -> None:
    """Read an inference request over gRPC: one byte for the model, and the message."""
    card = _card(data)
    message = ModelInferRequest.FromString(data[1:])
    _check_content(read_message(message, card=card, max_batch=MAX_BATCH).content, card)


def read_rows(data: bytes) -> None:
    """Read a request of TensorFlow Serving's protocol: one byte for the model, and the body."""
    card = _card(data)
    _check_content(read_predict(data[1:], card=card, max_batch=MAX_BATCH).content, card)


def read_form(data: bytes) -> None:
    """Read a body of ``/models``: one byte for the model, a line with the content type, and the body."""
    card, (kind, _, body) = _card(data), data[1:].partition(b"\n")
    scope = {"type": "http", "query_string": b"", "headers": [(b"content-type", kind)]}
    request = read_prediction(BufferedRequest(scope, body), _ENGINE, card=card, max_batch=MAX_BATCH)
    _check_content(asyncio.run(request).content, card)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "picture": read_picture,
    "tensor": read_tensor,
    "call": read_call,
    "rows": read_rows,
    "form": read_form,
}


def _ignore(body_id: str | int) -> None:
    """Stand for the server, which repeats the id of a request in its errors."""


def _card(data: bytes) -> Card:
    return CARDS[(data[0] if data else 0) % len(CARDS)]


def _check_content(content: np.ndarray[Any, Any] | Sequence[bytes | str], card: Card) -> None:
    """Check that a network takes the batch, or the preparation its inputs."""
    assert 1 <= len(content) <= MAX_BATCH
    if not isinstance(content, np.ndarray):
        kind = str if card.task == "text-classification" else bytes
        assert all(isinstance(value, kind) for value in content)
        return
    spec = card.input
    assert content.dtype == spec.dtype
    assert content.flags.aligned
    assert content.flags.c_contiguous
    assert content.ndim == len(spec.shape)
    assert all(want in (-1, size) for size, want in zip(content.shape, spec.shape, strict=True))
    assert content.size
    assert content.min() >= 0
    assert content.max() <= spec.parameters.get("words", 255)
