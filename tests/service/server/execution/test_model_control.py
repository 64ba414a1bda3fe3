"""A worker changes its models, and waits for the other workers."""

import asyncio
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.inference.catalog import Catalog
from service.inference.errors import LecternError, ModelError, ModelNotFound
from service.server.execution.engine import Engine
from service.server.execution.shared_state import SharedState, State, WorkerState
from service.server.pipeline.errors import RequestError, to_request_error
from service.settings import Settings

TinyModel = Callable[..., Path]


@pytest.fixture
def shared_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
    return folder


@pytest.fixture
def engine(tmp_path: Path, shared_folder: Path, tiny_model: TinyModel) -> Iterator[Engine]:
    """An engine of two models that can be changed, which waits for others for half a second."""
    for name in ("mnist", "other"):
        tiny_model(tmp_path / "models", name=name)
    made = Engine(Settings(models=str(tmp_path / "models"), model_control=True, timeout_s=0.5))
    made.start()
    yield made
    made.close()


def _other_worker(folder: Path, report: WorkerState) -> SharedState:
    """Report as another worker; the process that runs the tests was started by one that is alive."""
    other = SharedState(folder, server=os.getppid(), worker=os.getppid())
    other.report(report)
    return other


def test_a_request_that_runs_is_completed_and_then_the_network_is_freed(
    engine: Engine, digit_png: bytes
) -> None:
    async def ask() -> Any:
        predictor = await engine.predictor("mnist", None)
        await engine.control.unload("mnist")
        with pytest.raises(ModelNotFound):
            await engine.predictor("mnist", None)
        result = await engine.infer(predictor, (digit_png,))
        assert result.probabilities.shape == (1, 10)
        return weakref.ref(predictor)

    found = asyncio.run(ask())
    gc.collect()
    assert found() is None


def test_a_version_in_use_is_loaded_before_it_is_replaced(
    engine: Engine, tmp_path: Path, tiny_model: TinyModel
) -> None:
    tiny_model(tmp_path / "models", version=2)
    asyncio.run(engine.control.load("mnist"))
    model = engine.catalog.model("mnist")
    assert (model.default, sorted(model.loaded)) == (2, [1, 2])


def test_a_load_is_refused_if_a_file_is_a_pipe_and_the_next_one_works(
    engine: Engine, tmp_path: Path, tiny_model: TinyModel
) -> None:
    path = tiny_model(tmp_path / "models", version=2) / "card.json"
    content = path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ModelError, match=r"mnist/2/card\.json: cannot be read \(not a regular file\)"):
        asyncio.run(engine.control.load("mnist"))
    assert engine.catalog.model("mnist").default == 1
    path.unlink()
    path.write_bytes(content)
    asyncio.run(engine.control.load("mnist"))
    assert engine.catalog.model("mnist").default == 2


