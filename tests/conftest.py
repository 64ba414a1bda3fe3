"""Fixtures of all tests: an environment of their own, committed and small models."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import hypothesis
import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from service.inference.card import Card, RegressionMetrics, read_card, write_card
from service.inference.catalog import BUNDLED
from service.inference.files import sha256_of

DATA = Path(__file__).parent / "data"

# For fuzzing by hand: ./run test tests/fuzzing --hypothesis-profile thorough
hypothesis.settings.register_profile("thorough", max_examples=20_000, print_blob=True)


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LECTERN_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the temporary files of the tests and of their processes in a folder that is deleted at the end.

    Servers remove what killed servers have left, which must not be that of another run. The path is short, as
    Unix sockets need it.
    """
    tmp_path_factory.getbasetemp()  # stays beside this folder: pytest keeps it for a look at failures
    with (
        tempfile.TemporaryDirectory(prefix="lectern-tests-", ignore_cleanup_errors=True) as folder,
        mock.patch.dict(os.environ, TMPDIR=folder),
        mock.patch.object(tempfile, "tempdir", folder),
    ):
        yield


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """The committed models."""
    return BUNDLED


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real samples that ``SOURCES.md`` describes."""
    return DATA


COLUMNS = [
    {"name": "age", "description": "years", "minimum": 20.0, "maximum": 80.0, "mean": 50.0},
    {"name": "bmi", "description": "kg/m²", "minimum": 18.0, "maximum": 42.0, "mean": 25.0},
]


@pytest.fixture(scope="session")
def head_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small models of the other heads.

    ``progress`` is a regression, 2 * age + 3 * bmi; ``risk`` classifies the same rows by the sign of
    age - 2 * bmi; a missing value counts as the mean, 50 and 25. ``traits`` says of each digit that it is
    even, with the probability 0.75, and not that it is above four, with 0.25.
    """
    folder = tmp_path_factory.mktemp("heads")
    mnist = read_card(BUNDLED / "mnist" / "1" / "card.json")
    table = msgspec.structs.replace(
        mnist.input,
        name="features",
        dtype="float32",
        shape=(-1, 2),
        color_mode="none",
        preprocessing="table",
        parameters={"columns": COLUMNS},
    )
    filled = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "mean", "features"], ["filled"]),
    ]
    means = {"mean": [50.0, 25.0]}
    plain = msgspec.structs.replace(
        mnist, explanation=None, quantized=None, calibration=None, selective_prediction=None
    )
    regression = RegressionMetrics(
        unit="points", mean_absolute_error=40.0, root_mean_squared_error=50.0, r2=0.5, count=88
    )
    _write_model(
        folder,
        msgspec.structs.replace(
            plain, name="progress", version=1, title="Progress: a value", task="regression",
            labels=("progression",), input=table, metrics=None, regression=regression, unsure_below=0.0,
        ),
        [*filled, helper.make_node("MatMul", ["filled", "weights"], ["values"])],
        {**means, "weights": [[2.0], [3.0]]},
    )  # fmt: skip
    _write_model(
        folder,
        msgspec.structs.replace(
            plain, name="risk", version=1, title="Risk: of rows", task="tabular-classification",
            labels=("low", "high"), input=table, unsure_below=0.9,
        ),
        [
            *filled,
            helper.make_node("MatMul", ["filled", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
        ],
        {**means, "weights": [[0.0, 1.0], [0.0, -2.0]]},
    )  # fmt: skip
    _write_model(
        folder,
        msgspec.structs.replace(
            plain, name="traits", version=1, title="Traits: of digits", task="multi-label-classification",
            labels=("even", "above four"), unsure_below=0.7,
        ),
        [
            helper.make_node("Flatten", ["image"], ["flat"]),
            helper.make_node("Cast", ["flat"], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("Gemm", ["numbers", "weights", "bias"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
        ],
        {"weights": np.zeros((784, 2)), "bias": [np.log(3), -np.log(3)]},
    )  # fmt: skip
    return folder


def _write_model(folder: Path, card: Card, nodes: Sequence[Any], constants: Mapping[str, Any]) -> None:
    """Write a graph and its card."""
    place = folder / card.name / str(card.version)
    place.mkdir(parents=True)
    spec = card.input
    kind = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}[spec.dtype]
    graph = helper.make_graph(
        nodes,
        card.name,
        [helper.make_tensor_value_info(spec.name, kind, ["batch", *spec.shape[1:]])],
        [helper.make_tensor_value_info(card.output, TensorProto.FLOAT, ["batch", len(card.labels)])],
        [numpy_helper.from_array(np.array(value, np.float32), key) for key, value in constants.items()],
    )
    path = place / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    file = msgspec.structs.replace(card.onnx, sha256=sha256_of(path), bytes=path.stat().st_size)
    write_card(msgspec.structs.replace(card, onnx=file), place / "card.json")
