"""Makes the inputs of the benchmark, and runs batches on them."""

import os
import subprocess
import sys
from pathlib import Path

from peers.errors import BenchmarkError
from peers.protocols import Digits
from PIL import Image

_ROOT = Path(__file__).resolve().parents[3]
LIST = "pictures.txt"


def write_inputs(folder: Path, count: int) -> list[Path]:
    """Write real digits as PNG files, and a list with so many of them, again and again.

    Args:
        folder: Gets a folder of 500 files, and the list.
        count: Number of lines of the list.

    Returns:
        The files.
    """
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    files = []
    for number, pixels in enumerate(Digits.load().pixels):
        files.append(pictures / f"{number:03}.png")
        Image.fromarray(pixels).save(files[-1])
    lines = [f"{path}\n" for path in files]
    with (folder / LIST).open("w", encoding="utf-8") as stream:
        stream.writelines(lines[number % len(lines)] for number in range(count))
    return files


def start_batch(folder: Path, *words: object) -> subprocess.Popen[bytes]:
    """Start ``lectern batch`` with arguments, in a folder."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "service", "batch", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait until a batch has ended.

    Raises:
        BenchmarkError: It has failed.
    """
    _, errors = process.communicate()
    if process.returncode:
        raise BenchmarkError(f"the batch ended with status {process.returncode}: {errors.decode()[-500:]}")


def parts(folder: Path) -> list[Path]:
    """Return the finished shards of a folder of results."""
    return sorted(folder.glob("part-*"))
