"""Owns the bare limit: what ONNX Runtime does in process, with nothing around it.

Run as a program, one process a thread, so that Python's lock between threads costs nothing: it prints the
median milliseconds of a call, and the inputs a second.
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
class Limit:
    """What ONNX Runtime does by itself.

    Attributes:
        call_ms: Median milliseconds of one call.
        rate: Inputs a second, over all processes.
    """

    call_ms: float
    rate: float


def measure(model: Path, *, batch: int, processes: int, seconds: float) -> Limit:
    """Run a network in several processes at once, one thread each.

    Args:
        model: The ONNX file, with one ``uint8`` input.
        batch: Inputs in a call.
        processes: How many at once.
        seconds: How long.
    """
    words = [sys.executable, str(_PROGRAM), str(model), str(batch), str(seconds)]
    started = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for process in started:  # each says when its network is loaded and warm
        assert process.stdout is not None
        process.stdout.readline()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    rows = [json.loads(process.communicate()[0]) for process in started]
    return Limit(call_ms=median(row["call_ms"] for row in rows), rate=sum(row["rate"] for row in rows))


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
