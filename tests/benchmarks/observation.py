"""The command ``./run bench observation``: what metrics, traces and the record of requests cost a request.

Each function that observes is timed alone, because they take less time than that of a whole request varies.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import uvloop
from layers import over_http, silenced
from peers.protocols import Digits
from peers.systems import MODEL

from service.inference.predictor import Predictor
from service.server.app import Application, create_app
from service.server.execution.input_decoder import DecodedInputs
from service.server.execution.pending_request import BatchResult
from service.server.execution.request_notes import note_answer
from service.server.pipeline import metrics
from service.server.pipeline.access_log import RequestRecord, running_request
from service.server.recording.recorder import RequestRecorder
from service.server.recording.rows import lines, recorded_request
from service.settings import RecordedInputs, Settings

_ROUNDS, _CALLS = 25, 300


@click.command()
def observation() -> None:
    """Measure what metrics, traces and the record of requests add to a request.

    Prints a Markdown table of processor time, and of its share of one request without sockets. The request
    has one digit, as a PNG file or as a tensor of the Open Inference Protocol. Takes half a minute.
    """
    with tempfile.TemporaryDirectory() as folder:
        # As in a worker, metrics are counted in files; their library decides that when it is imported.
        environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": folder}
        sys.exit(subprocess.call([sys.executable, __file__], env=environment))


async def _measure() -> None:
    app = create_app(Settings.from_environment())
    app.engine.start()
    predictor = await app.engine.predictor("mnist", int(MODEL.parent.name))
    png, tensor = [await _request_us(app, kind) for kind in ("png", "tensor")]
    click.echo("| | µs | share of one PNG | of one tensor |\n|---|--:|--:|--:|")
    click.echo(f"| one request | | {png:.0f} µs | {tensor:.0f} µs |")
    for name, microseconds in _observers(predictor).items():
        shares = f"{microseconds / png:.1%} | {microseconds / tensor:.1%}"
        click.echo(f"| {name} | {microseconds:.2f} | {shares} |")


def _observers(predictor: Predictor) -> dict[str, float]:
    """Return the processor time of what observes a request, in µs."""
    pixels = Digits.load().pixels[:1]
    probabilities, card = predictor.probabilities(pixels), predictor.card
    result = BatchResult(probabilities, waited_s=0.0, ran_s=1e-4)
    request = _request()
    running_request.set(request)
    note = partial(note_answer, predictor, DecodedInputs(pixels, 1e-4), result, before_s=0.0)
    counts = (
        partial(metrics.requests_in_flight.set, 1),
        partial(metrics.requests_in_flight.set, 0),
        partial(metrics.count_request, request, 1e-3),
        partial(metrics.count_stages, card, decode_s=1e-4, queue_s=0.0),
        partial(metrics.count_run, card, probabilities, 1e-4),
    )
    off_us = _time_us(note)
    recorder = RequestRecorder.from_settings(Settings(record=Path("not-written")))
    assert recorder is not None

    def take() -> None:
        request.runs = []
        note()
        recorder.add(request, 1e-3)
        recorder._waiting.clear()

    def write(inputs: RecordedInputs) -> Callable[[], object]:
        request.runs = []
        note()
        recorded = recorded_request(request, ended=time.time(), seconds=1e-3, inputs=inputs)
        assert recorded is not None
        return lambda: b"".join(lines(recorded))

    return {
        "traces and record, both off": off_us,
        "metrics": sum(map(_time_us, counts)),
        "record: taking a request, before the next one": _time_us(take),
        "record: writing it in a thread, without its input": _time_us(write("none")),
        "record: writing it in a thread, with its picture": _time_us(write("all")),
    }


def _request() -> RequestRecord:
    return RequestRecord(
        request_id="f" * 32,
        method="POST",
        path="/models/mnist",
        client="127.0.0.1",
        route="/models/{name}",
        status=200,
        model="mnist",
        version="1",
        precision="float32",
    )


def _time_us(work: Callable[[], object]) -> float:
    """Return the processor time of one call in µs, in the round that was disturbed least."""
    rounds = []
    for _ in range(_ROUNDS):
        begun = time.process_time()
        for _ in range(_CALLS):
            work()
        rounds.append(time.process_time() - begun)
    return min(rounds) / _CALLS * 1e6


async def _request_us(app: Application, kind: str) -> float:
    """Return the processor time of a whole request in µs, in the round that was disturbed least."""
    digits = Digits.load()
    if kind == "png":
        send = over_http(app, "/models/mnist/versions/1", digits.png())
    else:
        send = over_http(app, "/v2/models/mnist/versions/1/infer", digits.oip_binary(1))
    rounds = []
    with silenced():
        for _ in range(_ROUNDS):
            begun = time.process_time()
            for _ in range(_CALLS):
                await send()
            rounds.append(time.process_time() - begun)
    return min(rounds) / _CALLS * 1e6


if __name__ == "__main__":
    uvloop.run(_measure())
