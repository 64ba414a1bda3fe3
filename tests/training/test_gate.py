"""The gate gives each picture a weight, and learns from the training split alone."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from training import gate as module
from training.datasets import load_dataset
from training.gate import train_gate


def test_it_tells_ink_from_pens_when_it_had_the_time_to_learn_it(
    mnist_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras.backend.clear_session()
    monkeypatch.setattr(module, "_SETTINGS", replace(module._SETTINGS, epochs=30, batch_size=64))
    digits = load_dataset("mnist")

    gate = train_gate(digits)

    weights = gate.network.predict(digits.validation.x, verbose=0)
    assert weights.shape == (len(digits.validation), 1)
    assert np.all((weights >= 0) & (weights <= 1))
    assert gate.accuracy > 0.6
