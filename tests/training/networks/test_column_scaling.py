"""Missing values are filled and flagged, and columns scaled, as scikit-learn does it."""

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from training.export.graph.conversion import to_onnx
from training.export.inference import run_network
from training.hyperparameters import Hyperparameters
from training.networks.column_scaling import ColumnScaling
from training.networks.heads import VALUES
from training.networks.network import Network
from training.networks.statistics import measure_table

RNG = np.random.default_rng(5)
TRAIN = (RNG.normal(size=(60, 4)) * [1, 100, 0.01, 5] + [0, 1000, 3, -5]).astype(np.float32)
TRAIN[RNG.random(TRAIN.shape) < 0.2] = np.nan
TRAIN[:, 2] = 7  # A column without a missing value, and without a deviation.


def _scaled(scaling: Any) -> keras.Model:
    hyperparameters = Hyperparameters(epochs=1, scaling=scaling)
    network = Network(hyperparameters, measure_table(TRAIN, classes=1)).table()
    return keras.Model(network._input, network._output)


@pytest.mark.parametrize(
    ("scaling", "scaler"), [("standard", StandardScaler()), ("unit", MinMaxScaler()), ("none", None)]
)
def test_rows_are_filled_flagged_and_scaled_as_in_scikit_learn(scaling: str, scaler: Any) -> None:
    # Scaled before they are filled, so that filled values do not change the deviation.
    prepared = scaler.fit_transform(TRAIN) if scaler else TRAIN
    imputer = SimpleImputer(add_indicator=True).fit(prepared)
    rows = TRAIN[:20]
    expected = imputer.transform(scaler.transform(rows) if scaler else rows)

    found = np.asarray(_scaled(scaling)(rows))

    assert found.shape == (20, 4 + 3)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_exported_graph_does_the_same() -> None:
    model = _scaled("standard")

    exported = run_network(to_onnx(model, VALUES), TRAIN)
    np.testing.assert_allclose(exported, np.asarray(model(TRAIN)), atol=1e-6)


def test_the_layer_survives_a_file(tmp_path: Any) -> None:
    model = _scaled("standard")
    model.save(tmp_path / "model.keras")

    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(loaded(TRAIN)), np.asarray(model(TRAIN)))


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_the_unit_of_a_column_does_not_matter(factor: float) -> None:
    rows = RNG.normal(3, 1, (200, 1)).astype(np.float32) * np.float32(factor)

    for scaling, size in (("standard", 1.0), ("unit", None)):
        layer = ColumnScaling.fitted(measure_table(rows, classes=1).columns, scaling)
        scaled = np.asarray(layer(rows))
        assert scaled.std() == pytest.approx(size or rows.std() / np.ptp(rows), rel=1e-3)
