"""Measures the values that an exported regression predicts."""

from dataclasses import dataclass
from typing import Any

import onnx

from service.inference.card import RegressionMetrics, Task
from training.export.inference import Splits, run_network
from training.metrics import Values, compute_regression_metrics


@dataclass(frozen=True, kw_only=True)
class RegressionResult:
    """A network's values on the test split."""

    metrics: RegressionMetrics
    output: Values  # float32 (n, values)

    def card_fields(self, *, task: Task) -> dict[str, Any]:
        """Return the fields of the card that this measurement fills."""
        assert task == "regression", "other tasks have probabilities"
        return {"regression": self.metrics, "unsure_below": 0.0}


def measure_regression(proto: onnx.ModelProto, splits: Splits) -> RegressionResult:
    """Run a regression over the test split and measure its errors."""
    values = run_network(proto, splits.test.x)
    metrics = compute_regression_metrics(values, splits.test.y, unit=splits.dataset.unit)
    return RegressionResult(metrics=metrics, output=values)
