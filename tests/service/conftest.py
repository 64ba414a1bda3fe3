"""Shared fixtures of the service tests: samples, encoded pictures, small models and the command line."""

import dataclasses
import gzip
import io
import json
import os
import socket
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec.structs
import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw

from service.cli import main
from service.inference.card import Card, QuantizedFile, read_card, write_card
from service.inference.files import sha256_of

Array = npt.NDArray[Any]
Encode = Callable[..., bytes]


@dataclasses.dataclass(frozen=True)
class Sample:
    """Real test examples: inputs of a request, and the index of each label."""

    inputs: tuple[bytes | str, ...]
    labels: tuple[int, ...]


def _encode(picture: Image.Image | Array, kind: str = "PNG", **options: Any) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Encode a picture: ``encode(picture_or_array, "PNG", **options_of_Pillow)``."""
    return _encode


@pytest.fixture(scope="session")
def mnist_digits(data_folder: Path) -> Array:
    """Real MNIST test digits, uint8 (500, 28, 28)."""
    with np.load(data_folder / "mnist.npz") as arrays:
        digits: Array = arrays["x"]
    return digits


@pytest.fixture(scope="session")
def digit_png(mnist_digits: Array) -> bytes:
    """A real digit as a PNG file."""
    return _encode(mnist_digits[0])


@pytest.fixture(scope="session")
def thick_png() -> bytes:
    """A small three that a thick brush has made a blob, as a PNG file."""
    page, brush = Image.new("L", (280, 280), 255), 36
    draw = ImageDraw.Draw(page)
    points = [(108, 102), (124, 100), (130, 110), (112, 118), (131, 126), (124, 140), (106, 137)]
    draw.line(points, fill=0, width=brush)
    for x, y in points:
        draw.ellipse((x - brush / 2, y - brush / 2, x + brush / 2, y + brush / 2), fill=0)
    return _encode(page)


@pytest.fixture(scope="session")
def samples(data_folder: Path) -> Callable[[str], Sample]:
    """Return the sample of a data set by the name of its model."""

    def arrays(name: str) -> Sample:
        with np.load(data_folder / f"{name}.npz") as parts:
            return Sample(tuple(_encode(x) for x in parts["x"]), tuple(int(y) for y in parts["y"]))

    def cats_vs_dogs() -> Sample:
        with zipfile.ZipFile(data_folder / "cats_vs_dogs.zip") as archive:
            names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
            labels = tuple(int("dog" in name.lower()) for name in names)
            return Sample(tuple(archive.read(name) for name in names), labels)

    def imdb() -> Sample:
        with gzip.open(data_folder / "imdb.jsonl.gz", "rt", encoding="utf-8") as stream:
            rows = [json.loads(line) for line in stream]
        return Sample(tuple(row["text"] for row in rows), tuple(int(row["label"]) for row in rows))

    special = {"cats_vs_dogs": cats_vs_dogs, "imdb": imdb}
    return lambda name: special[name]() if name in special else arrays(name)


@pytest.fixture(scope="session")
def mnist_card(models_folder: Path) -> Card:
    """The committed card of mnist 1."""
    return read_card(models_folder / "mnist" / "1" / "card.json")


@pytest.fixture(scope="session")
def tiny_model(mnist_card: Card) -> Callable[..., Path]:
    """Write a model with one dense layer of constant weights, and return its folder.

    ``tiny_model(folder, name="mnist", version=1, bias=(…))`` returns softmax(bias) for every picture.
    """

    def make(
        folder: Path, *, name: str = "mnist", version: int = 1, bias: tuple[float, ...] = (0.0,) * 10
    ) -> Path:
        place = folder / name / str(version)
        place.mkdir(parents=True)
        nodes = [
            helper.make_node("Flatten", ["image"], ["flat"]),
            helper.make_node("Cast", ["flat"], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("Gemm", ["numbers", "weights", "bias"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
        ]
        constants = {"weights": np.zeros((784, len(bias)), np.float32), "bias": np.array(bias, np.float32)}
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 28, 28])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(bias)])],
            [numpy_helper.from_array(values, key) for key, values in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, place / "model.onnx")
        size = (place / "model.onnx").stat().st_size
        file = msgspec.structs.replace(
            mnist_card.onnx, sha256=sha256_of(place / "model.onnx"), bytes=size, opset=17
        )
        write_card(
            msgspec.structs.replace(
                mnist_card,
                name=name,
                version=version,
                labels=tuple(map(str, range(len(bias)))),
                input=msgspec.structs.replace(mnist_card.input, name="image"),
                onnx=file,
            ),
            place / "card.json",
        )
        return place

    return make


@pytest.fixture
def two_forms(
    tiny_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Write a model with an 8-bit form, and return its folder.

    ``two_forms(folder, slow="float32")`` predicts 0 in float32 and 1 in int8, so that a prediction shows
    which form was run. The form named by ``slow`` does additional matrix multiplications. The other arguments
    are what the 8-bit form loses in accuracy and adds in calibration error.
    """

    def make(
        folder: Path, *, slow: str = "", version: int = 1, loss: float = 0.001, error: float = 0.0
    ) -> Path:
        place = tiny_model(folder, version=version, bias=(9.0,) + (0.0,) * 9)
        other = tiny_model(tmp_path_factory.mktemp("int8"), bias=(0.0, 9.0) + (0.0,) * 8)
        (other / "model.onnx").rename(place / "model.int8.onnx")
        files = {"float32": place / "model.onnx", "int8": place / "model.int8.onnx"}
        if slow:
            _slow_down(files[slow])
        card = read_card(place / "card.json")
        metrics = msgspec.structs.replace(
            card.metrics,
            accuracy=card.metrics.accuracy - loss,
            expected_calibration_error=card.metrics.expected_calibration_error + error,
        )
        quantized = QuantizedFile(
            sha256=sha256_of(files["int8"]),
            bytes=files["int8"].stat().st_size,
            calibration="none",
            float_nodes=(),
            metrics=metrics,
            milliseconds=0.5,
            ratio=0.5,
        )
        onnx_file = msgspec.structs.replace(card.onnx, sha256=sha256_of(files["float32"]))
        write_card(msgspec.structs.replace(card, onnx=onnx_file, quantized=quantized), place / "card.json")
        return place

    return make


def _slow_down(path: Path, *, times: int = 30) -> None:
    model = onnx.load(path)
    square = numpy_helper.from_array(np.eye(784, dtype=np.float32), "square")
    model.graph.initializer.append(square)
    chain = [
        helper.make_node("MatMul", [f"slow{step}" if step else "numbers", "square"], [f"slow{step + 1}"])
        for step in range(times)
    ]
    position, dense = next(
        (place, node) for place, node in enumerate(model.graph.node) if node.op_type == "Gemm"
    )
    dense.input[0] = f"slow{times}"
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes[:position], *chain, *nodes[position:]])
    onnx.save(model, path)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a port that no program of this machine listens on."""
    return _free_port


@dataclasses.dataclass(frozen=True)
class Run:
    """Exit status and output of a command."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Run]]:
    """Run ``lectern`` in this process: ``run("predict", "mnist", "-", stdin=b"…")``."""

    def call(*words: str, stdin: bytes = b"") -> Run:
        monkeypatch.setattr(sys, "argv", ["lectern", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capfd.readouterr()
        try:
            main()
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capfd.readouterr()
        return Run(status, out, err)

    # `lectern serve` sets variables of the process.
    with mock.patch.dict(os.environ):
        yield call
