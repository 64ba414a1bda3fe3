"""Returns freed memory to the operating system."""

import ctypes
import sys


def trim_heap() -> None:
    """Return memory that was freed; call it after models have been loaded or unloaded.

    ONNX Runtime needs several times the size of a network while it optimizes it, and glibc keeps that memory.
    C libraries without ``malloc_trim`` need no call.
    """
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)
