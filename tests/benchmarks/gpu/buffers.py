"""Measures what it brings to keep the inputs and outputs of a network in memory of the GPU.

The server passes arrays to ONNX Runtime, which allocates memory on the GPU and copies them in each run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from gpu.rates import BATCHES, inputs, rate

from service.inference.card import Card
from service.inference.precision import onnx_path
from service.inference.predictor import Array

_CUDA = "CUDAExecutionProvider"


class BoundSession:
    """A network whose inputs and outputs have buffers of their own for each batch size.

    Args:
        path: The network.
        device: ``cuda``, or ``cpu`` to try it.
        graph: Whether to record a run as a CUDA graph, and repeat that. It needs buffers at fixed addresses,
            and a network that runs on the GPU as a whole.
    """

    def __init__(self, path: Path, *, device: str, graph: bool = False) -> None:
        chosen = (_CUDA, {"enable_cuda_graph": str(int(graph))})
        providers: list[Any] = [chosen] if device == "cuda" else ["CPUExecutionProvider"]
        options = ort.SessionOptions()
        options.log_severity_level = 3
        self._session = ort.InferenceSession(str(path), options, providers=providers)
        self._device = device
        self._graph = graph
        self._bound: dict[tuple[int, ...], tuple[Any, Any, Any, Any]] = {}

    def run(self, batch: Array) -> npt.NDArray[np.float32]:
        """Copy a batch into its buffer, run the network, and copy the output out of its buffer."""
        if batch.shape not in self._bound:
            self._bound[batch.shape] = self._bind(batch)
        binding, source, target, options = self._bound[batch.shape]
        source.update_inplace(batch)
        self._session.run_with_iobinding(binding, options)
        result: npt.NDArray[np.float32] = target.numpy()
        return result

    def _bind(self, batch: Array) -> tuple[Any, Any, Any, Any]:
        first, output = self._session.get_inputs()[0], self._session.get_outputs()[0]
        make = partial(ort.OrtValue.ortvalue_from_shape_and_type, device_type=self._device)
        source, target = make(batch.shape, batch.dtype), make((len(batch), *output.shape[1:]), np.float32)
        binding, options = self._session.io_binding(), ort.RunOptions()
        binding.bind_ortvalue_input(first.name, source)
        binding.bind_ortvalue_output(output.name, target)
        if self._graph:  # one for each size
            options.add_run_config_entry("gpu_graph_id", str(len(self._bound) + 1))
        return binding, source, target, options


@dataclass(frozen=True)
class BufferResult:
    """Inputs per second of one model, by batch size.

    Attributes:
        name: Of the model.
        bound: With buffers.
        graph: With buffers and a CUDA graph; empty if the network cannot be recorded.
    """

    name: str
    bound: dict[int, float]
    graph: dict[int, float]


def measure_buffers(card: Card, models: Path, *, device: str, seconds: float) -> BufferResult:
    """Measure the default version of a model.

    Args:
        card: Of the version.
        models: Folder of all models.
        device: ``cuda`` or ``cpu``.
        seconds: For each figure.
    """
    path = onnx_path(models / card.name / str(card.version), "float32")
    bound = _rates(BoundSession(path, device=device), card, seconds)
    graph = {}
    if device == "cuda":
        try:
            graph = _rates(BoundSession(path, device=device, graph=True), card, seconds)
        except Exception as error:  # ONNX Runtime's exceptions have no common base class
            click.echo(f"{card.name} has no CUDA graph: {' '.join(str(error).split())}", err=True)
    return BufferResult(card.name, bound, graph)


def buffer_table(results: list[BufferResult]) -> str:
    """Return a Markdown table; inputs per second with buffers, and with a CUDA graph behind the slash."""
    return "\n".join(_lines(results))


def _rates(session: BoundSession, card: Card, seconds: float) -> dict[int, float]:
    batches = {size: inputs(card, size) for size in BATCHES}
    return {size: rate(partial(session.run, batch), size, seconds=seconds) for size, batch in batches.items()}


def _lines(results: list[BufferResult]) -> Iterator[str]:
    yield "| model | " + " | ".join(f"batch {size}" for size in BATCHES) + " |"
    yield "|---|" + "--:|" * len(BATCHES)
    for result in results:
        rates = (
            f"{result.bound[size]:,.0f} / " + (f"{result.graph[size]:,.0f}" if result.graph else "–")
            for size in BATCHES
        )
        yield f"| {result.name} | {' | '.join(rates)} |"
