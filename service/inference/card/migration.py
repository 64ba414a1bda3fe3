"""Converts model cards of schema version 1 to version 2, and training runs of that time."""

from collections.abc import Mapping
from typing import Any

_RUNS = ("recipe", "members", "averaged", "compared_with")
_STAGES = [f"{run}.{settings}" for run in _RUNS for settings in ("settings", "settings.joint")]
# Path in a card of version 1, without the numbers of list items → name in version 2.
_NAMES = {
    "members": "ensemble",
    "averaged": "weight_average",
    "keras_difference": "max_keras_difference",
    "cost": "latency",
    "doubt": "calibration",
    "doubt.perfect_calibration_error": "chance_level_error",
    "doubt.sure_accuracy": "target_accuracy",
    "doubt.validation.share": "coverage",
    "doubt.test.share": "coverage",
    "outliers": "out_of_distribution",
    "drawn": "pen_digits",
    "drawn.by_digit": "per_class_accuracy",
    "drawn.sure_accuracy": "selective_accuracy",
    "robustness.unchanged.first": "baseline",
    "robustness.rows.first": "baseline",
    "robustness.remark": "summary",
    "hiding": "faithfulness",
    "hiding.hottest": "hottest_drop",
    "hiding.random": "random_drop",
    "hiding.pictures": "count",
    **{f"{run}.settings.start": "init_from" for run in _RUNS},
    **{f"{run}.settings.joint": "fine_tuning" for run in _RUNS},
    **{f"{stage}.outliers": "outlier_exposure" for stage in _STAGES},
    **{f"{stage}.augmentation.redrawn": "stroke_augmentation" for stage in _STAGES},
    **{f"{stage}.augmentation.formed": "stroke_templates" for stage in _STAGES},
    **{f"{stage}.augmentation.damaged": "corruptions" for stage in _STAGES},
}
FORMER_RECIPE_NAMES = {"mnist-hands": "mnist-strokes", "cifar10-damaged": "cifar10-corruptions"}
_RECIPE_PATHS = {f"{run}.{name}" for run in _RUNS for name in ("name", "recipe", "settings.start.recipe")}
_SELECTIVE_PREDICTION = ("target_accuracy", "validation", "test")


def migrate_card(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Convert a card to the current schema version.

    Args:
        document: Decoded JSON of a card.

    Returns:
        The card in schema version 2; unchanged if it is not of version 1. Fields of an unexpected type are
        kept, so that the check of the card reports them.
    """
    version = document.get("schema_version")
    if version != 1 or isinstance(version, bool):
        return document
    card: dict[str, Any] = _rename(document) | {"schema_version": 2}
    calibration = card.get("calibration")
    if isinstance(calibration, dict):
        card["selective_prediction"] = {
            name: calibration.pop(name) for name in _SELECTIVE_PREDICTION if name in calibration
        }
    # Version 1 described these two in words.
    for old, new in (("mirror", "flip_tta"), ("halves", "float16_weights")):
        if card.pop(old, None):
            card[new] = True
    return card


def migrate_run(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a training run with the current names of its recipe and settings."""
    renamed: dict[str, Any] = _rename(document, "members")  # A member of an ensemble has the same fields.
    return renamed


def _rename(value: Any, path: str = "") -> Any:
    if isinstance(value, list):
        return [_rename(item, path) for item in value]
    if isinstance(value, Mapping):
        paths = {key: f"{path}.{key}" if path else key for key in value}
        return {_NAMES.get(paths[key], key): _rename(part, paths[key]) for key, part in value.items()}
    return (
        FORMER_RECIPE_NAMES.get(value, value) if path in _RECIPE_PATHS and isinstance(value, str) else value
    )
