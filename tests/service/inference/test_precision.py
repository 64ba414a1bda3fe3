"""Tests of the choice between the 32-bit and the 8-bit form of a network."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.inference import session
from service.inference.catalog import Catalog
from service.inference.errors import ChecksumMismatch, ModelError
from service.inference.precision import metrics_of
from service.inference.predictor import Predictor

TwoForms = Callable[..., Path]
LABEL = {"float32": "0", "int8": "1"}


def _answer(predictor: Predictor, picture: bytes) -> str:
    return predictor.predict([picture], top_k=1)[0].best.label


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_requested_precision_is_used(
    tmp_path: Path, two_forms: TwoForms, digit_png: bytes, precision: Any
) -> None:
    two_forms(tmp_path)
    catalog = Catalog(tmp_path, providers=("cpu",), precision=precision)
    assert catalog.precision(catalog.card("mnist")) == precision
    predictor = catalog.predictor("mnist")
    assert _answer(predictor, digit_png) == LABEL[precision]
    assert predictor.precision == precision


def test_float32_is_the_default(tmp_path: Path, two_forms: TwoForms, digit_png: bytes) -> None:
    two_forms(tmp_path)
    assert _answer(Catalog(tmp_path).predictor("mnist"), digit_png) == LABEL["float32"]


@pytest.mark.parametrize(("slow", "taken"), [("float32", "int8"), ("int8", "float32")])
def test_auto_uses_the_faster_form(
    tmp_path: Path, two_forms: TwoForms, digit_png: bytes, slow: str, taken: str
) -> None:
    two_forms(tmp_path, slow=slow)
    catalog = Catalog(tmp_path, providers=("cpu",), precision="auto")
    card = catalog.card("mnist")
    assert catalog.precision(card) == "auto"  # unknown until it is measured
    assert _answer(catalog.predictor("mnist"), digit_png) == LABEL[taken]
    assert catalog.precision(card) == taken


@pytest.mark.parametrize("worse", [{"loss": 0.0012}, {"error": 0.02}], ids=["accuracy", "calibration"])
def test_auto_does_not_use_a_form_that_is_less_accurate_or_less_calibrated(
    tmp_path: Path, two_forms: TwoForms, digit_png: bytes, worse: dict[str, float]
) -> None:
    two_forms(tmp_path, slow="float32", **worse)
    for asked, used in (("auto", "float32"), ("int8", "int8")):
        catalog = Catalog(tmp_path, providers=("cpu",), precision=asked)  # type: ignore[arg-type]
        assert catalog.precision(catalog.card("mnist")) == used
        assert _answer(catalog.predictor("mnist"), digit_png) == LABEL[used]


def test_metrics_are_those_of_the_form_that_answers(tmp_path: Path, two_forms: TwoForms) -> None:
    two_forms(tmp_path)
    card = Catalog(tmp_path).card("mnist")
    assert card.quantized is not None
    assert metrics_of(card, "int8") == card.quantized.metrics != card.metrics
    assert metrics_of(card, "float32") == metrics_of(card, "auto") == card.metrics


@pytest.mark.parametrize("precision", ["auto", "int8"])
def test_a_model_without_an_8_bit_form_runs_in_float32(
    tmp_path: Path, tiny_model: TwoForms, caplog: pytest.LogCaptureFixture, precision: Any
) -> None:
    tiny_model(tmp_path)
    catalog = Catalog(tmp_path, providers=("cpu",), precision=precision)
    assert catalog.precision(catalog.card("mnist")) == "float32"
    with caplog.at_level(logging.INFO):
        assert catalog.predictor("mnist").precision == "float32"
    assert "mnist 1 runs in float32" in caplog.text


@pytest.mark.parametrize("precision", ["auto", "int8"])
def test_gpu_runs_in_float32(
    tmp_path: Path, two_forms: TwoForms, monkeypatch: pytest.MonkeyPatch, precision: Any
) -> None:
    two_forms(tmp_path)
    there = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(session.ort, "get_available_providers", lambda: there)
    monkeypatch.setattr(session, "load_cuda_libraries", lambda: True)
    for providers in (("auto",), ("cuda", "cpu")):
        catalog = Catalog(tmp_path, providers=providers, precision=precision)
        assert catalog.precision(catalog.card("mnist")) == "float32"
    only_cpu = Catalog(tmp_path, providers=("cpu",), precision=precision)
    assert only_cpu.precision(only_cpu.card("mnist")) == precision


@pytest.mark.parametrize("precision", ["auto", "int8"])
@pytest.mark.parametrize("damage", [None, b"", b"no network"])
def test_8_bit_file_with_a_wrong_checksum_is_reported(
    tmp_path: Path, two_forms: TwoForms, precision: Any, damage: bytes | None
) -> None:
    path = two_forms(tmp_path) / "model.int8.onnx"
    path.unlink() if damage is None else path.write_bytes(damage)
    kind = ModelError if damage is None else ChecksumMismatch
    with pytest.raises(kind, match=r"mnist/1/model\.int8\.onnx.*LECTERN_PRECISION=float32"):
        Catalog(tmp_path, providers=("cpu",), precision=precision).predictor("mnist")
    assert Catalog(tmp_path).predictor("mnist").precision == "float32"


def test_each_form_is_checked_against_the_card(tmp_path: Path, two_forms: TwoForms) -> None:
    """Each file is rejected in the place of the other one."""
    place = two_forms(tmp_path)
    (place / "model.int8.onnx").rename(place / "spare")
    (place / "model.onnx").rename(place / "model.int8.onnx")
    (place / "spare").rename(place / "model.onnx")
    for precision, name in (("float32", r"model\.onnx"), ("int8", r"model\.int8\.onnx")):
        with pytest.raises(ChecksumMismatch, match=name):
            Catalog(tmp_path, providers=("cpu",), precision=precision).predictor("mnist")  # type: ignore[arg-type]
