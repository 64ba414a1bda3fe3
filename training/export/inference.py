"""Runs exported networks: over whole data sets, and for measuring their time."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from service.inference.precision import cpu_clock
from service.inference.session import open_session

_BATCH_SIZE = 250
_SECONDS, _FEWEST_RUNS = 1.0, 30


def run_session(session: ort.InferenceSession, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Run a network over prepared inputs (n, …), in batches.

    Returns:
        float32 (n, classes).
    """
    source, target = session.get_inputs()[0].name, session.get_outputs()[0].name
    starts = range(0, len(x), _BATCH_SIZE)
    return np.concatenate(
        [session.run([target], {source: x[start : start + _BATCH_SIZE]})[0] for start in starts]
    )


def run_network(proto: onnx.ModelProto, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Run a network that has no file yet; see :func:`run_session`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(proto.SerializeToString())
        return run_session(open_session(path, providers=("cpu",), threads=2), x)


def median_milliseconds(
    calls: Sequence[Callable[[], object]], *, seconds: float = _SECONDS
) -> tuple[float, ...]:
    """Time several calls alternately, so that other load on the machine affects all of them.

    Args:
        calls: Each runs on this thread alone. Each is called once before the measurement.
        seconds: Duration of the measurement for each call.

    Returns:
        Median processor time of each call in milliseconds.
    """
    for call in calls:
        call()
    times: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + seconds * len(calls)
    while time.perf_counter() < end or len(times[0]) < _FEWEST_RUNS:
        for call, taken in zip(calls, times, strict=True):
            begin = cpu_clock()
            call()
            taken.append(cpu_clock() - begin)
    return tuple(round(float(np.median(taken)) * 1e3, 4) for taken in times)
