"""Tests of compiled networks, with a simulated TensorRT that runs them on the CPU."""

import stat
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from service.inference import session, tensorrt
from service.inference.catalog import Catalog
from service.inference.errors import ProviderError
from service.inference.nvidia import Driver
from service.inference.tensorrt import MAX_BATCH, TensorRT, cache_folder, without_tensorrt

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
ALL = ("tensorrt", "cuda", "cpu")


class _Session:
    """A session on the CPU that says it runs on the providers that were asked for."""

    def __init__(self, real: Any, names: list[str]) -> None:
        self._real, self._names = real, names
        self.batches: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_providers(self) -> list[str]:
        return self._names

    def run(self, names: Any, inputs: dict[str, Any], *options: Any) -> Any:
        self.batches += [len(values) for values in inputs.values()]
        return self._real.run(names, inputs, *options)


class _Runtime:
    """What was asked of the simulated build of ONNX Runtime."""

    def __init__(self) -> None:
        self.sessions: list[_Session] = []
        self.asked: list[dict[str, dict[str, str]]] = []


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> _Runtime:
    made, real = _Runtime(), ort.InferenceSession

    def opened(source: Any, options: Any, providers: list[Any]) -> Any:
        pairs = dict(one if isinstance(one, tuple) else (one, {}) for one in providers)
        made.asked.append(pairs)
        made.sessions.append(_Session(real(source, options, providers=[CPU]), list(pairs)))
        return made.sessions[-1]

    monkeypatch.setattr(ort, "get_available_providers", lambda: [TENSORRT, CUDA, CPU])
    monkeypatch.setattr(ort, "InferenceSession", opened)
    monkeypatch.setattr(session, "load_cuda_libraries", lambda: True)
    monkeypatch.setattr(session, "missing_library", lambda provider: "")
    return made


def test_a_network_is_compiled_once_for_all_batch_sizes(
    runtime: _Runtime, models_folder: Path, tmp_path: Path
) -> None:
    catalog = Catalog(models_folder, providers=ALL, tensorrt=TensorRT(tmp_path / "cache"))
    predictor = catalog.predictor("mnist")
    (asked,) = runtime.asked
    assert list(asked) == [TENSORRT, CUDA, CPU]
    options = asked[TENSORRT]
    assert options["trt_profile_min_shapes"] == "image:1x28x28"
    assert (
        options["trt_profile_opt_shapes"] == options["trt_profile_max_shapes"] == f"image:{MAX_BATCH}x28x28"
    )
    assert (options["trt_engine_cache_enable"], options["trt_fp16_enable"]) == ("1", "0")
    assert predictor.providers[0] == catalog.provider(catalog.card("mnist")) == TENSORRT


def test_half_precision_is_used_when_it_is_asked_for(
    runtime: _Runtime, models_folder: Path, tmp_path: Path
) -> None:
    Catalog(models_folder, providers=ALL, tensorrt=TensorRT(tmp_path, fp16=True)).predictor("mnist")
    assert runtime.asked[0][TENSORRT]["trt_fp16_enable"] == "1"


def test_each_version_has_a_cache_of_its_own_that_others_cannot_read(
    runtime: _Runtime, models_folder: Path, tmp_path: Path
) -> None:
    catalog = Catalog(models_folder, providers=ALL, tensorrt=TensorRT(tmp_path / "cache"))
    for version in (1, 2):
        catalog.model("mnist").predictor(version)
    folders = [Path(asked[TENSORRT]["trt_engine_cache_path"]) for asked in runtime.asked]
    assert [folder.name for folder in folders] == [catalog.card("mnist", n).onnx.sha256 for n in (1, 2)]
    assert all(folder.parent == tmp_path / "cache" for folder in folders)
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in folders)


def test_larger_batches_are_several_runs_with_the_same_results(
    runtime: _Runtime, models_folder: Path, tmp_path: Path
) -> None:
    predictor = Catalog(models_folder, providers=ALL, tensorrt=TensorRT(tmp_path)).predictor("mnist")
    plain = Catalog(models_folder, providers=("cpu",)).predictor("mnist")
    batch = np.random.default_rng(0).integers(0, 256, (2 * MAX_BATCH + 3, 28, 28), dtype=np.uint8)
    np.testing.assert_allclose(predictor.probabilities(batch), plain.probabilities(batch), atol=1e-6)
    assert runtime.sessions[0].batches[-3:] == [MAX_BATCH, MAX_BATCH, 3]
    assert runtime.sessions[1].batches[-1] == len(batch)


def test_texts_and_explanations_are_not_compiled(
    runtime: _Runtime, models_folder: Path, tmp_path: Path
) -> None:
    catalog = Catalog(models_folder, providers=ALL, tensorrt=TensorRT(tmp_path))
    catalog.predictor("imdb")
    catalog.model("cifar10").explainer()
    assert [list(asked) for asked in runtime.asked] == [[CUDA, CPU], [CUDA, CPU]]
    assert without_tensorrt(["tensorrt"]) == ("cpu",)


@pytest.mark.usefixtures("runtime")
def test_a_cache_that_cannot_be_written_is_an_error(models_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    catalog = Catalog(models_folder, providers=ALL, tensorrt=TensorRT(tmp_path / "file"))
    with pytest.raises(ProviderError, match=r"file.* cannot be written .*LECTERN_TENSORRT_CACHE"):
        catalog.predictor("mnist")


def test_workers_compile_a_network_one_after_the_other(models_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    card, entered = Catalog(models_folder).card("mnist"), threading.Event()

    def compile_too() -> None:
        with cache_folder(card, TensorRT(tmp_path)):
            entered.set()

    other = threading.Thread(target=compile_too)
    with cache_folder(card, TensorRT(tmp_path)):
        other.start()
        assert not entered.wait(0.1)
    assert entered.wait(10)
    other.join()


@pytest.mark.usefixtures("runtime")
def test_a_missing_library_of_tensorrt_is_named(
    models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = "libnvinfer.so.10: cannot open shared object file: No such file or directory"
    for module in (session, tensorrt):
        monkeypatch.setattr(module, "missing_library", {"tensorrt": missing, "cuda": ""}.get)
    monkeypatch.setattr(session, "find_driver", lambda: Driver("580.65.06", (13, 0), ("NVIDIA H200",)))
    catalog = Catalog(models_folder, providers=ALL, tensorrt=TensorRT(tmp_path))
    with pytest.raises(
        ProviderError, match=rf"^{TENSORRT} did not start for .*: {missing}: .* pip install .*'tensor"
    ):
        catalog.predictor("mnist")
