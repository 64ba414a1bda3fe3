"""The comparison of GPUs runs as far as a CPU goes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
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


def _bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(_ROOT / "tests" / "benchmarks"), "gpu", "--model", "mnist", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)


def test_the_command_runs_on_a_cpu() -> None:
    done = _bench("--provider", "cpu", "--seconds", "0.01")
    assert done.returncode == 0, done.stderr
    first, second = (line for line in done.stdout.splitlines() if line.startswith("| mnist |"))
    assert len(first.split(" / ")) == 5
    assert len(second.split(" / ")) == 5
    assert "networks run with CPUExecutionProvider" in done.stdout


@pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="this build of ONNX Runtime has CUDA"
)
def test_a_missing_gpu_is_an_error_in_one_line() -> None:
    done = _bench("--provider", "cuda")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: provider 'cuda' is not in this build of ONNX Runtime")
