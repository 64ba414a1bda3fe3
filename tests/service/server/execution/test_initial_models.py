"""The models of a server can be loaded ahead, in a thread."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.inference.errors import ModelError
from service.server.execution import initial_models
from service.server.execution.engine import Engine
from service.server.execution.model_loader import ModelLoader
from service.settings import Settings

TinyModel = Callable[..., Path]


@pytest.fixture(autouse=True)
def _nothing_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initial_models, "_begun", None)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that load a model."""
    names: list[str] = []
    really = ModelLoader.prepare

    def prepare(self: ModelLoader, *arguments: Any) -> None:
        names.append(threading.current_thread().name)
        really(self, *arguments)

    monkeypatch.setattr(ModelLoader, "prepare", prepare)
    return names


def test_an_engine_takes_what_was_loaded_ahead_once(
    tmp_path: Path, tiny_model: TinyModel, threads: list[str]
) -> None:
    tiny_model(tmp_path)
    settings = Settings(models=str(tmp_path))
    initial_models.begin(settings, keep_downloads=False)
    engine, other = Engine(settings), Engine(settings)
    engine.start()
    other.start()
    assert [name.partition("_")[0] for name in threads] == ["start", "MainThread"]
    assert engine.is_ready()
    card = next(iter(engine.catalog))
    assert engine._loader.loaded(engine.catalog.model(card.name), None) is not None
    assert engine.catalog is not other.catalog
    engine.close()
    other.close()


def test_an_error_arrives_at_the_start_of_the_engine(tmp_path: Path, tiny_model: TinyModel) -> None:
    (tiny_model(tmp_path) / "model.onnx").write_bytes(b"cut")
    settings = Settings(models=str(tmp_path))
    initial_models.begin(settings, keep_downloads=False)
    with pytest.raises(ModelError, match=r"model\.onnx"):
        Engine(settings).start()


def test_with_model_control_nothing_is_loaded_ahead(
    tmp_path: Path, tiny_model: TinyModel, threads: list[str]
) -> None:
    tiny_model(tmp_path)
    initial_models.begin(Settings(models=str(tmp_path), model_control=True), keep_downloads=False)
    assert initial_models._begun is None
    assert threads == []
