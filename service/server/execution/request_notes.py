"""Notes on the running request which model answers it and how, for metrics, its trace and the record."""

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from service.inference.prediction import Reason
from service.inference.predictor import Array, Input, Predictor
from service.inference.repository.model import Model
from service.server.execution.pending_request import BatchResult
from service.server.pipeline.access_log import Run, running_request


def note_model(model: Model) -> None:
    """Note which model the request is for."""
    request = running_request.get()
    if request is not None:
        request.model = model.name


def note_version(predictor: Predictor) -> None:
    """Note which version answers, and in which precision."""
    request = running_request.get()
    if request is not None:
        request.version, request.precision = str(predictor.card.version), predictor.precision


def note_stages(*, decode_s: float, before_s: float, result: BatchResult) -> None:
    """Note the stages of the request, from the last one backwards, if it has a trace.

    Args:
        decode_s: Seconds of decoding.
        before_s: Seconds of waiting before that.
        result: The seconds of what followed.
    """
    request = running_request.get()
    if request is None or request.stages is None:
        return
    ended = time.perf_counter()
    backwards = (
        ("inference", result.ran_s),
        ("queue", result.waited_s),
        ("decode", decode_s),
        ("queue", before_s),
    )
    for name, seconds in backwards:
        if seconds:
            request.stages.append((name, ended - seconds, ended))
            ended -= seconds


def note_run(
    predictor: Predictor,
    batch: Array,
    inputs: Sequence[Input],
    probabilities: npt.NDArray[np.float32],
    reasons: tuple[Reason | None, ...],
) -> None:
    """Note the answer of the network, if the request is recorded."""
    request = running_request.get()
    if request is None or request.runs is None:
        return
    texts = tuple(value for value in inputs if isinstance(value, str)) or None
    request.runs.append(Run(predictor, probabilities, reasons, texts, batch))
