"""Owns what is sent: the same picture in each dialect, and reading the label out of each answer."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_DATA = Path(__file__).resolve().parents[2] / "data"
_BOUNDARY = "lectern-bench"


@dataclass(frozen=True)
class Post:
    """One request as bytes.

    Attributes:
        body: Empty for a GET.
        headers: Besides Host and Content-Length.
        pictures: How many are classified by it.
        is_right: Whether an answer's body names the right label for each.
    """

    body: bytes
    headers: tuple[tuple[str, str], ...]
    pictures: int
    is_right: Callable[[bytes], bool]


@dataclass(frozen=True)
class Digits:
    """Real MNIST test digits, uint8 (500, 28, 28), and their labels (500,)."""

    pixels: np.ndarray
    labels: np.ndarray

    @classmethod
    def read(cls) -> "Digits":
        """Read those that the tests use."""
        with np.load(_DATA / "mnist.npz") as arrays:
            return cls(arrays["x"], arrays["y"])

    def png(self) -> Post:
        """Return the first digit as a PNG file."""
        return Post(_png(self.pixels[0]), (("Content-Type", "image/png"),), 1, self._says_label)

    def form(self, field: str) -> Post:
        """Return the first digit as a PNG file in a form."""
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="digit.png"\r\n'
            "Content-Type: image/png\r\n\r\n"
        )
        body = head.encode() + _png(self.pixels[0]) + f"\r\n--{_BOUNDARY}--\r\n".encode()
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        return Post(body, (("Content-Type", kind),), 1, self._says_label)

    def oip_json(self) -> Post:
        """Return the first digit as a tensor in JSON."""
        tensor = _tensor(self.pixels[:1]) | {"data": self.pixels[0].ravel().tolist()}
        body = json.dumps({"inputs": [tensor]}).encode()
        return Post(body, (("Content-Type", "application/json"),), 1, self._says_json_tensor)

    def oip_binary(self, count: int) -> Post:
        """Return the first ``count`` digits as a binary tensor, the answer wanted as one too."""
        return _oip_binary(self.pixels[:count], self.labels[:count])

    def _says_label(self, answer: bytes) -> bool:
        return _best_label(json.loads(answer)) == str(self.labels[0])

    def _says_json_tensor(self, answer: bytes) -> bool:
        scores = np.array(json.loads(answer)["outputs"][0]["data"])
        return int(scores.argmax()) == int(self.labels[0])


def cat_tensor(side: int) -> Post:
    """Return a cat as a binary tensor of ``side`` x ``side`` pixels."""
    photo = Image.open(io.BytesIO(_cat())).convert("RGB").resize((side, side))
    return _oip_binary(np.asarray(photo)[np.newaxis], np.zeros(1, int))


def cat_jpeg() -> Post:
    """Return a cat as a JPEG file."""
    headers = (("Content-Type", "image/jpeg"),)
    return Post(_cat(), headers, 1, lambda answer: _best_label(json.loads(answer)) == "cat")


def nothing() -> Post:
    """Return a GET."""
    return Post(b"", (), 0, lambda answer: True)


def _cat() -> bytes:
    return (_DATA / "pictures" / "cat.jpg").read_bytes()


def _png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _tensor(pixels: np.ndarray) -> dict[str, Any]:
    return {"name": "image", "datatype": "UINT8", "shape": list(pixels.shape)}


def _oip_binary(pixels: np.ndarray, labels: np.ndarray) -> Post:
    data = pixels.tobytes()
    tensor = _tensor(pixels) | {"parameters": {"binary_data_size": len(data)}}
    document = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    head = json.dumps(document).encode()
    headers = (
        ("Content-Type", "application/octet-stream"),
        ("Inference-Header-Content-Length", str(len(head))),
    )

    def is_right(answer: bytes) -> bool:
        # The JSON's length is in a header; the tensor is all that comes after it, float32 rows.
        classes = json.JSONDecoder().raw_decode(answer.decode("latin-1"))[0]["outputs"][0]["shape"][1]
        rows = np.frombuffer(answer[-4 * classes * len(labels) :], "<f4").reshape(len(labels), classes)
        return float(np.mean(rows.argmax(axis=1) == labels)) > 0.95

    return Post(head + data, headers, len(labels), is_right)


def _best_label(document: Any) -> str:
    """Return the label of any of the answers: rows of label and score, a dict of scores, or a label."""
    if isinstance(document, list) and document and "label" in document[0]:
        return str(document[0]["label"])
    if isinstance(document, list):
        document = document[0]
    if "label" in document:
        return str(document["label"])
    return max(document, key=lambda label: document[label])
