"""Turns a request with its predictions into the lines of a record, JSON objects."""

import base64
import io
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
from msgspec import Struct
from PIL import Image

from service.inference.predictor import Array
from service.server.pipeline.access_log import RequestRecord, Run
from service.settings import RecordedInputs

# A model of the user's own may have thousands of labels, and a text millions of characters.
_MAX_LABELS, _MAX_CHARACTERS = 10, 20_000
_NO_PREDICTION = dict.fromkeys(("label", "score", "scores", "unsure", "reason"))


class RecordedRequest(Struct, frozen=True):
    """A finished request on its way to the record.

    Attributes:
        request: The request.
        runs: What networks answered, with the inputs that are recorded alone.
        ended: Seconds since 1970 when it was finished.
        seconds: Seconds from its head to its response.
        size: About how many bytes of memory it holds.
    """

    request: RequestRecord
    runs: tuple[Run, ...]
    ended: float
    seconds: float
    size: int


def recorded_request(
    request: RequestRecord, *, ended: float, seconds: float, inputs: RecordedInputs
) -> RecordedRequest | None:
    """Take from a finished request what the record keeps; the request no longer holds its runs.

    Args:
        request: The request, with its runs.
        ended: Seconds since 1970.
        seconds: Seconds from its head to its response.
        inputs: Which inputs are kept.

    Returns:
        None for a request that is not recorded: there is no such model, or it was refused because a limit was
        reached.
    """
    runs = tuple(_kept(run, inputs) for run in request.runs or ())
    request.runs = None
    if not runs and (not request.model or request.limit):
        return None
    return RecordedRequest(request, runs, ended, seconds, sum(map(_size, runs)))


def lines(recorded: RecordedRequest) -> Iterator[bytes]:
    """Yield a line for each input of a request; one for a request without a prediction."""
    request = recorded.request
    common: dict[str, Any] = {
        "time": datetime.fromtimestamp(recorded.ended, UTC).isoformat(timespec="milliseconds"),
        "request_id": request.request_id,
        "route": request.route,
        "status": request.status,
        "milliseconds": round(recorded.seconds * 1e3, 3),
        "error": request.code or None,
        "model": request.model,
        "version": int(request.version) if request.version else None,
        "precision": request.precision or None,
    }
    if not recorded.runs:
        yield _line(common | {"input": 0} | _NO_PREDICTION)
    number = 0
    for run in recorded.runs:
        for row in range(len(run.probabilities)):
            yield _line(common | {"input": number} | _prediction(run, row) | _input(run, row))
            number += 1


def _kept(run: Run, inputs: RecordedInputs) -> Run:
    """Return a run with the inputs that are recorded alone, the others freed."""
    texts, batch = None, None
    if inputs != "none" and run.texts is not None:
        texts = tuple(text[:_MAX_CHARACTERS] for text in run.texts)
    if inputs == "all" and not run.predictor.takes_text:
        batch = run.batch
    return Run(run.predictor, run.probabilities, run.reasons, texts, batch)


def _size(run: Run) -> int:
    texts, batch = run.texts or (), run.batch
    # A character of a text takes up to four bytes.
    return run.probabilities.nbytes + 4 * sum(map(len, texts)) + (0 if batch is None else batch.nbytes)


def _prediction(run: Run, row: int) -> dict[str, object]:
    reason = run.reasons[row] if run.reasons else None
    if run.predictor.card.task == "regression":
        result = run.predictor.answer_values(run.probabilities[row], reason=reason)
        values = [{"label": value.label, "value": value.value} for value in result.values]
        return _NO_PREDICTION | {"values": values, "unsure": result.unsure, "reason": reason}
    prediction = run.predictor.answer(run.probabilities[row], top_k=_MAX_LABELS, reason=reason)
    return prediction.columns() | {"reason": reason}


def _input(run: Run, row: int) -> dict[str, object]:
    if run.texts is not None:
        return {"text": run.texts[row]}
    if run.batch is not None and run.predictor.card.reads == "tables":
        return {"row": [None if math.isnan(value) else value for value in run.batch[row].tolist()]}
    if run.batch is not None:
        return {"picture": base64.b64encode(_png(run.batch[row])).decode()}
    return {}


def _png(pixels: Array) -> bytes:
    """Return pixels, uint8 (height, width[, 3]), as a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
