"""Ends worker processes with the process that started them."""

import multiprocessing
import os
import signal
import threading


def end_with_parent() -> None:
    """End this worker process when its parent ends for any reason.

    A killed parent cannot end its workers, and they would wait for work forever. Workers ignore Ctrl-C, since
    the parent ends them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait, args=(parent,), daemon=True).start()


def _wait(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
