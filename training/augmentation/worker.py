"""Ends worker processes with the process that started them."""

import multiprocessing
import os
import signal
import threading


def end_with_parent() -> None:
    """End this worker process when its parent ends, however that happens.

    A killed parent cannot end its workers, which would wait for work for ever. Ctrl-C is for the parent,
    which ends its workers itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait, args=(parent,), daemon=True).start()


def _wait(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
