"""Makes predictions with ONNX files: model cards, catalogue, preprocessing, sessions.

The public names are imported at first use, so that importing the result types or the errors does not import
ONNX Runtime.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.inference.card import Card, read_card
    from service.inference.catalog import Catalog
    from service.inference.errors import LecternError
    from service.inference.prediction import MultiLabelPrediction, Prediction, Regression, Score, Value
    from service.inference.predictor import Predictor

# ONNX Runtime sends telemetry unless this variable is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "Card",
    "Catalog",
    "LecternError",
    "MultiLabelPrediction",
    "Prediction",
    "Predictor",
    "Regression",
    "Score",
    "Value",
    "read_card",
]

_MODULES = {
    "Card": "card",
    "Catalog": "catalog",
    "LecternError": "errors",
    "MultiLabelPrediction": "prediction",
    "Prediction": "prediction",
    "Predictor": "predictor",
    "Regression": "prediction",
    "Score": "prediction",
    "Value": "prediction",
    "read_card": "card",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
