"""Opens ONNX Runtime sessions and selects their execution providers."""

import functools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime as ort

from service.inference.errors import ModelError, ProviderError
from service.inference.files import model_file_name
from service.inference.nvidia import (
    cuda_problem,
    find_driver,
    load_cuda_libraries,
    missing_library,
    unused_gpu,
)
from service.inference.tensorrt import load_libraries, tensorrt_problem

_logger = logging.getLogger("lectern")

AUTO = "auto"
TENSORRT = "TensorrtExecutionProvider"
_NAMES = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "tensorrt": TENSORRT}


def open_session(
    path: Path,
    *,
    providers: Sequence[str] = (AUTO,),
    threads: int = 1,
    arena: bool = False,
    content: bytes | None = None,
    tensorrt_options: Mapping[str, str] | None = None,
) -> ort.InferenceSession:
    """Load a network.

    Args:
        path: The ``model.onnx``.
        providers: ``("auto",)`` uses CUDA if it is available, otherwise the CPU. Otherwise some of ``cpu``,
            ``cuda`` and ``tensorrt``, in order of preference; all must be available.
        threads: Number of threads within one run, 1 or more.
        arena: Keep allocated memory for the next run. This makes large networks faster, but the memory of
            the largest batch is never released (onnxruntime#11627).
        content: A network that was made of the file, to load in its place.
        tensorrt_options: Options of the provider ``tensorrt``, if it is among the providers.

    Returns:
        A session that several threads can use at once.

    Raises:
        ProviderError: A requested provider is not available.
        ModelError: ONNX Runtime cannot load the file.
    """
    names = _select(providers)
    options, name = _session_options(threads=threads, arena=arena), model_file_name(path)
    # Checked here, because ONNX Runtime reports a missing library in many lines, and goes on without it.
    with_libraries = [one for one in ("tensorrt", "cuda") if one in providers]
    _check_started([_NAMES[one] for one in with_libraries if missing_library(one)], name)
    try:
        source = str(path) if content is None else content
        chosen = [(one, tensorrt_options) if one == TENSORRT and tensorrt_options else one for one in names]
        session = ort.InferenceSession(source, options, providers=chosen)
    except Exception as error:  # ONNX Runtime's exceptions have no common base class.
        cause = " ".join(str(error).replace(str(path), name).split())
        raise ModelError(f"{name}: ONNX Runtime cannot load it ({cause}); export the model again") from error
    # Without a driver a provider fails to start, and ONNX Runtime silently uses the next one.
    if tuple(providers) != (AUTO,):
        _check_started([one for one in names if one not in session.get_providers()], name)
    # If a run failed on a GPU, ONNX Runtime would load the network for the CPU, under threads that use it.
    session.disable_fallback()
    if tuple(providers) == (AUTO,) and _NAMES["cuda"] not in session.get_providers():
        _warn_of_unused_gpu()
    return session


def shrinking() -> ort.RunOptions:
    """Return options of a run that returns unused memory of the arena; without an arena such a run fails."""
    options = ort.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def runs_on_cpu(providers: Sequence[str]) -> bool:
    """Return whether networks run on the CPU alone; ``providers`` as in :func:`open_session`."""
    return _select(providers) == [_NAMES["cpu"]]


def _check_started(missing: Sequence[str], name: str) -> None:
    """Check that no provider is missing.

    Args:
        missing: ONNX Runtime's names of providers that do not start.
        name: Of the network.

    Raises:
        ProviderError: One is; names the cause.
    """
    if missing:
        driver = find_driver()
        problem = tensorrt_problem() if driver and TENSORRT in missing else ""
        raise ProviderError(
            f"{', '.join(missing)} did not start for {name}: {problem or cuda_problem(driver)}; "
            "LECTERN_PROVIDERS=cpu uses none"
        )


@functools.cache  # once, not for each network
def _warn_of_unused_gpu() -> None:
    line = unused_gpu()
    if line:
        _logger.warning("%s", line)


def _session_options(*, threads: int, arena: bool) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # Spinning threads slow down other processes on a shared machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = arena
    options.log_severity_level = 3
    return options


def _select(providers: Sequence[str]) -> list[str]:
    """Return ONNX Runtime's names of the providers to use."""
    available = ort.get_available_providers()
    if tuple(providers) == (AUTO,):
        # Without the libraries, ONNX Runtime would use the CPU too, after lines of errors for each network.
        return [_NAMES[name] for name in (("cuda", "cpu") if load_cuda_libraries() else ("cpu",))]
    for name in providers:
        if name not in _NAMES:
            raise ProviderError(f"provider {name!r} is unknown; choose from {', '.join((AUTO, *_NAMES))}")
        if _NAMES[name] not in available:
            raise ProviderError(
                f"provider {name!r} is not in this build of ONNX Runtime, which has {', '.join(available)}; "
                "install onnxruntime-gpu instead of onnxruntime, or set LECTERN_PROVIDERS=cpu"
            )
    if {"cuda", "tensorrt"} & {*providers}:
        load_cuda_libraries()  # if not all are found, ONNX Runtime says so
    if "tensorrt" in providers:
        load_libraries()
    return [_NAMES[name] for name in providers]
