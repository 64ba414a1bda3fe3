"""Prepares networks for ONNX Runtime's TensorRT provider, which compiles them for the GPU."""

import contextlib
import ctypes
import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from service.inference.card import Card
from service.inference.defaults import TENSORRT_CACHE
from service.inference.errors import ProviderError
from service.inference.nvidia import missing_library
from service.inference.program import install_command

MAX_BATCH = 64  # of a compiled network; larger batches are several runs
# Of TensorRT 10, for which ONNX Runtime 1.31 is built.
_LIBRARIES = ("libnvinfer.so.10", "libnvonnxparser.so.10")
_PACKAGE = "tensorrt-cu13-libs<11"


class TensorRT(Struct, frozen=True):
    """How networks are compiled.

    Attributes:
        cache: Folder of compiled networks; it is created.
        fp16: Whether they may compute in half precision.
    """

    cache: Path = TENSORRT_CACHE
    fp16: bool = False


DEFAULT_TENSORRT = TensorRT()


def without_tensorrt(providers: Sequence[str]) -> tuple[str, ...]:
    """Return the other providers, for a graph that is not compiled."""
    return tuple(name for name in providers if name != "tensorrt") or ("cpu",)


def can_compile(card: Card) -> bool:
    """Return whether a network is compiled: not if its inputs vary in size, as texts do."""
    return -1 not in card.input.shape[1:]


def compile_options(card: Card, settings: TensorRT, *, folder: Path) -> dict[str, str]:
    """Return the options of the provider for a network.

    Args:
        card: Card of the model.
        settings: How networks are compiled.
        folder: Of this network in the cache.
    """
    sides = "x".join(map(str, card.input.shape[1:]))
    smallest, largest = (f"{card.input.name}:{size}x{sides}" for size in (1, MAX_BATCH))
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(folder),
        "trt_fp16_enable": str(int(settings.fp16)),
        # Without them, the network is compiled again for each batch that is larger than those before.
        "trt_profile_min_shapes": smallest,
        "trt_profile_opt_shapes": largest,
        "trt_profile_max_shapes": largest,
    }


@contextlib.contextmanager
def cache_folder(card: Card, settings: TensorRT) -> Iterator[Path]:
    """Create the folder of a network's compiled form, and keep other processes from using it.

    Each network has a folder of its own, because ONNX Runtime finds a compiled network by the names of its
    file and its nodes: it would take that of another version, with other weights.

    Raises:
        ProviderError: The folder cannot be written.
    """
    folder = settings.cache.expanduser() / card.onnx.sha256
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    except OSError as error:
        raise ProviderError(
            f"{folder} cannot be written ({error.strerror}), and TensorRT keeps compiled networks there; "
            "set LECTERN_TENSORRT_CACHE to another folder"
        ) from error
    with lock:
        if os.name == "posix":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def load_libraries() -> None:
    """Load the libraries of TensorRT if they come from its package, which is on no search path."""
    found = importlib.util.find_spec("tensorrt_libs")
    for folder in (found.submodule_search_locations or ()) if found else ():
        for name in _LIBRARIES:
            with contextlib.suppress(OSError):  # missing_library() names what is missing
                ctypes.CDLL(str(Path(folder) / name), mode=ctypes.RTLD_GLOBAL)


def tensorrt_problem() -> str:
    """Return the library of TensorRT that cannot be loaded, and the way out; empty if all can."""
    missing = missing_library("tensorrt")
    return f"{missing}: {install_command(_PACKAGE)}" if missing.startswith("libnv") else ""
