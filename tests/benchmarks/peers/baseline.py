"""Measures ONNX Runtime alone, in process: the upper bound of any server.

As a program it measures one process with one thread. Several processes avoid contention for Python's lock.
"""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_PROGRAM = Path(__file__)


@dataclass(frozen=True)
class BaselineResult:
    """The speed of ONNX Runtime alone.

    Attributes:
        call_ms: Median time of a call in ms.
        rate: Inputs per second, over all processes.
    """

    call_ms: float
    rate: float


def measure(model: Path, *, batch: int, processes: int, seconds: float) -> BaselineResult:
    """Run a network in several processes at once, with one thread each.

    Args:
        model: ONNX file with one ``uint8`` input.
        batch: Inputs in a call.
        processes: Number of processes.
        seconds: Duration.
    """
    command = [sys.executable, str(_PROGRAM), str(model), str(batch), str(seconds)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for process in started:  # each prints a line when its network is loaded and warm
        assert process.stdout is not None
        process.stdout.readline()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("start\n")
        process.stdin.flush()
    rows = [json.loads(process.communicate()[0]) for process in started]
    return BaselineResult(
        call_ms=median(row["call_ms"] for row in rows), rate=sum(row["rate"] for row in rows)
    )


def _main(model: str, batch: int, seconds: float) -> None:
    import numpy as np
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (spec,) = session.get_inputs()
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (batch, *spec.shape[1:]), dtype=np.uint8)
    for _ in range(5):
        session.run(None, {spec.name: pixels})
    print("warm", flush=True)
    sys.stdin.readline()
    times = []
    started = now = time.perf_counter()
    while now - started < seconds:
        session.run(None, {spec.name: pixels})
        before, now = now, time.perf_counter()
        times.append(now - before)
    rate = batch * len(times) / (now - started)
    print(json.dumps({"call_ms": median(times) * 1e3, "rate": rate}))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
