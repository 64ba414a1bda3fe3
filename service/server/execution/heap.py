"""Makes the C library return freed memory to the operating system."""

import ctypes
import sys

# From malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BLOCK = 1 << 20


def trim_heap() -> None:
    """Return memory that was freed; call it after models have been loaded or unloaded.

    ONNX Runtime needs several times the size of a network while it optimizes it, and glibc keeps that memory.
    C libraries without ``malloc_trim`` need no call.
    """
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)


def return_freed_memory() -> None:
    """Tell the C library to return large blocks to the system when they are freed.

    glibc raises the size of the blocks that it keeps, up to 32 MB, when a block of that size is freed. A
    process then holds the memory of its largest requests. Other C libraries do not have the function.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
    mallopt(_M_TRIM_THRESHOLD, _LARGE_BLOCK)
