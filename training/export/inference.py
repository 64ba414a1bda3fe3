"""Owns running exported networks over whole data sets."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from service.inference.session import open_session

_BATCH = 250


def run_session(session: ort.InferenceSession, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Run a network over prepared inputs (n, …), in batches.

    Returns:
        float32 (n, classes).
    """
    source, target = session.get_inputs()[0].name, session.get_outputs()[0].name
    parts = [
        session.run([target], {source: x[start : start + _BATCH]})[0] for start in range(0, len(x), _BATCH)
    ]
    return np.concatenate(parts)


def run_network(proto: onnx.ModelProto, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Run a network that is in no folder yet; as :func:`run_session`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(proto.SerializeToString())
        return run_session(open_session(path, providers=("cpu",), threads=2), x)
