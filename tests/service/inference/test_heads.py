"""Predictions of regressions, of several labels at once, and for rows of tables."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from msgspec.structs import replace

from service.inference import Catalog, MultiLabelPrediction, Regression
from service.inference.card import Card, card_document, parse_card, read_card, write_card
from service.inference.errors import CardError, InputError, InvalidInput, InvalidTensor, ModelError
from service.inference.files import sha256_of
from service.inference.predictor import Predictor
from service.inference.reading.reader import Reader
from service.inference.repository.default_version import reason_against
from service.inference.word_contributions import word_contributions

ROW = {"age": 40, "bmi": 30.5}


@pytest.fixture
def catalog(head_models: Path) -> Catalog:
    return Catalog(head_models, check=True)


def test_a_regression_predicts_values(catalog: Catalog) -> None:
    found, other = catalog.predictor("progress").predict_values([ROW, {"age": 20, "bmi": 18}])

    assert isinstance(found, Regression)
    assert (found.model, found.version, found.unsure, found.reason) == ("progress", 1, False, None)
    assert [(value.label, value.value) for value in found.values] == [("progression", 171.5)]
    assert other.value == 94


@pytest.mark.parametrize("missing", [None, math.nan])
def test_a_missing_value_is_filled_by_the_network(catalog: Catalog, missing: float | None) -> None:
    predictor = catalog.predictor("progress")

    assert predictor.predict_values([{"age": missing, "bmi": 30}])[0].value == 2 * 50 + 90
    assert predictor.predict_array_values(np.array([math.nan, 30]))[0].value == 190


@pytest.mark.parametrize(
    ("age", "reason"), [(19.9, "out_of_range"), (20, None), (80, None), (81, "out_of_range")]
)
def test_a_value_that_training_has_not_seen_makes_the_result_unsure(
    catalog: Catalog, age: float, reason: str | None
) -> None:
    row = {"age": age, "bmi": None}

    values, labels = (
        catalog.predictor("progress").predict_values([row])[0],
        catalog.predictor("risk").predict([row])[0],
    )
    assert (values.reason, values.unsure) == (reason, reason is not None)
    assert (labels.reason, labels.unsure) == (reason, labels.best.score < 0.9 or reason is not None)


def test_rows_of_a_table_are_classified(catalog: Catalog) -> None:
    sure, unsure = catalog.predictor("risk").predict([{"age": 70, "bmi": 20}, {"age": 51, "bmi": None}])

    assert (sure.best.label, sure.unsure) == ("high", False)
    assert unsure.best.score == pytest.approx(1 / (1 + math.exp(-1)))
    assert unsure.unsure


def test_several_labels_are_decided_one_by_one(catalog: Catalog, digit_png: bytes) -> None:
    (found,) = catalog.predictor("traits").predict([digit_png])

    assert isinstance(found, MultiLabelPrediction)
    assert [score.label for score in found.scores] == ["even", "above four"]
    assert [score.score for score in found.scores] == pytest.approx([0.75, 0.25])
    assert found.labels == ("even",)
    assert not found.unsure  # The least sure decision has 0.75, and the threshold is 0.7.


def test_a_model_of_texts_may_decide_on_several_labels(models_folder: Path) -> None:
    """Its inputs are what the preprocessing takes, whatever the task is."""
    catalog = Catalog(models_folder)
    card = replace(catalog.card("imdb"), task="multi-label-classification")

    predictor = Predictor.load(catalog.folder(card), card)

    assert (card.reads, predictor.takes_text) == ("texts", True)
    (found,) = predictor.predict(["A wonderful film, superbly acted."])
    assert isinstance(found, MultiLabelPrediction)
    assert found.labels == ("positive",)
    with pytest.raises(InvalidInput, match="imdb is a model for multi-label-classification; only labels"):
        word_contributions(predictor, "A wonderful film.")


def test_labels_are_unsure_if_one_decision_is(head_models: Path, tmp_path: Path, digit_png: bytes) -> None:
    _copy(head_models, tmp_path, "traits", lambda card: replace(card, unsure_below=0.76))

    assert Catalog(tmp_path).predictor("traits").predict([digit_png])[0].unsure


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"age": 40}, "the row has no bmi; name every column, with null for a missing value"),
        ({**ROW, "weight": 3}, "a column 'weight', which the model does not read; it reads age, bmi"),
        ({**ROW, "age": "40"}, "age is '40'; it must be a number, or null if it is missing"),
        ({**ROW, "age": True}, "age is True; it must be a number"),
        ({**ROW, "age": [40]}, r"age is \[40\]; it must be a number"),
        ({**ROW, "age": math.inf}, "age is inf, which is not a finite number"),
        ({**ROW, "age": 10**400}, "age is 1000.* not a finite number of 32 bits"),
        ({"age": None, "bmi": None}, "all values of the row are missing"),
        ({}, "the row has no age, bmi"),
        ("40,30.5", "progress reads rows of a table; send a number, or null .* for each of age, bmi"),
        (b"40,30.5", "progress reads rows of a table"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused(catalog: Catalog, row: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        catalog.predictor("progress").predict_values([row])


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.zeros((2, 3)), InvalidTensor, r"\[-1, 2\] or \[2\] .*got \[2, 3\]; the columns are age, bmi"),
        (np.zeros((0, 2)), InvalidTensor, "not 0"),
        (np.array([[1, np.inf]]), InvalidTensor, "finite numbers of 32 bits, or NaN"),
        (np.array([[1, 1e39]]), InvalidTensor, "holds 1e\\+39"),
        (
            np.array([[1.0, 2.0], [np.nan, np.nan]]),
            InvalidInput,
            "all values in row 1 of features are missing",
        ),
    ],
)
def test_an_array_that_cannot_be_read_is_refused(
    catalog: Catalog, values: Any, error: type[InputError], message: str
) -> None:
    with pytest.raises(error, match=message):
        catalog.predictor("progress").predict_array_values(values)


@pytest.mark.parametrize("kind", ["float16", "float64", "int64", "uint8", "bool"])
def test_arrays_of_every_type_of_numbers_are_rows(catalog: Catalog, kind: str) -> None:
    values = np.array([[1, 0], [1, 1]]).astype(kind)

    found = catalog.predictor("progress").predict_array_values(values)
    assert [row.value for row in found] == [2, 5]


def test_the_methods_of_other_tasks_name_the_right_one(catalog: Catalog, digit_png: bytes) -> None:
    with pytest.raises(
        InvalidInput, match=r"predicts values \(progression\) and no labels; call predict_values"
    ):
        catalog.predictor("progress").predict([ROW])
    with pytest.raises(InvalidInput, match="traits predicts labels and no values; call predict"):
        catalog.predictor("traits").predict_values([digit_png])


def test_what_other_heads_do_not_offer_is_refused(catalog: Catalog) -> None:
    for name in ("progress", "risk", "traits"):
        with pytest.raises(InvalidInput, match=f"{name} 1 cannot be explained; only models that classify"):
            catalog.explainer(name)
        with pytest.raises(InvalidInput, match=f"{name} 1 cannot read several digits"):
            Reader(catalog.predictor(name))


def _copy(source: Path, target: Path, name: str, change: Callable[[Card], Card]) -> None:
    """Copy a model, with another card and the checksum of its network as it is."""
    folder = target / name / "1"
    folder.mkdir(parents=True)
    network = (source / name / "1" / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(network)
    write_card(change(read_card(source / name / "1" / "card.json")), folder / "card.json")


@pytest.mark.parametrize(
    ("name", "output", "message"),
    [
        ("progress", "values", "hold numbers that are not finite"),
        ("traits", "probabilities", "hold no probabilities"),
        ("risk", "probabilities", "do not sum to 1"),
    ],
)
def test_a_network_whose_output_is_not_that_of_its_task_is_not_loaded(
    head_models: Path, tmp_path: Path, name: str, output: str, message: str
) -> None:
    _copy(head_models, tmp_path, name, lambda card: card)
    path = tmp_path / name / "1" / "model.onnx"
    model = onnx.load(path)
    last = model.graph.node[-1]
    last.output[0] = "before"
    factor = onnx.numpy_helper.from_array(np.array(np.inf if name == "progress" else 3, np.float32), "factor")
    model.graph.initializer.append(factor)
    model.graph.node.append(onnx.helper.make_node("Mul", ["before", "factor"], [output]))
    onnx.save(model, path)
    card = read_card(path.with_name("card.json"))
    write_card(replace(card, onnx=replace(card.onnx, sha256=sha256_of(path))), path.with_name("card.json"))

    with pytest.raises(ModelError, match=f"{name}/1/model.onnx: .*{message}; export the model again"):
        Catalog(tmp_path).predictor(name)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("progress", {"regression": None}, "field regression is missing; export the model again"),
        ("traits", {"metrics": None}, "field metrics is missing"),
        ("traits", {"labels": ("even",)}, "field labels: expected at least 2"),
    ],
)
def test_a_card_without_the_figures_of_its_task_is_refused(
    head_models: Path, name: str, changes: dict[str, Any], message: str
) -> None:
    card = read_card(head_models / name / "1" / "card.json")

    with pytest.raises(CardError, match=message):
        parse_card(card_document(replace(card, **changes)), source="card.json")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([], "different names"),
        ([{"name": "age", "minimum": 0, "maximum": 1, "mean": 0}] * 2, "different names"),
        ([{"name": "age", "minimum": 0, "maximum": 1, "mean": 0}], "has 1 columns, and input is float32"),
        ([{"name": "age"}], "missing required field"),
        (None, "Expected `array`"),
    ],
)
def test_a_card_whose_columns_are_wrong_is_refused(
    head_models: Path, tmp_path: Path, columns: object, message: str
) -> None:
    def change(card: Card) -> Card:
        return replace(card, input=replace(card.input, parameters={"columns": columns}))

    _copy(head_models, tmp_path, "progress", change)

    with pytest.raises(CardError, match=f"progress/1/card.json: field input.parameters: .*{message}"):
        Catalog(tmp_path).predictor("progress")


def test_versions_of_a_regression_are_compared_by_r2(head_models: Path) -> None:
    card = read_card(head_models / "progress" / "1" / "card.json")
    assert card.regression is not None
    better = replace(card, version=2, regression=replace(card.regression, r2=0.6))

    assert reason_against(better, current=card) == ""
    assert reason_against(card, current=better) == (
        "its R² on the test set is 0.5000, that of the default version 2 is 0.6000"
    )
    risk = read_card(head_models / "risk" / "1" / "card.json")
    assert (
        "its task is tabular-classification, that of the default version 1 is multi-label"
        in reason_against(
            replace(risk, labels=("even", "above four")),
            current=read_card(head_models / "traits" / "1" / "card.json"),
        )
    )
