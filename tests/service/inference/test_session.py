"""Tests of providers, memory and invalid ONNX files."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnxruntime.capi import onnxruntime_pybind11_state

from service.inference.errors import ModelError, ProviderError
from service.inference.session import open_session

CPU = "CPUExecutionProvider"
without_cuda = pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="this build of ONNX Runtime has CUDA"
)


@pytest.fixture
def network(models_folder: Path) -> Path:
    return models_folder / "mnist" / "1" / "model.onnx"


@pytest.mark.parametrize("providers", [("auto",), ("cpu",)])
def test_cpu_is_always_available(network: Path, providers: tuple[str, ...]) -> None:
    assert CPU in open_session(network, providers=providers).get_providers()


@without_cuda
@pytest.mark.parametrize("providers", [("cuda",), ("cuda", "cpu"), ("cpu", "tensorrt")])
def test_unavailable_provider_is_an_error(network: Path, providers: tuple[str, ...]) -> None:
    with pytest.raises(
        ProviderError, match=r"'(cuda|tensorrt)' is not in this build .* LECTERN_PROVIDERS=cpu"
    ):
        open_session(network, providers=providers)


def test_unknown_provider_is_reported_with_the_known_ones(network: Path) -> None:
    with pytest.raises(ProviderError, match="'gpu' is unknown; choose from auto, cpu, cuda, tensorrt"):
        open_session(network, providers=("gpu",))


def test_provider_that_does_not_start_is_an_error(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # With CUDA in the build but no driver, ONNX Runtime silently uses the CPU.
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU])
    real = ort.InferenceSession
    monkeypatch.setattr(
        ort, "InferenceSession", lambda path, options, providers: real(path, options, providers=[CPU])
    )
    with pytest.raises(ProviderError, match="CUDAExecutionProvider did not start"):
        open_session(network, providers=("cuda", "cpu"))
    assert open_session(network, providers=("auto",)).get_providers() == [CPU]


def test_a_run_that_fails_on_its_provider_is_an_error(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # ONNX Runtime would load the network for the CPU, while other threads run the one that it takes away.
    session = open_session(network)
    failure = onnxruntime_pybind11_state.EPFail

    class Broken:
        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def run(self, *_: object) -> None:
            raise failure("the GPU has fallen off the bus")

    broken = Broken(session._sess)
    monkeypatch.setattr(session, "_sess", broken)
    with pytest.raises(failure):
        session.run(None, {"image": np.zeros((1, 28, 28), np.uint8)})
    assert session._sess is broken


@pytest.mark.parametrize("content", [b"", b"no network", bytes(1000)])
def test_invalid_onnx_file_is_reported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx: ONNX Runtime cannot load it"):
        open_session(tmp_path / "model.onnx")


@pytest.mark.parametrize("arena", [False, True])
def test_memory_of_a_large_batch_is_released_without_arena(network: Path, arena: bool) -> None:
    session = open_session(network, threads=2, arena=arena)
    options = session.get_session_options()
    assert (options.enable_cpu_mem_arena, options.intra_op_num_threads, options.inter_op_num_threads) == (
        arena,
        2,
        1,
    )


def test_arena_is_off_by_default(network: Path) -> None:
    assert not open_session(network).get_session_options().enable_cpu_mem_arena
