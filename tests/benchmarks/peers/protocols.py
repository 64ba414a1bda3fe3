"""Builds the same request in each protocol, and checks the label in each response."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

_DATA = Path(__file__).resolve().parents[2] / "data"
_BOUNDARY = "lectern-bench"
# Random labels reach 0.1; a network that works reaches 0.99.
_MIN_ACCURACY = 0.95


@dataclass(frozen=True)
class Payload:
    """Body and headers of a request, and the check of its response.

    Attributes:
        body: Empty for a GET request.
        headers: All but Host and Content-Length.
        pictures: Number of pictures in the body.
        is_correct: Returns whether the body of a response has the right label for each picture.
    """

    body: bytes
    headers: tuple[tuple[str, str], ...]
    pictures: int
    is_correct: Callable[[bytes], bool]


@dataclass(frozen=True)
class Digits:
    """MNIST test digits.

    Attributes:
        pixels: uint8 (500, 28, 28).
        labels: int64 (500,).
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    @classmethod
    def load(cls) -> "Digits":
        """Load the sample of the tests."""
        with np.load(_DATA / "mnist.npz") as arrays:
            return cls(arrays["x"], arrays["y"])

    def png(self) -> Payload:
        """Return the first digit as a PNG file."""
        return Payload(_png(self.pixels[0]), (("Content-Type", "image/png"),), 1, self._has_label)

    def drawing(self) -> Payload:
        """Return the first digit as a drawing of 280 x 280 pixels, as an RGB PNG file."""
        drawing = Image.fromarray(self.pixels[0]).resize((280, 280), Image.Resampling.BICUBIC)
        body = _png(np.asarray(drawing.convert("RGB")))
        return Payload(body, (("Content-Type", "image/png"),), 1, self._has_label)

    def form(self, field: str) -> Payload:
        """Return the first digit as a PNG file in a multipart form."""
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="digit.png"\r\n'
            "Content-Type: image/png\r\n\r\n"
        )
        body = head.encode() + _png(self.pixels[0]) + f"\r\n--{_BOUNDARY}--\r\n".encode()
        content_type = f"multipart/form-data; boundary={_BOUNDARY}"
        return Payload(body, (("Content-Type", content_type),), 1, self._has_label)

    def oip_json(self) -> Payload:
        """Return the first digit as a JSON tensor of the Open Inference Protocol."""
        tensor = _tensor(self.pixels[:1]) | {"data": self.pixels[0].ravel().tolist()}
        body = json.dumps({"inputs": [tensor]}).encode()
        return Payload(body, (("Content-Type", "application/json"),), 1, self._has_json_tensor)

    def oip_binary(self, count: int) -> Payload:
        """Return the first ``count`` digits as a binary tensor, for a binary response."""
        return _oip_binary(self.pixels[:count], self.labels[:count])

    def _has_label(self, response: bytes) -> bool:
        return _best_label(json.loads(response)) == str(self.labels[0])

    def _has_json_tensor(self, response: bytes) -> bool:
        scores = np.array(json.loads(response)["outputs"][0]["data"])
        return int(scores.argmax()) == int(self.labels[0])


def cat_tensor(side: int) -> Payload:
    """Return a cat as a binary tensor of ``side`` x ``side`` pixels."""
    photo = Image.open(io.BytesIO(_cat())).convert("RGB").resize((side, side))
    return _oip_binary(np.asarray(photo)[np.newaxis], np.zeros(1, np.int64))


def cat_jpeg() -> Payload:
    """Return a cat as a JPEG file."""
    headers = (("Content-Type", "image/jpeg"),)
    return Payload(_cat(), headers, 1, lambda response: _best_label(json.loads(response)) == "cat")


def empty() -> Payload:
    """Return the payload of a GET request."""
    return Payload(b"", (), 0, lambda response: True)


def _cat() -> bytes:
    return (_DATA / "pictures" / "cat.jpg").read_bytes()


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _tensor(pixels: npt.NDArray[np.uint8]) -> dict[str, Any]:
    return {"name": "image", "datatype": "UINT8", "shape": list(pixels.shape)}


def _oip_binary(pixels: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> Payload:
    data = pixels.tobytes()
    tensor = _tensor(pixels) | {"parameters": {"binary_data_size": len(data)}}
    document = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    head = json.dumps(document).encode()
    headers = (
        ("Content-Type", "application/octet-stream"),
        ("Inference-Header-Content-Length", str(len(head))),
    )

    def is_correct(response: bytes) -> bool:
        # The tensor follows the JSON: float32 rows. (A header has the length of the JSON.)
        classes = json.JSONDecoder().raw_decode(response.decode("latin-1"))[0]["outputs"][0]["shape"][1]
        rows = np.frombuffer(response[-4 * classes * len(labels) :], "<f4").reshape(len(labels), classes)
        return float(np.mean(rows.argmax(axis=1) == labels)) > _MIN_ACCURACY

    return Payload(head + data, headers, len(labels), is_correct)


def _best_label(document: Any) -> str:
    """Return the best label of any response: rows of label and score, a dict of scores, or a label."""
    if isinstance(document, list) and document and "label" in document[0]:
        return str(document[0]["label"])
    if isinstance(document, list):
        document = document[0]
    if "label" in document:
        return str(document["label"])
    return max(document, key=lambda label: document[label])
