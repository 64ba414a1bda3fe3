"""Tests of the messages about GPUs, with simulated drivers and libraries."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest

from service.inference import nvidia, session
from service.inference.errors import ProviderError
from service.inference.nvidia import Driver, cuda_problem, find_driver, load_cuda_libraries
from service.inference.session import open_session, runs_on_cpu

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
H200 = Driver("580.65.06", (13, 0), ("NVIDIA H200",))
OLD = Driver("535.54.03", (12, 2), ("Tesla T4",))


@pytest.fixture
def network(models_folder: Path) -> Path:
    return models_folder / "mnist" / "1" / "model.onnx"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    for cached in (find_driver, load_cuda_libraries, session._warn_of_unused_gpu):
        cached.cache_clear()


@pytest.fixture
def gpu_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate ONNX Runtime for CUDA 13 whose provider does not start, so that it uses the CPU."""
    real = ort.InferenceSession
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(
        ort, "InferenceSession", lambda path, options, providers: real(path, options, providers=[CPU])
    )
    monkeypatch.setattr(nvidia, "_cuda_of_build", lambda: (13, 0))


def _set_driver(monkeypatch: pytest.MonkeyPatch, driver: Driver | None) -> None:
    monkeypatch.setattr(nvidia, "find_driver", lambda: driver)
    monkeypatch.setattr(session, "find_driver", lambda: driver)


def test_a_machine_without_a_driver_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pynvml: Any = pytest.importorskip("pynvml")

    def missing() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    assert find_driver() is None


def test_the_driver_is_asked_for_its_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    pynvml: Any = pytest.importorskip("pynvml")
    simulated = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda handle: f"GPU {handle}",
        "nvmlSystemGetDriverVersion": lambda: "580.65.06",
        "nvmlSystemGetCudaDriverVersion_v2": lambda: 12080,
    }
    for name, function in simulated.items():
        monkeypatch.setattr(pynvml, name, function)
    assert find_driver() == Driver("580.65.06", (12, 8), ("GPU 0", "GPU 1"))


@pytest.mark.skipif(CUDA in ort.get_available_providers(), reason="this build of ONNX Runtime has CUDA")
def test_a_gpu_that_the_build_cannot_use_is_logged_once(
    network: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _set_driver(monkeypatch, H200)
    with caplog.at_level(logging.WARNING, "lectern"):
        open_session(network)
        open_session(network)
    (line,) = caplog.messages
    assert line.startswith("NVIDIA H200 is not used: this ONNX Runtime is the build for CPUs")


def test_without_a_gpu_nothing_is_logged(
    network: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _set_driver(monkeypatch, None)
    with caplog.at_level(logging.WARNING, "lectern"):
        open_session(network)
    assert not caplog.messages


@pytest.mark.usefixtures("gpu_build")
@pytest.mark.parametrize(
    ("driver", "cause"),
    [
        (None, "no NVIDIA GPU with a driver was found"),
        (OLD, "the driver 535.54.03 supports CUDA 12.2, .* needs CUDA 13.0: update the driver"),
    ],
)
def test_cuda_that_was_asked_for_and_does_not_start_is_an_error_with_its_cause(
    driver: Driver | None, cause: str, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_driver(monkeypatch, driver)
    with pytest.raises(ProviderError, match=f"CUDAExecutionProvider did not start for .*: {cause}"):
        open_session(network, providers=("cuda", "cpu"))
    assert open_session(network, providers=("auto",)).get_providers() == [CPU]


@pytest.mark.usefixtures("gpu_build")
def test_a_build_for_gpus_without_its_libraries_runs_on_the_cpu(
    network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    real = ort.InferenceSession

    def opened(path: str, options: Any, providers: list[str]) -> Any:
        asked.append(providers)
        return real(path, options, providers=providers)

    monkeypatch.setattr(ort, "InferenceSession", opened)
    assert runs_on_cpu(("auto",))
    open_session(network)
    assert asked == [[CPU]]


def test_a_gpu_whose_driver_does_not_answer_is_logged(
    network: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pynvml: Any = pytest.importorskip("pynvml")

    def missing() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    monkeypatch.setattr(nvidia, "_device_files", lambda: ("/dev/nvidia0",))
    with caplog.at_level(logging.WARNING, "lectern"):
        open_session(network)
    (line,) = caplog.messages
    assert line.startswith(
        "/dev/nvidia0 is not used: its driver does not answer (NVML Shared Library Not Found)"
    )
    assert line.endswith("install the driver, or start the container with --gpus all")


@pytest.mark.usefixtures("gpu_build")
def test_a_gpu_that_a_variable_hides_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "missing_library", lambda provider: "")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert cuda_problem(H200) == "CUDA_VISIBLE_DEVICES is '-1', which hides all GPUs; unset it"


@pytest.mark.usefixtures("gpu_build")
def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The provider of CUDA is not in the build for CPUs: the system's message names what is not there.
    monkeypatch.setattr(nvidia.ort, "__file__", str(tmp_path / "onnxruntime" / "__init__.py"))
    assert "libonnxruntime_providers_cuda.so: cannot open shared object file" in cuda_problem(H200)
