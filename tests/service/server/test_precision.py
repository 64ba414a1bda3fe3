"""LECTERN_PRECISION on a real server: the chosen form of the network answers, and responses say which one."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TwoForms = Callable[..., Path]
LABEL = {"float32": "0", "int8": "1"}


@pytest.mark.parametrize(
    ("asked", "slow", "used"), [("float32", "", "float32"), ("int8", "", "int8"), ("auto", "float32", "int8")]
)
def test_the_requested_precision_answers(
    start_server: Any,
    two_forms: TwoForms,
    tmp_path: Path,
    digit_png: bytes,
    asked: str,
    slow: str,
    used: str,
) -> None:
    two_forms(tmp_path, slow=slow)
    with start_server(MODELS=str(tmp_path), PRECISION=asked) as server:
        assert server.ask("POST", "/models/mnist?top_k=1", digit_png).json()[0]["label"] == LABEL[used]
        document = server.ask("GET", "/models/mnist").json()
        assert document["precision"] == used
        metrics = {"float32": document["metrics"], "int8": document["quantized"]["metrics"]}
        assert document["served_metrics"] == metrics[used]
        (row,) = server.ask("GET", "/models").json()["models"]
        assert (row["precision"], row["accuracy"]) == (used, metrics[used]["accuracy"])
        assert row["accuracies"] == {form: figures["accuracy"] for form, figures in metrics.items()}
        parameters = server.ask("GET", "/v2/models/mnist/config").json()["parameters"]
        assert parameters == {"precision": {"string_value": used}}


def test_a_damaged_8_bit_file_keeps_the_server_from_starting(two_forms: TwoForms, tmp_path: Path) -> None:
    (two_forms(tmp_path) / "model.int8.onnx").write_bytes(b"damaged")
    done = subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main()", "serve"],
        env={**os.environ, "LECTERN_MODELS": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "model.int8.onnx: SHA-256 is" in line
    assert "LECTERN_PRECISION=float32" in line
