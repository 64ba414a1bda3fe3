"""Declares the metrics of the server, and records requests and runs of the networks in them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from prometheus_client import Counter, Gauge, Histogram

from service.inference.card import Card
from service.inference.prediction import APPLIES_FROM, confidence
from service.inference.reading.reading import ReadDigit
from service.server.pipeline.access_log import RequestRecord
from service.server.pipeline.errors import LIMITS, ErrorCode, Limit
from service.server.pipeline.series import (
    CounterSeries,
    GaugeSeries,
    HistogramSeries,
    counter_series,
    gauge_series,
    histogram_series,
)

# Prometheus' default buckets start at 5 ms; most networks answer faster.
_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_INPUTS = (1, 2, 4, 8, 16, 32, 64, 128)
_WORDS = ("false", "true")
RecordResult: TypeAlias = Literal["written", "lost"]


@dataclass(frozen=True)
class Declaration:
    """A metric, as documents show it.

    Attributes:
        name: Name of the metric in Prometheus, without the endings of a histogram's series.
        kind: Its type in Prometheus.
        meaning: What it counts or measures.
        labels: Names of its labels; their values are never text that a client chooses.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()


def _counter(declaration: Declaration) -> Callable[..., CounterSeries]:
    """Return a function that finds the series of some labels, which no client can choose."""
    counter = Counter(declaration.name, declaration.meaning, declaration.labels)
    return cache(lambda *labels: counter_series(counter.labels(*labels) if labels else counter))


def _gauge(declaration: Declaration) -> GaugeSeries:
    return gauge_series(Gauge(declaration.name, declaration.meaning, multiprocess_mode="livesum"))


def _histogram(
    declaration: Declaration, buckets: tuple[float, ...] = _SECONDS
) -> Callable[..., HistogramSeries]:
    histogram = Histogram(declaration.name, declaration.meaning, declaration.labels, buckets=buckets)
    return cache(lambda *labels: histogram_series(histogram.labels(*labels)))


REQUESTS = Declaration(
    "lectern_requests_total",
    "counter",
    "Requests answered; a request that reaches no model has no model, version and precision",
    ("route", "model", "version", "precision", "status"),
)
REQUEST_SECONDS = Declaration(
    "lectern_request_seconds",
    "histogram",
    "Seconds from a request's head to its response",
    ("route", "model"),
)
REQUEST_ERRORS = Declaration(
    "lectern_request_errors_total", "counter", "Requests that ended with an error", ("code",)
)
REFUSALS = Declaration(
    "lectern_refusals_total",
    "counter",
    "Requests refused, and connections closed, because a limit was reached: `requests` in flight, expected "
    "`wait`, `explanations`, `memory`, `rate` of the API key, `connections`",
    ("limit",),
)
REQUESTS_IN_FLIGHT = Declaration(
    "lectern_requests_in_flight",
    "gauge",
    "Requests that wait or run, of those that the concurrency limit counts",
)
REQUESTS_IN_FLIGHT_LIMIT = Declaration(
    "lectern_requests_in_flight_limit",
    "gauge",
    "Requests in flight from which on further ones get 429, LECTERN_MAX_QUEUE of each worker",
)
SLOW_READERS = Declaration(
    "lectern_slow_readers_total",
    "counter",
    "Connections closed because their clients read the responses too slowly",
)
INPUTS_WAITING = Declaration("lectern_inputs_waiting", "gauge", "Inputs that wait for a thread")
DECODE_SECONDS = Declaration(
    "lectern_decode_seconds",
    "histogram",
    "Seconds of decoding the inputs of one request",
    ("model", "version"),
)
QUEUE_SECONDS = Declaration(
    "lectern_queue_seconds",
    "histogram",
    "Seconds that one request waited for a thread or for a run of the network",
    ("model", "version"),
)
INFERENCE_SECONDS = Declaration(
    "lectern_inference_seconds",
    "histogram",
    "Seconds of one run of a network in ONNX Runtime",
    ("model", "version"),
)
BATCH_INPUTS = Declaration(
    "lectern_batch_inputs", "histogram", "Inputs in one run of a network", ("model", "version")
)
PREDICTIONS = Declaration(
    "lectern_predictions_total",
    "counter",
    "Inputs classified and digits read, by their best label, and whether its score is below the card's "
    "threshold",
    ("model", "version", "label", "unsure"),
)
RECORDED_REQUESTS = Declaration(
    "lectern_recorded_requests_total",
    "counter",
    "Requests of the record: `written`, or `lost` because they came too fast or the folder cannot be written",
    ("result",),
)
LOG_LINES_LOST = Declaration(
    "lectern_log_lines_lost_total",
    "counter",
    "Lines of the log of workers that could not be written: the reader was too slow, or the disk was full",
)
WORKERS = Declaration("lectern_workers", "gauge", "Worker processes that are ready")
WORKERS_CONFIGURED = Declaration(
    "lectern_workers_configured", "gauge", "Worker processes that LECTERN_WORKERS asks for"
)
WORKER_RESTARTS = Declaration(
    "lectern_worker_restarts_total",
    "counter",
    "Worker processes that were started in place of one that ended unexpectedly",
)
MODEL_INFO = Declaration(
    "lectern_model_info",
    "gauge",
    "1 for each version that can be used; the provider is known when it is loaded",
    ("model", "version", "precision", "provider", "default"),
)
MODEL_UNAVAILABLE = Declaration(
    "lectern_model_unavailable", "gauge", "1 for each version that cannot be used", ("model", "version")
)
BUILD_INFO = Declaration(
    "lectern_build_info", "gauge", "1, with the releases in use", ("version", "python", "onnxruntime")
)
DECLARATIONS = tuple(value for value in globals().values() if isinstance(value, Declaration))

