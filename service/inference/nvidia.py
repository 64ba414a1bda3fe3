"""Finds out whether there is an NVIDIA GPU, and why ONNX Runtime does not use it."""

import ctypes
import functools
import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import onnxruntime as ort

from service.inference.program import install_command

_PACKAGE = "onnxruntime-gpu[cuda,cudnn]"


@dataclass(frozen=True)
class Driver:
    """The NVIDIA driver of this machine.

    Attributes:
        version: Such as ``580.65.06``.
        cuda: The newest CUDA release that it supports, such as ``(13, 0)``.
        gpus: Names of the GPUs, at least one.
    """

    version: str
    cuda: tuple[int, int]
    gpus: tuple[str, ...]


@functools.cache
def find_driver() -> Driver | None:
    """Return the driver; None if there is no GPU, no driver, or no package to ask it."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        try:
            handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
            cuda = pynvml.nvmlSystemGetCudaDriverVersion_v2()
            driver = Driver(
                version=pynvml.nvmlSystemGetDriverVersion(),
                cuda=(cuda // 1000, cuda % 1000 // 10),
                gpus=tuple(map(pynvml.nvmlDeviceGetName, handles)),
            )
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return None
    return driver if driver.gpus else None


def unused_gpu() -> str | None:
    """Return which GPU ONNX Runtime does not use, and why; None if this machine has none."""
    driver = find_driver()
    if driver is not None:
        return f"{', '.join(driver.gpus)} is not used: {cuda_problem(driver)}"
    problem = _driver_problem()
    return f"{', '.join(_device_files())} is not used: {problem}" if problem else None


def cuda_problem(driver: Driver | None) -> str:
    """Return why ONNX Runtime's CUDA provider does not start, and the way out.

    Args:
        driver: Of this machine, or None.
    """
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        return f"this ONNX Runtime is the build for CPUs: {_cpu_build_advice()}"
    if driver is None:
        return _driver_problem() or "no NVIDIA GPU with a driver was found"
    needed = _cuda_of_build()
    if needed is not None and driver.cuda[0] < needed[0]:
        return (
            f"the driver {driver.version} supports CUDA {_dotted(driver.cuda)}, and ONNX Runtime "
            f"{ort.__version__} needs CUDA {_dotted(needed)}: update the driver"
        )
    missing = missing_library("cuda")
    if missing:
        return f"{missing}: {install_command(_PACKAGE)}"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden in ("", "-1"):
        return f"CUDA_VISIBLE_DEVICES is {hidden!r}, which hides all GPUs; unset it"
    return "see the lines of ONNX Runtime above"


@functools.cache
def load_cuda_libraries() -> bool:
    """Load what ONNX Runtime needs for CUDA; return whether the build has CUDA and all was found."""
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        return False
    # The packages are on no search path. Without them, libraries of the system may fit.
    if hasattr(ort, "preload_dlls") and _has_package("nvidia-cudnn-cu13", "nvidia-cudnn-cu12"):
        ort.preload_dlls()
    return not missing_library("cuda")


def missing_library(provider: str) -> str:
    """Return the system's message about a library that a provider needs; empty if all load.

    Args:
        provider: ``cuda`` or ``tensorrt``.
    """
    path = Path(ort.__file__).with_name("capi") / f"libonnxruntime_providers_{provider}.so"
    try:
        ctypes.CDLL(str(path))
    except OSError as error:
        # Symbols of ONNX Runtime itself are missing here, but not when it loads the provider.
        return str(error) if "cannot open shared object file" in str(error) else ""
    return ""


def _driver_problem() -> str:
    """Return why the driver of a GPU does not answer; empty if no GPU is there, or nothing can ask."""
    try:
        import pynvml
    except ImportError:
        return ""
    if not _device_files():
        return ""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        advice = "install the driver, or start the container with --gpus all"
        return f"its driver does not answer ({error}); {advice}"
    pynvml.nvmlShutdown()
    return ""


def _device_files() -> tuple[str, ...]:
    """Return the device files of GPUs, which a container can have without the driver's libraries."""
    return tuple(sorted(map(str, Path("/dev").glob("nvidia[0-9]*"))))


def _cpu_build_advice() -> str:
    return "on Linux, ./run serve installs the one for GPUs; elsewhere replace onnxruntime by onnxruntime-gpu"


def _has_package(*names: str) -> bool:
    for name in names:
        try:
            version(name)
        except PackageNotFoundError:
            continue
        return True
    return False


def _cuda_of_build() -> tuple[int, int] | None:
    """Return the CUDA release that ONNX Runtime was built for; None if it does not say."""
    try:
        from onnxruntime.capi import build_and_package_info
    except ImportError:
        return None
    major, _, minor = str(getattr(build_and_package_info, "cuda_version", "")).partition(".")
    return (int(major), int(minor.partition(".")[0] or 0)) if major.isdigit() else None


def _dotted(release: tuple[int, int]) -> str:
    return ".".join(map(str, release))
