"""Pen-drawn digits on the real pad, at three screen densities and two window sizes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pen_digits
import pytest
from gestures import OpenWindow

from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.preprocessing import prepare_digit

# The test uses every eighth digit of the sample; ``python pen_digits.py`` uses all.
STEP = 8


@pytest.fixture(scope="module")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with some of the sample's digits, five of each."""
    sample = np.load(pen_digits.SAMPLE)
    chosen = np.concatenate([np.flatnonzero(sample["labels"] == digit)[::STEP] for digit in range(10)])
    points = sample["points"]
    rows = [points[points[:, 0] == number].copy() for number in chosen]
    for number, row in enumerate(rows):
        row[:, 0] = number
    path = tmp_path_factory.mktemp("pen") / "sample_file.npz"
    np.savez(path, labels=sample["labels"][chosen], points=np.concatenate(rows))
    return path


def test_pad_and_direct_rendering_give_the_same_network_input(
    open_window: OpenWindow, sample_file: Path
) -> None:
    window = open_window(models=sample_file.parent)  # Without models, as this test needs the pad only.
    differences = []
    for _, strokes in pen_digits.digits(sample_file):
        drawn_input = prepare_digit(pen_digits.replay(window.draw_page.pad, strokes)).astype(float)
        direct = prepare_digit(pen_digits.rendered(strokes)).astype(float)
        # Rounding of the centre of mass may shift a digit by one pixel.
        shifts = [np.roll(direct, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
        differences.append(min(np.abs(drawn_input - shifted).mean() for shifted in shifts))
    assert np.median(differences) < 1.2
    # The pad's curves leave the straight lines at bends. A box that grows by a pixel scales its digit anew.
    assert max(differences) < 12


@pytest.mark.parametrize("factor", ["1", "1.5", "2"])
def test_digits_on_the_pad_are_predicted_as_well_as_rendered_ones(sample_file: Path, factor: str) -> None:
    predictor = Catalog(BUNDLED).predictor("mnist")
    drawn = list(pen_digits.digits(sample_file))
    direct = pen_digits.accuracy(
        predictor, [pen_digits.rendered(strokes) for _, strokes in drawn], [label for label, _ in drawn]
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": factor}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    run = subprocess.run(
        [sys.executable, pen_digits.__file__, str(BUNDLED), str(sample_file)],
        env=environment, capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    found = json.loads(run.stdout)
    assert [name.endswith(f" at {float(factor)}") for name in found] == [True, True]
    for share in found.values():
        assert share >= direct - 0.003
        assert share > 0.9