requests_in_flight = _gauge(REQUESTS_IN_FLIGHT)
requests_in_flight_limit = _gauge(REQUESTS_IN_FLIGHT_LIMIT)
slow_readers = _counter(SLOW_READERS)()
waiting_inputs = _gauge(INPUTS_WAITING)
workers = _gauge(WORKERS)
_log_lines_lost = _counter(LOG_LINES_LOST)()
worker_restarts = _counter(WORKER_RESTARTS)()
_requests_of = _counter(REQUESTS)
_request_seconds_of = _histogram(REQUEST_SECONDS)
_errors_of, _refusals_of = _counter(REQUEST_ERRORS), _counter(REFUSALS)
_recorded_of = _counter(RECORDED_REQUESTS)
_predictions_of = _counter(PREDICTIONS)
_model_histograms = (
    _histogram(DECODE_SECONDS),
    _histogram(QUEUE_SECONDS),
    _histogram(INFERENCE_SECONDS),
    _histogram(BATCH_INPUTS, _INPUTS),
)


# Guards the series that threads change: the networks', the record's and the log's. A finalizer can log while
# the lock is held.
_lock = RLock()


class _ModelSeries(NamedTuple):
    """The series of one version of a model that every request for it changes."""

    decode_seconds: HistogramSeries
    queue_seconds: HistogramSeries
    inference_seconds: HistogramSeries
    batch_inputs: HistogramSeries


@cache
def _series_of(model: str, version: int) -> _ModelSeries:
    return _ModelSeries(*(find(model, version) for find in _model_histograms))


def create_series() -> None:
    """Create the series of errors, refusals and recorded requests with the value 0.

    Prometheus' ``increase`` does not count the first value of a series that did not exist before.
    """
    for error in ErrorCode:
        _errors_of(error.code)
    for limit in LIMITS:
        _refusals_of(limit)
    for result in get_args(RecordResult):
        _recorded_of(result)


def count_request(record: RequestRecord, seconds: float) -> None:
    """Count a request that is finished, on the event loop.

    Args:
        record: The request.
        seconds: Seconds from its head to its response.
    """
    _requests_of(record.route, record.model, record.version, record.precision, record.status).inc()
    _request_seconds_of(record.route, record.model).observe(seconds)
    if record.code:
        _errors_of(record.code).inc()
    if record.limit:
        _refusals_of(record.limit).inc()


def count_refusal(limit: Limit) -> None:
    """Count a connection that is closed because a limit was reached."""
    _refusals_of(limit).inc()


def count_recorded(result: RecordResult, requests: int = 1) -> None:
    """Count requests that the record has, or lacks, from any thread."""
    with _lock:
        _recorded_of(result).inc(requests)


def count_lost_lines(lines: int) -> None:
    """Count lines that the log lacks, from any thread."""
    with _lock:
        _log_lines_lost.inc(lines)


def count_stages(card: Card, *, decode_s: float, queue_s: float) -> None:
    """Record the seconds that one request took to decode, and waited for its network, on the event loop."""
    series = _series_of(card.name, card.version)
    series.decode_seconds.observe(decode_s)
    series.queue_seconds.observe(queue_s)


def count_run(
    card: Card, probabilities: npt.NDArray[np.float32], seconds: float, *, counted: bool = True
) -> None:
    """Count one run of a network, from any thread.

    Args:
        card: Card of the model.
        probabilities: The output, float32 array (inputs, labels); the values of a regression are not counted.
        seconds: Seconds in ONNX Runtime.
        counted: Whether the outputs are predictions, and not those for what may be a digit.
    """
    answers: dict[tuple[int, bool], int] = {}
    if counted and card.task != "regression":
        for answer in _answers(card, probabilities):
            answers[answer] = answers.get(answer, 0) + 1
    series = _series_of(card.name, card.version)
    with _lock:
        series.batch_inputs.observe(len(probabilities))
        series.inference_seconds.observe(seconds)
        for (index, unsure), inputs in answers.items():
            _predictions_of(card.name, card.version, card.labels[index], _WORDS[unsure]).inc(inputs)


def count_digits(card: Card, digits: Sequence[ReadDigit]) -> None:
    """Count the digits that were read in a picture as predictions, on the event loop."""
    with _lock:
        for digit in digits:
            _predictions_of(card.name, card.version, digit.label, _WORDS[digit.unsure]).inc()


def _answers(card: Card, probabilities: npt.NDArray[np.float32]) -> Iterator[tuple[int, bool]]:
    """Yield the number of each answered label, and whether the answer is unsure.

    It is the best label of each input, or each label that applies if several can.
    """
    if card.task == "multi-label-classification":
        for row in probabilities:
            unsure = confidence(row, multi_label=True) < card.unsure_below
            yield from ((index, unsure) for index in np.flatnonzero(row >= APPLIES_FROM).tolist())
        return
    for number, index in enumerate(probabilities.argmax(axis=1).tolist()):
        yield index, probabilities.item(number, index) < card.unsure_below


def markdown_table() -> str:
    """Return the metrics as a Markdown table, for the README."""
    rows = [
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} | {one.meaning} |"
        for one in DECLARATIONS
    ]
    return "\n".join(["| metric | type | labels | content |", "|---|---|---|---|", *rows])
