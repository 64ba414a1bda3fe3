"""Worker processes end with the training that started them."""

import subprocess
import sys
from pathlib import Path

import psutil

_SCRIPT = """
import multiprocessing, time
from concurrent.futures import ProcessPoolExecutor
from training.augmentation.worker import end_with_parent

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, initializer=end_with_parent) as pool:
        list(pool.map(time.sleep, [0, 0]))
        print("ready", flush=True)
        list(pool.map(time.sleep, [600, 600]))
"""


def test_workers_end_when_the_training_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(_SCRIPT)
    with subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        workers = psutil.Process(process.pid).children(recursive=True)
        assert len(workers) >= 2
        process.kill()

    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []
