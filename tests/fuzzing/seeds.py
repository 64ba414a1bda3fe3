"""Valid requests for each fuzz target, from which fuzzers start."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_targets import CARDS
from PIL import Image

from service.server.protocols.oip.inference_pb2 import ModelInferRequest

_DATA = Path(__file__).resolve().parents[1] / "data"
# Input, datatype and shape of each model in fuzz_targets.CARDS.
_TENSORS = (("image", "UINT8", [1, 28, 28]), ("image", "UINT8", [1, 32, 32, 3]), ("ids", "INT32", [1, 3]))


def _digit() -> np.ndarray[Any, Any]:
    with np.load(_DATA / "mnist.npz") as arrays:
        digit: np.ndarray[Any, Any] = arrays["x"][0]
    return digit


def _numbers(count: int, datatype: str) -> np.ndarray[Any, Any]:
    """Return pixels, or ids of which none repeats."""
    return (np.arange(count) % 256 + 1).clip(max=255).astype(datatype.lower())


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as a file."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def pictures() -> list[bytes]:
    """Return small files of each format, and of the modes and codecs that have code of their own."""
    digit = Image.fromarray(_digit())
    colour, palette = digit.convert("RGB"), digit.convert("P")
    clear = Image.merge("RGBA", [*colour.split(), digit])
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation
    return [
        *(encode(digit, kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")),
        (_DATA / "pictures" / "cat.heic").read_bytes(),
        encode(Image.fromarray(_digit().astype(np.uint16) * 257), "PNG"),
        encode(digit.convert("1"), "PNG"),
        encode(palette, "PNG", transparency=0),
        encode(clear, "PNG", exif=exif),
        encode(clear, "WEBP", lossless=True, exif=exif),
        encode(clear, "TIFF", compression="tiff_adobe_deflate", exif=exif),
        encode(colour, "TIFF", compression="jpeg"),
        encode(digit.convert("1"), "TIFF", compression="group4"),
        encode(colour.convert("CMYK"), "JPEG", exif=exif),
        encode(colour, "JPEG", progressive=True),
        encode(palette, "GIF", save_all=True, append_images=[palette.rotate(90)]),
        encode(palette, "BMP"),
        encode(digit.convert("LA"), "TIFF", compression="packbits"),
    ]


def tensors() -> list[bytes]:
    """Return requests of the Open Inference Protocol over HTTP."""
    found = []
    for index, (name, datatype, shape) in enumerate(_TENSORS):
        count = int(np.prod(shape))
        numbers = _numbers(count, datatype)
        tensor = {"name": name, "datatype": datatype, "shape": shape}
        size = {"parameters": {"binary_data_size": numbers.nbytes}}
        outputs = [{"name": "probabilities", "parameters": {"classification": 2, "binary_data": True}}]
        found.append(_tensor(index, {"inputs": [tensor | size], "outputs": outputs}, numbers.tobytes()))
        found.append(_tensor(index, {"id": "1", "inputs": [tensor | {"data": numbers.tolist()}]}))
        content = _digit_png() if index < 2 else b"a good film"
        element = len(content).to_bytes(4, "little") + content
        words = {"name": name, "datatype": "BYTES", "shape": [1]}
        size = {"parameters": {"binary_data_size": len(element)}}
        found.append(_tensor(index, {"inputs": [words | size]}, element))
        text = base64.b64encode(content).decode() if index < 2 else content.decode()
        found.append(_tensor(index, {"inputs": [words | {"data": [text]}]}))
        found.append(bytes([index, 0, 0]) + numbers.tobytes())
    return found


def calls() -> list[bytes]:
    """Return requests of the Open Inference Protocol over gRPC."""
    found = []
    for index, (name, datatype, shape) in enumerate(_TENSORS):
        numbers = _numbers(int(np.prod(shape)), datatype)
        model = CARDS[index].name
        raw = ModelInferRequest(model_name=model, raw_input_contents=[numbers.tobytes()])
        raw.inputs.add(name=name, datatype=datatype, shape=shape)
        typed = ModelInferRequest(model_name=model, id="1")
        tensor = typed.inputs.add(name=name, datatype=datatype, shape=shape)
        field = tensor.contents.uint_contents if datatype == "UINT8" else tensor.contents.int_contents
        field.extend(numbers.tolist())
        output = typed.outputs.add(name="probabilities")
        output.parameters["classification"].int64_param = 2
        files = ModelInferRequest(model_name=model)
        files.inputs.add(name=name, datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"good")
        found += [bytes([index]) + message.SerializeToString() for message in (raw, typed, files)]
    return found


def rows() -> list[bytes]:
    """Return requests of TensorFlow Serving's protocol."""
    picture = {"b64": base64.b64encode(_digit_png()).decode()}
    documents: list[tuple[int, Any]] = [
        (0, {"instances": [picture, {"image": picture}]}),
        (0, {"signature_name": "serving_default", "inputs": {"image": [[[0] * 28] * 28]}}),
        (1, {"inputs": [[[[1, 2, 3]] * 32] * 32]}),
        (2, {"instances": ["a good film", "a bad film"]}),
        (2, {"inputs": {"ids": [[1, 2, 3]]}}),
    ]
    return [bytes([index]) + json.dumps(document).encode() for index, document in documents]


def forms() -> list[bytes]:
    """Return bodies of ``/models``, with their content types."""
    disposition = b'Content-Disposition: form-data; name="file"; filename="a.png"'
    part = b"--edge\r\n" + disposition + b"\r\nContent-Type: image/png\r\n\r\n" + _digit_png() + b"\r\n"
    field = b'--edge\r\nContent-Disposition: form-data; name="text"\r\n\r\na good film\r\n'
    encoded = base64.b64encode(_digit_png()).decode()
    inputs = json.dumps({"inputs": [encoded], "parameters": {"top_k": 3}}).encode()
    form = b"multipart/form-data; boundary=edge\n"
    return [
        b"\0" + form + part * 2 + b"--edge--\r\n",
        b"\2" + form + field + b"--edge--\r\n",
        b"\0application/json\n" + inputs,
        b"\2application/json\n" + json.dumps({"inputs": ["good", "bad é"]}).encode(),
        b"\0image/png\n" + _digit_png(),
        b"\2text/plain\n" + "A café &amp; <b>films</b> &#8217;twas good".encode(),
    ]


SEEDS = {"picture": pictures, "tensor": tensors, "call": calls, "rows": rows, "form": forms}


def _digit_png() -> bytes:
    return encode(Image.fromarray(_digit()), "PNG")


def _tensor(index: int, document: object, binary: bytes = b"") -> bytes:
    text = json.dumps(document).encode()
    return bytes([index]) + len(text).to_bytes(2, "little") + text + binary
