"""Owns the peers' virtual environments: one each, with the pinned packages of ``requirements/NAME.txt``."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from peers.faults import PeerError

_REQUIREMENTS = Path(__file__).parent / "requirements"
_DEBIAN_PYTHON = "/usr/bin/python3.11"
# PyTriton brings a Triton that is linked with Debian's and Ubuntu's own Python 3.11.
_PYTHONS = {"triton": _DEBIAN_PYTHON}


def build(name: str, folder: Path) -> Path:
    """Make a peer's environment, or find it made with these very pins.

    Args:
        name: Of the file in ``requirements/``.
        folder: Where environments lie; ignored by git.

    Returns:
        The environment's Python.

    Raises:
        PeerError: It cannot be made. Names the peer and the reason.
    """
    requirements = _REQUIREMENTS / f"{name}.txt"
    base = _PYTHONS.get(name, sys.executable)
    if shutil.which(base) is None:
        raise PeerError(f"{name} needs {base}; on Debian 12: apt-get install python3.11-venv")
    venv = folder / name / "venv"
    python, stamp = venv / "bin" / "python", folder / name / "made"
    wanted = hashlib.sha256(requirements.read_bytes() + base.encode()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(venv, ignore_errors=True)
    venv.parent.mkdir(parents=True, exist_ok=True)
    for words in _steps(base, venv, python, requirements):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeerError(f"{name} cannot be built ({' '.join(words[:3])}): {done.stderr.strip()[-500:]}")
    stamp.write_text(wanted)
    return python


def _steps(base: str, venv: Path, python: Path, requirements: Path) -> list[list[str]]:
    uv = shutil.which("uv")
    if uv is not None:
        return [
            [uv, "venv", "--quiet", "--python", base, str(venv)],
            [uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(requirements)],
        ]
    return [
        [base, "-m", "venv", str(venv)],
        [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            str(requirements),
        ],
    ]
