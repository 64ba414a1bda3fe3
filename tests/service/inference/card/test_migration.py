"""Tests of the migration of version 1 model cards."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.inference.card import parse_card
from service.inference.card.migration import migrate_card, migrate_run
from service.inference.errors import CardError

DIGITS = Path(__file__).with_name("card-v1-mnist.json")
PHOTOS = Path(__file__).with_name("card-v1-cifar10.json")


def load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert document["schema_version"] == 1
    return document


def test_figures_of_a_digit_model_are_kept() -> None:
    old = load(DIGITS)

    card = parse_card(old, source="card.json")

    assert card.schema_version == 2
    assert card.extra == {}
    assert card.max_keras_difference == old["keras_difference"]
    assert card.latency is not None
    assert card.latency.milliseconds == old["cost"]["milliseconds"]
    assert card.calibration is not None
    assert card.calibration.extra == {}
    assert card.calibration.temperature == old["doubt"]["temperature"]
    assert card.calibration.chance_level_error == old["doubt"]["perfect_calibration_error"]
    assert card.selective_prediction is not None
    assert card.selective_prediction.target_accuracy == old["doubt"]["sure_accuracy"]
    assert card.selective_prediction.validation.coverage == old["doubt"]["validation"]["share"]
    assert card.selective_prediction.test.accuracy == old["doubt"]["test"]["accuracy"]
    assert card.out_of_distribution is not None
    assert card.out_of_distribution.scribbles == old["outliers"]["scribbles"]
    assert card.pen_digits is not None
    assert card.pen_digits.per_class_accuracy == old["drawn"]["by_digit"]
    assert card.pen_digits.selective_accuracy == old["drawn"]["sure_accuracy"]
    assert card.robustness is not None
    assert card.robustness.summary == old["robustness"]["remark"]
    assert card.robustness.unchanged.baseline == old["robustness"]["unchanged"]["first"]
    assert [row.baseline for row in card.robustness.rows] == [
        row["first"] for row in old["robustness"]["rows"]
    ]
    assert card.faithfulness is not None
    assert card.faithfulness.hottest_drop == old["hiding"]["hottest"]
    assert card.faithfulness.count == old["hiding"]["pictures"]


def test_recipe_and_settings_are_renamed() -> None:
    card = parse_card(load(DIGITS), source="card.json")

    assert card.recipe.name == "mnist-strokes"
    assert [(run.recipe, run.seed) for run in card.weight_average] == [
        ("mnist-strokes", 1), ("mnist-strokes", 2), ("mnist-strokes", 3)
    ]  # fmt: skip
    settings = card.recipe.settings
    assert settings["init_from"] == {"recipe": "mnist-deep", "seed": 2, "epochs": 36}
    assert settings["outlier_exposure"] == 0.08
    augmentation = settings["augmentation"]
    assert augmentation["stroke_augmentation"] == 0.4
    assert augmentation["stroke_templates"] == augmentation["corruptions"] == 0.25
    assert augmentation["rotation"] == 12.0


def test_hyperparameters_of_fine_tuning_are_renamed() -> None:
    old = load(DIGITS)
    old["recipe"]["settings"]["joint"] = {"epochs": 4, "outliers": 0.0}

    settings = parse_card(old, source="card.json").recipe.settings

    assert settings["fine_tuning"] == {"epochs": 4, "outlier_exposure": 0.0}
    assert "joint" not in settings


def test_run_is_renamed_like_a_member_of_an_ensemble() -> None:
    run = {"recipe": "mnist-hands", "settings": {"start": {"recipe": "mnist-hands"}, "outliers": 0.1}}

    assert migrate_run(run) == {
        "recipe": "mnist-strokes",
        "settings": {"init_from": {"recipe": "mnist-strokes"}, "outlier_exposure": 0.1},
    }


def test_ensemble_keeps_its_members() -> None:
    card = parse_card(load(PHOTOS), source="card.json")

    assert [run.recipe for run in card.ensemble] == ["cifar10-deep", "cifar10-corruptions"]
    assert card.ensemble[1].settings["augmentation"]["corruptions"] == 0.2
    assert card.flip_tta
    assert card.float16_weights
    assert card.extra == {}


def test_unknown_fields_are_kept() -> None:
    old = load(DIGITS)
    old["from_the_future"] = {"start": 1}
    old["drawn"]["from_the_future"] = "pen"

    card = parse_card(old, source="card.json")

    assert card.extra == {"from_the_future": {"start": 1}}
    assert card.pen_digits is not None
    assert card.pen_digits.extra == {"from_the_future": "pen"}


def test_other_versions_are_returned_unchanged() -> None:
    for version in (2, 3, None, True, "1"):
        document = {"schema_version": version, "doubt": 1}
        assert migrate_card(document) is document


@pytest.mark.parametrize("wrong", [1, "text", [], [3], {"validation": 3}])
@pytest.mark.parametrize("name", ["doubt", "drawn", "robustness", "hiding", "recipe"])
def test_wrong_types_are_reported(name: str, wrong: Any) -> None:
    with pytest.raises(CardError, match=r"card\.json: field"):
        parse_card(load(DIGITS) | {name: wrong}, source="card.json")
