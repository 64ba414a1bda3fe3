"""The comparison of GPUs runs as far as a CPU goes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from gpu.buffers import BoundSession
from gpu.rates import inputs

from service.inference.catalog import Catalog

_ROOT = Path(__file__).resolve().parents[2]


def test_buffers_give_the_results_of_arrays(models_folder: Path) -> None:
    predictor = Catalog(models_folder, providers=("cpu",)).predictor("mnist")
    path = models_folder / "mnist" / str(predictor.card.version) / "model.onnx"
    session, batch = BoundSession(path, device="cpu"), inputs(predictor.card, 5)
    for values in (batch, batch[::-1].copy(), batch[:2]):  # another content, and another size
        np.testing.assert_allclose(session.run(values), predictor.probabilities(values), atol=1e-6)


def test_the_command_runs_on_a_cpu() -> None:
    words = ("gpu", "--provider", "cpu", "--model", "mnist", "--seconds", "0.01")
    done = subprocess.run(
        [sys.executable, str(_ROOT / "tests" / "benchmarks"), *words],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = (line for line in done.stdout.splitlines() if line.startswith("| mnist |"))
    assert len(first.split(" / ")) == 5
    assert len(second.split(" / ")) == 5
    assert "networks run with CPUExecutionProvider" in done.stdout
