"""Defines the heads of networks: what the last layer returns, and the loss and the figure that go with it."""

from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

HeadTask = Literal["classification", "multi-label-classification", "regression"]


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last layer of a network and its loss.

    Attributes:
        task: What the network returns: probabilities of classes that exclude each other, of labels that do
            not, or values.
        output: Name of the last layer, and of the output in the ONNX graph.
        activation: Activation of the last layer; None for that of :meth:`Network.classifier`, or for none.
        loss: Keras's name; None for cross-entropy over the classes.
        measure: Name of the figure beside the loss.
    """

    task: HeadTask
    output: str = "probabilities"
    activation: str | None = None
    loss: str | None = None
    measure: str = "accuracy"

    def compile(self, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
        """Compile a network with this head's loss and metric."""
        two_classes = "binary_crossentropy" if model.output_shape[-1] == 1 else "categorical_crossentropy"
        metric = {
            "classification": "accuracy",
            "multi-label-classification": exact_match,
            "regression": "mean_squared_error",
        }[self.task]
        model.compile(optimizer, loss=self.loss or two_classes, metrics=[metric])

    def figure(self, results: dict[str, Any], y: npt.NDArray[Any]) -> float:
        """Return the figure beside the loss: the accuracy, or the R² of a regression.

        Args:
            results: What Keras returns for a network that this head has compiled.
            y: Targets of the split that the results are about.
        """
        if self.task == "regression":
            return 1 - float(results["mean_squared_error"]) / float(np.var(y, axis=0).mean())
        name = "accuracy" if self.task == "classification" else exact_match.__name__
        return float(results[name])


@keras.saving.register_keras_serializable(package="lectern")
def exact_match(targets: Any, probabilities: Any) -> Any:
    """Return for each example 1 if the decisions on all labels are right, else 0."""
    right = ops.equal(targets > 0.5, probabilities >= 0.5)
    return ops.cast(ops.all(right, axis=-1), "float32")


# The lecture's table of last layers and losses.
CLASSES = Head(task="classification")
LABELS = Head(task="multi-label-classification", activation="sigmoid", loss="binary_crossentropy")
VALUES = Head(task="regression", output="values", loss="mean_squared_error", measure="R²")
# Values from 0 to 1.
SHARES = Head(
    task="regression", output="values", activation="sigmoid", loss="mean_squared_error", measure="R²"
)
