"""Defines the layer that fills, flags and scales the columns of a table."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from training.hyperparameters import Scaling
from training.networks.statistics import ColumnStatistics

# A column that varies by less than this share of its largest value is constant, apart from rounding.
_ROUNDING = 1e-6


@keras.saving.register_keras_serializable(package="lectern")
class ColumnScaling(keras.layers.Layer):
    """Replaces missing values by those of ``fill``, scales all values, and appends flags.

    A flag is 1 where the value is missing. Only columns that have missing values in the training split have
    one, since the weights of the others would not be trained.

    Args:
        fill: Value of each column in place of a missing one.
        scale: Factor of each column.
        offset: Added to each column after that.
        flagged: Numbers of the columns that have a flag.
        **options: Further arguments of a Keras layer.
    """

    def __init__(
        self,
        fill: Sequence[float],
        scale: Sequence[float],
        offset: Sequence[float],
        flagged: Sequence[int],
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.fill, self.scale, self.offset = tuple(fill), tuple(scale), tuple(offset)
        self.flagged = tuple(flagged)

    @classmethod
    def fitted(cls, columns: ColumnStatistics, scaling: Scaling, **options: Any) -> Self:
        """Return a layer that fills missing values with the mean of their column.

        Args:
            columns: Statistics of the training split.
            scaling: ``unit`` scales a column to 0..1 by its smallest and largest value, ``standard`` to the
                standard score.
            **options: Further arguments of a Keras layer.
        """
        offset, size = np.zeros(len(columns.mean)), np.ones(len(columns.mean))
        if scaling == "standard":
            offset, size = np.array(columns.mean), np.array(columns.deviation)
        elif scaling == "unit":
            offset = np.array(columns.minimum)
            size = np.array(columns.maximum) - offset
        largest = np.maximum(np.abs(columns.minimum), np.abs(columns.maximum))
        size = np.where(size > _ROUNDING * largest, size, 1.0)
        flagged = np.flatnonzero(columns.has_missing).tolist()
        return cls(columns.mean, (1 / size).tolist(), (-offset / size).tolist(), flagged, **options)

    def call(self, rows: Any) -> Any:
        """Map float32 rows (batch, columns) with NaN to float32 (batch, columns + flags)."""
        missing = ops.isnan(rows)
        filled = ops.where(missing, ops.convert_to_tensor(self.fill, rows.dtype), rows)
        scaled = filled * ops.convert_to_tensor(self.scale, rows.dtype) + ops.convert_to_tensor(
            self.offset, rows.dtype
        )
        if not self.flagged:
            return scaled
        flags = ops.take(ops.cast(missing, rows.dtype), ops.convert_to_tensor(self.flagged, "int32"), axis=1)
        return ops.concatenate([scaled, flags], axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "fill": self.fill,
            "scale": self.scale,
            "offset": self.offset,
            "flagged": self.flagged,
        }
