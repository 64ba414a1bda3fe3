"""Tests of reading, checking and writing model cards."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from service.inference.card import (
    Card,
    InputSpec,
    Latency,
    Layer,
    Metrics,
    OnnxFile,
    Provenance,
    QuantizedFile,
    RecipeInfo,
    TrainingRun,
    card_document,
    parse_card,
    read_card,
    write_card,
)
from service.inference.errors import CardError

_SECTIONS = {
    "input": InputSpec,
    "onnx": OnnxFile,
    "recipe": RecipeInfo,
    "training": TrainingRun,
    "metrics": Metrics,
    "provenance": Provenance,
    "latency": Latency,
    "quantized": QuantizedFile,
}


@pytest.fixture
def document(mnist_card: Card) -> dict[str, Any]:
    quantized = QuantizedFile(
        sha256="0" * 64,
        bytes=1,
        calibration="smallest and largest value",
        float_nodes=("conv2d",),
        metrics=mnist_card.metrics,
        milliseconds=0.04,
        ratio=0.4,
    )
    card = replace(
        mnist_card, latency=Latency(milliseconds=0.1, ratio=1.0, machine="any"), quantized=quantized
    )
    copy: dict[str, Any] = json.loads(json.dumps(card_document(card)))
    return copy


def _required_fields(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Yield every required field: the object that contains it, its name, and its path from the root."""
    kinds = {"": (Card, document), "layers[0].": (Layer, document["layers"][0])}
    kinds |= {f"{name}.": (kind, document[name]) for name, kind in _SECTIONS.items()}
    for where, (kind, holder) in kinds.items():
        for field in msgspec.structs.fields(kind):
            if field.required:
                yield holder, field.name, where + field.name


def test_card_survives_writing_and_reading(document: dict[str, Any], tmp_path: Path) -> None:
    card = parse_card(document, source="test")
    write_card(card, tmp_path / "card.json")
    assert read_card(tmp_path / "card.json") == card
    assert json.loads((tmp_path / "card.json").read_text(encoding="utf-8")) == document


def test_unknown_fields_are_kept_at_every_level(document: dict[str, Any], tmp_path: Path) -> None:
    document["from_the_future"] = {"a": [1, None]}
    document["layers"][0]["from_the_future"] = "layer"
    for section in _SECTIONS:
        document[section]["from_the_future"] = section
    document["training"]["splits"]["from_the_future"] = 7
    write_card(parse_card(document, source="test"), tmp_path / "card.json")
    assert json.loads((tmp_path / "card.json").read_text(encoding="utf-8")) == document


def test_missing_field_is_reported_with_its_file(document: dict[str, Any]) -> None:
    for holder, name, path in list(_required_fields(document)):
        value = holder.pop(name)
        with pytest.raises(CardError) as raised:
            parse_card(document, source="somewhere/card.json")
        assert "somewhere/card.json" in str(raised.value)
        assert path in str(raised.value)
        holder[name] = value
    parse_card(document, source="card.json")


@pytest.mark.parametrize("wrong", [None, True, [], [[1.5]], -1.5, float("nan"), {"a": object()}, "\x00"])
def test_wrong_type_is_reported_with_field_and_file(document: dict[str, Any], wrong: Any) -> None:
    for holder, name, path in list(_required_fields(document)):
        value = holder[name]
        if _is_plausible(value, wrong):
            continue
        holder[name] = wrong
        with pytest.raises(CardError) as raised:
            parse_card(document, source="somewhere/card.json")
        assert "somewhere/card.json" in str(raised.value)
        assert path in str(raised.value)
        holder[name] = value


def _is_plausible(value: Any, wrong: Any) -> bool:
    """Return whether ``wrong`` has a valid type for the field: any text, any mapping, an empty list."""
    if isinstance(value, float):
        return wrong == -1.5
    return type(value) is type(wrong) and not isinstance(wrong, bool | float)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("", "version", 0),
        ("", "labels", ["one"]),
        ("", "labels", ["twice", "twice"]),
        ("", "unsure_below", 1.01),
        ("", "parameters", -1),
        ("", "task", "object-detection"),
        ("input", "shape", [28]),
        ("input", "dtype", "float64"),
        ("input", "preprocessing", "magic"),
        ("onnx", "sha256", "A" * 64),
        ("onnx", "bytes", 0),
        ("metrics", "accuracy", 98.7),
        ("metrics", "log_loss", -0.1),
        ("metrics", "expected_calibration_error", 2),
        ("metrics", "count", 0),
        ("metrics", "accuracy", 10**400),
    ],
)
def test_invalid_value_is_reported_with_its_field(
    document: dict[str, Any], section: str, name: str, value: Any
) -> None:
    (document[section] if section else document)[name] = value
    with pytest.raises(CardError, match=rf"\b{name}\b"):
        parse_card(document, source="card.json")


@pytest.mark.parametrize("parameters", [{}, {"length": 0}, {"length": "250"}, {"length": 2.5}])
def test_a_network_of_sequences_needs_its_length(
    document: dict[str, Any], parameters: dict[str, Any]
) -> None:
    document["input"] |= {"preprocessing": "sequence", "parameters": parameters}
    with pytest.raises(CardError, match=r"input\.parameters\.length: expected the largest number of words"):
        parse_card(document, source="card.json")


@pytest.mark.parametrize("version", [None, 3, "2", True, 2.5])
def test_unknown_schema_version_is_rejected(document: dict[str, Any], version: Any) -> None:
    document["schema_version"] = version
    with pytest.raises(CardError, match="schema_version"):
        parse_card(document, source="card.json")


@pytest.mark.parametrize("field", ["schema_version", "task", "labels"])
def test_long_values_are_shortened(document: dict[str, Any], field: str) -> None:
    document[field] = "x" * 60_000
    with pytest.raises(CardError, match=field) as raised:
        parse_card(document, source="card.json")
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b'"card"', b"\xff\xfe", b"[" * 100_000, b"9" * 5000, b"null"]
)
def test_invalid_file_is_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(CardError, match=r"card\.json"):
        read_card(path)


def test_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"card\.json: cannot be read \(No such file"):
        read_card(tmp_path / "card.json")


def test_invalid_card_is_not_written(mnist_card: Card, tmp_path: Path) -> None:
    wrong = replace(mnist_card, unsure_below=2.0)
    with pytest.raises(CardError, match="unsure_below"):
        write_card(wrong, tmp_path / "card.json")
    assert not list(tmp_path.iterdir())
