"""The engine loads models when they are needed, and does nothing slow on the event loop."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY

from service.inference.errors import DamagedImage, InputTooLarge, ModelError
from service.inference.predictor import Predictor
from service.server.execution.engine import Engine
from service.server.pipeline.errors import RequestError
from service.server.pipeline.memory import HeldMemory, RequestMemory, WorkingMemory
from service.settings import Settings


@pytest.fixture
def engine(tmp_path: Path, tiny_model: Callable[..., Path]) -> Iterator[Engine]:
    """An engine, not started yet, of two versions of one model."""
    tiny_model(tmp_path, version=1, bias=(5.0,) + (0.0,) * 9)
    tiny_model(tmp_path, version=2, bias=(0.0,) * 9 + (5.0,))
    made = Engine(Settings(models=tmp_path))
    yield made
    made.close()


def _best(engine: Engine, content: bytes, version: int | None) -> str:
    async def ask() -> str:
        predictor = await engine.predictor("mnist", version)
        result = await engine.infer(predictor, (content,))
        return predictor.answer(result.probabilities[0]).best.label

    return asyncio.run(ask())


def test_it_is_ready_once_it_has_started_and_until_it_drains(engine: Engine) -> None:
    assert not engine.is_ready()
    engine.start()
    assert engine.is_ready()
    engine.drain()
    assert not engine.is_ready()
    assert engine.is_loaded()


def test_without_a_usable_model_it_does_not_start(engine: Engine, tmp_path: Path) -> None:
    for version in (1, 2):
        (tmp_path / "mnist" / str(version) / "model.onnx").write_bytes(b"cut")
    with pytest.raises(ModelError, match=r"no model can be used: mnist/2/model\.onnx.*mnist/1/model\.onnx"):
        engine.start()
    assert not engine.is_ready()


def test_every_version_answers_for_itself(engine: Engine, digit_png: bytes) -> None:
    engine.start()
    assert [_best(engine, digit_png, version) for version in (None, 2, 1)] == ["9", "9", "0"]


def test_a_loaded_version_is_returned_without_a_thread(
    engine: Engine, digit_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.start()
    _best(engine, digit_png, 1)

    monkeypatch.setattr(engine, "in_thread", None)

    assert _best(engine, digit_png, 1) == "0"


def test_another_version_is_loaded_and_warmed_off_the_event_loop(
    engine: Engine, digit_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.start()
    steps: list[int] = []
    for name in ("load", "warm"):
        real = getattr(Predictor, name)

        def note(*args: Any, real: Callable[..., Any] = real, **options: Any) -> Any:
            steps.append(threading.get_ident())
            return real(*args, **options)

        monkeypatch.setattr(Predictor, name, note)
    assert _best(engine, digit_png, 1) == "0"
    assert len(steps) > 1
    assert threading.get_ident() not in steps


@pytest.mark.parametrize("side", [28, 2000])
def test_a_large_picture_is_decoded_off_the_event_loop(
    engine: Engine,
    encode: Callable[..., bytes],
    mnist_digits: Any,
    monkeypatch: pytest.MonkeyPatch,
    side: int,
) -> None:
    engine.start()
    decoded: list[bool] = []
    real = Predictor.examine

    def note(self: Predictor, *args: Any, **options: Any) -> Any:
        row = real(self, *args, **options)
        decoded.append(threading.current_thread() is threading.main_thread())
        return row

    monkeypatch.setattr(Predictor, "examine", note)
    factor = side // 28
    content = encode(mnist_digits[0].repeat(factor, axis=0).repeat(factor, axis=1))
    assert _best(engine, content, None) == "9"
    assert decoded == [side == 28]


def test_the_error_names_the_input_at_fault(engine: Engine, digit_png: bytes) -> None:
    engine.start()

    async def ask() -> None:
        await engine.infer(await engine.predictor("mnist", None), (digit_png, b"no picture"))

    with pytest.raises(DamagedImage, match=r"^input 2 of 2: "):
        asyncio.run(ask())


def test_a_batch_gives_the_same_result_as_its_picture(
    engine: Engine, mnist_digits: Any, digit_png: bytes
) -> None:
    engine.start()

    async def ask() -> tuple[Any, Any]:
        predictor = await engine.predictor("mnist", None)
        started = time.perf_counter() - 1.0
        return (
            await engine.infer(predictor, (digit_png,)),
            await engine.infer(predictor, mnist_digits[:1], started=started),
        )

    of_picture, of_batch = asyncio.run(ask())
    assert of_batch.probabilities.tolist() == of_picture.probabilities.tolist()
    assert of_batch.decode_ms >= 1000


def test_a_run_counts_once_however_many_requests_share_it(engine: Engine, mnist_digits: Any) -> None:
    engine.start()

    async def ask() -> None:
        predictor = await engine.predictor("mnist", None)
        await asyncio.gather(*(engine.infer(predictor, mnist_digits[:1]) for _ in range(8)))

    def counts() -> tuple[float, ...]:
        samples = [sample for family in REGISTRY.collect() for sample in family.samples]
        return tuple(
            sum(one.value for one in samples if one.name == name and one.labels["model"] == "mnist")
            for name in (
                *("lectern_inference_seconds_count", "lectern_batch_inputs_count"),
                *("lectern_batch_inputs_sum", "lectern_predictions_total"),
            )
        )

    before = counts()
    asyncio.run(ask())
    runs, batches, inputs, predictions = (
        after - earlier for after, earlier in zip(counts(), before, strict=True)
    )
    assert 1 <= runs < 8
    assert (batches, inputs, predictions) == (runs, 8, 8)


def test_the_times_of_a_request_add_up(engine: Engine, digit_png: bytes) -> None:
    engine.start()

    async def ask() -> Any:
        return await engine.infer(await engine.predictor("mnist", None), (digit_png,) * 3)

    result = asyncio.run(ask())
    assert result.decode_ms > 0
    assert result.inference_ms > 0
    assert 0 <= result.queue_ms < 5000


def test_a_picture_that_needs_more_memory_than_there_is_is_an_error(
    tmp_path: Path, tiny_model: Callable[..., Path], encode: Callable[..., bytes], digit_png: bytes
) -> None:
    tiny_model(tmp_path, version=1, bias=(5.0,) + (0.0,) * 9)
    engine = Engine(Settings(models=tmp_path), working_memory=WorkingMemory(20_000_000))
    engine.start()
    with pytest.raises(InputTooLarge, match="LECTERN_MEMORY_MB"):
        _best(engine, encode(np.zeros((2000, 2000), np.uint8)), None)
    assert _best(engine, digit_png, None) == "0"
    engine.close()


def test_prepared_inputs_count_towards_the_memory_of_their_request(engine: Engine, digit_png: bytes) -> None:
    engine.start()
    memory = RequestMemory(10 * 28 * 28)

    async def ask(count: int) -> None:
        with HeldMemory(memory):
            await engine.infer(await engine.predictor("mnist", None), (digit_png,) * count)

    asyncio.run(ask(10))
    with pytest.raises(RequestError, match="takes 8624 bytes") as refused:
        asyncio.run(ask(11))
    assert (refused.value.status, memory.used) == (413, 0)


def test_the_cores_of_the_setting_bound_the_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, str]] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, threads: int, *, thread_name_prefix: str) -> None:
            made.append((threads, thread_name_prefix))
            super().__init__(threads, thread_name_prefix=thread_name_prefix)

    monkeypatch.setattr("service.resources._cores", lambda: 64)
    monkeypatch.setattr("service.resources._machine_memory", lambda: 10**12)
    for module in ("waiting", "thread_batcher"):
        monkeypatch.setattr(f"service.server.execution.{module}.ThreadPoolExecutor", Pool)
    Engine(Settings(models=tmp_path, cpus=8, workers=2)).close()
    assert made == [(4, "work"), (1, "load"), (2, "explain"), (4, "batch")]


def test_loading_a_version_does_not_make_the_next_requests_wait_too_long(
    tmp_path: Path, tiny_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Predictor.load

    def load_slowly(*arguments: Any, **options: Any) -> Predictor:
        time.sleep(0.5)
        return load(*arguments, **options)

    for version in (1, 2):
        tiny_model(tmp_path, version=version)
    engine = Engine(Settings(models=tmp_path, cpus=1, max_wait_s=0.3))
    engine.start()
    monkeypatch.setattr(Predictor, "load", load_slowly)

    async def ask() -> None:
        await engine.predictor("mnist", 1)
        await asyncio.gather(*(engine.in_thread(lambda: None) for _ in range(20)))

    try:
        asyncio.run(ask())
    finally:
        engine.close()
