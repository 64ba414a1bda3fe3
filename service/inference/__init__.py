"""Owns everything between an ONNX file and a prediction: cards, catalogue, preprocessing, sessions.

Names are imported when they are first used, so that a program which needs only the result types or the
errors does not load ONNX Runtime.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.inference.card import Card, read_card
    from service.inference.catalog import Catalog
    from service.inference.errors import LecternError
    from service.inference.prediction import Prediction, Score
    from service.inference.predictor import Predictor

# ONNX Runtime reports usage to its maker unless it is told otherwise before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["Card", "Catalog", "LecternError", "Prediction", "Predictor", "Score", "read_card"]

_HOMES = {
    "Card": "card",
    "Catalog": "catalog",
    "LecternError": "errors",
    "Prediction": "prediction",
    "Predictor": "predictor",
    "Score": "prediction",
    "read_card": "card",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
