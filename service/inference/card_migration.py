"""Converts model cards of schema version 1 to version 2, and training runs of that time."""

from collections.abc import Mapping
from typing import Any, TypeAlias

# Old name → new name, and the names within that field. The same tables rename values that are strings.
Names: TypeAlias = Mapping[str, "tuple[str, Names]"]

_RECIPE_NAMES: Names = {
    "mnist-hands": ("mnist-strokes", {}),
    "cifar10-damaged": ("cifar10-corruptions", {}),
}
_AUGMENTATION: Names = {
    "redrawn": ("stroke_augmentation", {}),
    "formed": ("stroke_templates", {}),
    "damaged": ("corruptions", {}),
}
_STAGE: Names = {
    "outliers": ("outlier_exposure", {}),
    "augmentation": ("augmentation", _AUGMENTATION),
}
_SETTINGS: Names = {
    **_STAGE,
    "joint": ("fine_tuning", _STAGE),
    "start": ("init_from", {"recipe": ("recipe", _RECIPE_NAMES)}),
}
_RUN: Names = {
    "name": ("name", _RECIPE_NAMES),
    "recipe": ("recipe", _RECIPE_NAMES),
    "settings": ("settings", _SETTINGS),
}
_COVERAGE: Names = {"share": ("coverage", {})}
_ROW: Names = {"first": ("baseline", {})}
_CARD: Names = {
    "recipe": ("recipe", _RUN),
    "members": ("ensemble", _RUN),
    "averaged": ("weight_average", _RUN),
    "compared_with": ("compared_with", _RUN),
    "keras_difference": ("max_keras_difference", {}),
    "cost": ("latency", {}),
    "doubt": (
        "calibration",
        {
            "perfect_calibration_error": ("chance_level_error", {}),
            "sure_accuracy": ("target_accuracy", {}),
            "validation": ("validation", _COVERAGE),
            "test": ("test", _COVERAGE),
        },
    ),
    "outliers": ("out_of_distribution", {}),
    "drawn": (
        "pen_digits",
        {"by_digit": ("per_class_accuracy", {}), "sure_accuracy": ("selective_accuracy", {})},
    ),
    "robustness": (
        "robustness",
        {"unchanged": ("unchanged", _ROW), "rows": ("rows", _ROW), "remark": ("summary", {})},
    ),
    "hiding": (
        "faithfulness",
        {"hottest": ("hottest_drop", {}), "random": ("random_drop", {}), "pictures": ("count", {})},
    ),
}
FORMER_RECIPE_NAMES = {old: new for old, (new, _) in _RECIPE_NAMES.items()}
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
    card: dict[str, Any] = _rename(document, _CARD) | {"schema_version": 2}
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
    renamed: dict[str, Any] = _rename(document, _RUN)
    return renamed


def _rename(value: Any, names: Names) -> Any:
    if isinstance(value, list):
        return [_rename(item, names) for item in value]
    if isinstance(value, str):
        return names[value][0] if value in names else value
    if not isinstance(value, Mapping):
        return value
    renamed = {}
    for key, part in value.items():
        name, inner = names.get(key, (key, {}))
        renamed[name] = _rename(part, inner)
    return renamed