def test_a_load_names_a_version_with_leading_zeros(
    engine: Engine, tmp_path: Path, tiny_model: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    tiny_model(tmp_path / "models", version=7).rename(tmp_path / "models" / "mnist" / "007")
    asyncio.run(engine.control.load("mnist"))
    assert engine.catalog.versions("mnist") == (1,)
    assert "mnist/007: write the version as 7" in caplog.text
    shutil.rmtree(tmp_path / "models" / "mnist" / "1")
    with pytest.raises(ModelError, match="mnist/007: write the version as 7"):
        asyncio.run(engine.control.load("mnist"))
    assert engine.catalog.versions("mnist") == (1,)


def test_a_client_does_not_learn_where_the_models_are(engine: Engine, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "models")
    with pytest.raises(LecternError, match="no such folder") as raised:
        asyncio.run(engine.control.load("mnist"))
    assert str(tmp_path) not in to_request_error(raised.value).message


def test_another_worker_that_cannot_load_is_reported(engine: Engine, shared_folder: Path) -> None:
    _other_worker(shared_folder, WorkerState(change=1, errors={"mnist": "there is no memory"}))
    with pytest.raises(RequestError, match=r"cannot load mnist.*there is no memory"):
        asyncio.run(engine.control.load("mnist"))


def test_another_worker_that_does_not_follow_is_reported(engine: Engine, shared_folder: Path) -> None:
    _other_worker(shared_folder, WorkerState(change=-1))
    with pytest.raises(RequestError, match=r"1 of 1 other workers .* within 0\.45 s") as raised:
        asyncio.run(engine.control.unload("mnist"))
    assert raised.value.code == "deadline_exceeded"


def test_a_worker_that_has_ended_is_not_waited_for(engine: Engine, shared_folder: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    SharedState(shared_folder, server=os.getppid(), worker=ended.pid).report(WorkerState(change=-1))
    asyncio.run(engine.control.unload("mnist"))
    assert not list(shared_folder.glob(f"*worker_{ended.pid}.json"))


def test_a_change_of_another_worker_is_followed(
    engine: Engine, shared_folder: Path, tmp_path: Path, tiny_model: TinyModel, until: Callable[..., Any]
) -> None:
    other = _other_worker(shared_folder, WorkerState(change=0))
    tiny_model(tmp_path / "models", version=2)
    state = other.read()
    assert state is not None
    mnist = type(state.models["mnist"])
    with other.locked():
        other.write(State(1, {"mnist": mnist(1, (1, 2)), "other": mnist(1, None), "gone": mnist(1, (1,))}))
    until(lambda: (found := other.others()) and found[0].change == 1)
    assert engine.catalog.versions("mnist") == (1, 2)
    assert engine.catalog.find("other") is None
    assert list(other.others()[0].errors) == ["gone"]


def test_a_worker_that_starts_serves_what_the_others_serve(
    engine: Engine, tmp_path: Path, tiny_model: TinyModel
) -> None:
    asyncio.run(engine.control.unload("other"))
    tiny_model(tmp_path / "models", version=2)
    tiny_model(tmp_path / "models", name="new")
    again = Engine(Settings(models=str(tmp_path / "models"), model_control=True))
    again.start()
    try:
        assert [(card.name, card.version) for card in again.catalog] == [("mnist", 1)]
    finally:
        again.close()


def test_a_process_without_other_workers_needs_no_folder(
    tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tiny_model(tmp_path / "models")
    engine = Engine(Settings(models=str(tmp_path / "models"), model_control=True))
    engine.start()
    asyncio.run(engine.control.load("mnist"))
    engine.close()
    assert list(tmp_path.glob("lectern-*")) == []


def test_without_a_usable_model_the_first_worker_does_not_start(
    tmp_path: Path, shared_folder: Path, tiny_model: TinyModel
) -> None:
    (tiny_model(tmp_path / "models") / "model.onnx").write_bytes(b"cut")
    engine = Engine(Settings(models=str(tmp_path / "models"), model_control=True))
    with pytest.raises(ModelError, match=r"mnist/1/model\.onnx"):
        engine.start()
    engine.close()


def test_the_first_worker_reads_the_models_once(
    tmp_path: Path, shared_folder: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, names = Catalog.read, list[str]()

    def count(self: Catalog, name: str, **options: Any) -> Any:
        names.append(name)
        return read(self, name, **options)

    monkeypatch.setattr(Catalog, "read", count)
    tiny_model(tmp_path / "models")
    engine = Engine(Settings(models=str(tmp_path / "models"), model_control=True))
    engine.start()
    engine.close()
    assert names == ["mnist"]


def test_a_load_that_fails_publishes_the_changes_of_others(
    shared_folder: Path, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.server.execution.model_control._FOLLOW_S", 60)
    for name in ("mnist", "other"):
        tiny_model(tmp_path / "models", name=name)
    published = list[int]()
    engine = Engine(Settings(models=str(tmp_path / "models"), model_control=True))
    engine.start(on_change=lambda: published.append(len(engine.catalog.models())))
    try:
        other = _other_worker(shared_folder, WorkerState(change=1))
        state = other.read()
        assert state is not None
        with other.locked():
            other.write(State(1, {**state.models, "other": type(state.models["other"])(1, None)}))
        with pytest.raises(ModelNotFound):
            asyncio.run(engine.control.load("nothing"))
        assert published == [1]
    finally:
        engine.close()
