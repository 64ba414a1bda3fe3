"""Owns ONNX Runtime sessions: how they are tuned, and which hardware they run on."""

from collections.abc import Sequence
from pathlib import Path

import onnxruntime as ort

from service.inference.errors import ModelError, ProviderError

AUTO = "auto"
_NAMES = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
PROVIDERS = (AUTO, *_NAMES)


def open_session(
    path: Path, *, providers: Sequence[str] = (AUTO,), threads: int = 1, arena: bool = False
) -> ort.InferenceSession:
    """Load a network.

    Args:
        path: The ``model.onnx``.
        providers: ``("auto",)`` takes CUDA where this build and machine have it, otherwise the CPU.
            Otherwise names from ``cpu``, ``cuda``, ``tensorrt``, in order of preference; each must be there.
        threads: Threads within one call, 1 or more. One is fastest for a single 28 x 28 picture.
        arena: Keep the memory of a run for the next. Saves MobileNetV2 a tenth of its time, which goes into
            fresh pages otherwise; but what the largest batch ever took stays taken (onnxruntime#11627).

    Returns:
        A session that can be called from several threads at once.

    Raises:
        ProviderError: A provider that was asked for by name cannot be had.
        ModelError: ONNX Runtime cannot load the file.
    """
    automatic = tuple(providers) == (AUTO,)
    wanted = _available("cuda", "cpu") if automatic else _required(providers)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # Spinning threads win microseconds on an idle machine and lose milliseconds on a shared one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = arena
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own.
        raise ModelError(f"{path}: ONNX Runtime cannot load it ({error}); export the model again") from error
    # A provider can be there and still fail to start, for want of a driver; the session falls back silently.
    missing = [name for name in wanted if name not in session.get_providers()]
    if missing and not automatic:
        raise ProviderError(
            f"{', '.join(missing)} did not start for {path} (driver or libraries missing?); "
            "mend that, or set LECTERN_PROVIDERS=cpu"
        )
    return session


def runs_on_cpu(providers: Sequence[str]) -> bool:
    """Say whether networks are to run on the CPU alone.

    Args:
        providers: As :func:`open_session` takes them.
    """
    wanted = _available("cuda", "cpu") if tuple(providers) == (AUTO,) else _required(providers)
    return wanted == [_NAMES["cpu"]]


def _available(*names: str) -> list[str]:
    there = ort.get_available_providers()
    return [_NAMES[name] for name in names if _NAMES[name] in there]


def _required(providers: Sequence[str]) -> list[str]:
    there = ort.get_available_providers()
    for name in providers:
        if name not in _NAMES:
            raise ProviderError(f"provider {name!r} is unknown; choose from {', '.join(PROVIDERS)}")
        if _NAMES[name] not in there:
            raise ProviderError(
                f"provider {name!r} is not in this build of ONNX Runtime, which has {', '.join(there)}; "
                "install onnxruntime-gpu in place of onnxruntime, or set LECTERN_PROVIDERS=cpu"
            )
    return [_NAMES[name] for name in providers]
