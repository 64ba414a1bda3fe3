"""Creates the virtual environments of the peers, with the pinned packages of ``requirements/NAME.txt``."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from peers.errors import PeerError

_REQUIREMENTS = Path(__file__).parent / "requirements"
# PyTriton includes a Triton that is linked with the Python 3.11 of Debian and Ubuntu.
_PYTHONS = {"triton": "/usr/bin/python3.11"}


def build(name: str, folder: Path) -> Path:
    """Create the environment of a peer, unless it exists with the same pins.

    Args:
        name: Name of the file in ``requirements/``.
        folder: Folder of the environments; ignored by git.

    Returns:
        The Python of the environment.

    Raises:
        PeerError: It cannot be created. Names the peer and the reason.
    """
    requirements = _REQUIREMENTS / f"{name}.txt"
    base = _PYTHONS.get(name, sys.executable)
    if shutil.which(base) is None:
        raise PeerError(f"{name} needs {base}; on Debian 12: apt-get install python3.11-venv")
    venv = folder / name / "venv"
    python, stamp = venv / "bin" / "python", folder / name / "made"
    digest = hashlib.sha256(requirements.read_bytes() + base.encode()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == digest:
        return python
    shutil.rmtree(venv, ignore_errors=True)
    venv.parent.mkdir(parents=True, exist_ok=True)
    for command in _commands(base, venv, python, requirements):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            step = " ".join(command[:3])
            raise PeerError(f"{name} cannot be built ({step}): {done.stderr.strip()[-500:]}")
    stamp.write_text(digest)
    return python


def _commands(base: str, venv: Path, python: Path, requirements: Path) -> list[list[str]]:
    packages = ["--quiet", "-r", str(requirements)]
    uv = shutil.which("uv")
    if uv is not None:
        return [
            [uv, "venv", "--quiet", "--python", base, str(venv)],
            [uv, "pip", "install", "--python", str(python), *packages],
        ]
    return [
        [base, "-m", "venv", str(venv)],
        [str(python), "-m", "pip", "--disable-pip-version-check", "install", *packages],
    ]
