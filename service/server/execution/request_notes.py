"""Notes on the running request which model answers it and how, for metrics, its trace and the record."""

import time
from collections.abc import Iterator

from service.inference.predictor import Predictor
from service.inference.repository.model import Model
from service.server.execution.input_decoder import DecodedInputs
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


def note_answer(
    predictor: Predictor, decoded: DecodedInputs, result: BatchResult, *, before_s: float
) -> None:
    """Note the stages of the request if it has a trace, and the network's answer if it is recorded.

    Args:
        predictor: The model.
        decoded: The inputs.
        result: The network's output.
        before_s: Seconds of waiting before the inputs were decoded.
    """
    request = running_request.get()
    if request is None:
        return
    if request.stages is not None:
        request.stages += _stages(before_s, decoded.decode_s, result)
    if request.runs is not None:
        texts = tuple(value for value in decoded.inputs if isinstance(value, str)) or None
        request.runs.append(Run(predictor, result.probabilities, decoded.reasons, texts, decoded.batch))


def _stages(before_s: float, decode_s: float, result: BatchResult) -> Iterator[tuple[str, float, float]]:
    """Yield the names of the stages, which end now, and when each began and ended, from the last one on."""
    ended = time.perf_counter()
    backwards = (
        ("inference", result.ran_s),
        ("queue", result.waited_s),
        ("decode", decode_s),
        ("queue", before_s),
    )
    for name, seconds in backwards:
        if seconds:
            yield name, ended - seconds, ended
            ended -= seconds
