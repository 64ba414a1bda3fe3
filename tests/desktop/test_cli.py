"""``lectern desktop``: help, a real start, and systems that lack something."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from desktop import cli
from desktop.cli import MissingSystemLibrary, desktop

LECTERN = "import sys; sys.argv = ['lectern', 'desktop', *sys.argv[1:]]; from service.cli import main; main()"
# Makes the import of Qt fail, as without the package or without a system library.
BROKEN = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "PySide6":
            raise {error}
sys.meta_path.insert(0, Finder())
"""


def lectern(*words: str, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    return subprocess.run(
        [sys.executable, "-c", before + LECTERN, *words],
        env={**inherited, **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_help_has_the_options_and_an_example() -> None:
    text = CliRunner().invoke(desktop, ["--help"]).output
    for words in ("--server URL", "--offline", "Example: lectern desktop --server http://lecture-hall:3000"):
        assert words in text


def test_the_app_starts_and_writes_settings_and_log(tmp_path: Path) -> None:
    before = (
        "from PySide6.QtCore import QTimer\n"
        "from desktop.window.main_window import MainWindow\n"
        "start = MainWindow.start\n"
        "MainWindow.start = lambda window: (start(window), QTimer.singleShot(0, window.close))\n"
    )
    run = lectern(
        "--offline",
        before=before,
        QT_QPA_PLATFORM="offscreen",
        XDG_CONFIG_HOME=str(tmp_path / "config"),
        XDG_DATA_HOME=str(tmp_path / "data"),
    )
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert list((tmp_path / "config").rglob("Lectern.conf"))
    assert list((tmp_path / "data").rglob("lectern.log"))


def test_a_missing_package_prints_the_command_that_installs_it() -> None:
    error = "ModuleNotFoundError(\"No module named 'PySide6'\", name='PySide6')"
    run = lectern(before=BROKEN.format(error=error), QT_QPA_PLATFORM="offscreen")
    assert run.returncode == 2
    assert re.fullmatch(
        r"lectern: lectern desktop needs the package PySide6: \S*run desktop installs it\n", run.stderr
    )


def test_a_missing_system_library_prints_the_command_that_installs_it() -> None:
    error = "ImportError('libEGL.so.1: cannot open shared object file: No such file or directory')"
    run = lectern(before=BROKEN.format(error=error), QT_QPA_PLATFORM="offscreen")
    assert run.returncode == 2
    assert run.stderr.startswith(
        "lectern: Qt needs the system library libEGL.so.1; install it with: sudo apt-get install -y libegl1 "
    )
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux uses X11")
@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libX11-xcb.so.1", "libx11-xcb1"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
        ("libxcb-cursor.so.0", "libxcb-cursor0"),
        ("libxcb-icccm.so.4", "libxcb-icccm4"),
        ("libxcb-image.so.0", "libxcb-image0"),
        ("libxcb-keysyms.so.1", "libxcb-keysyms1"),
        ("libxcb-randr.so.0", "libxcb-randr0"),
        ("libxcb-render-util.so.0", "libxcb-render-util0"),
        ("libxcb-shape.so.0", "libxcb-shape0"),
        ("libxcb-xkb.so.1", "libxcb-xkb1"),
    ],
)
def test_a_missing_library_of_the_x11_plugin_is_found_before_qt_aborts(
    monkeypatch: pytest.MonkeyPatch, library: str, package: str
) -> None:
    def load(name: str) -> None:
        if name == library:
            raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(cli.ctypes, "CDLL", load)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM")
    result = CliRunner().invoke(desktop, [])
    assert isinstance(result.exception, MissingSystemLibrary)
    assert library in str(result.exception)
    assert package in str(result.exception).split()


def test_the_app_imports_no_posix_module() -> None:
    posix = ("fcntl", "grp", "pwd", "resource", "termios", "pty", "syslog")
    code = (
        f"import sys; before = set(sys.modules); sys.modules.update(dict.fromkeys({posix}))\n"
        "import desktop.app, desktop.cli, service.inference.predictor"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux runs without a display")
def test_a_missing_display_prints_one_line() -> None:
    run = lectern()
    assert (run.returncode, len(run.stderr.splitlines())) == (2, 1)
    assert "there is no display" in run.stderr


def test_an_invalid_server_url_is_refused() -> None:
    run = lectern("--server", "gopher://lecture-hall", QT_QPA_PLATFORM="offscreen")
    assert run.returncode == 2
    assert "'gopher://lecture-hall' is not the address of a server" in run.stderr


def test_other_import_errors_are_not_reported_as_a_missing_package() -> None:
    run = lectern(
        before=BROKEN.format(error="ImportError('cannot import name')"), QT_QPA_PLATFORM="offscreen"
    )
    assert "cannot import name" in run.stderr
    assert "apt-get" not in run.stderr


def test_the_app_imports_onnx_runtime_and_tensorflow_only_when_needed() -> None:
    heavy = {"onnx", "onnxruntime", "tensorflow", "bentoml"}
    code = f"import sys, desktop.app; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == "[]\n"


def test_the_stand_alone_program_starts_like_the_command() -> None:
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    inherited.pop("QT_QPA_PLATFORM", None)
    run = subprocess.run(
        [sys.executable, "-m", "desktop"],
        env=inherited, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.startswith("lectern-desktop: there is no display")
    assert "Traceback" not in run.stderr


def test_the_stand_alone_program_includes_its_data() -> None:
    folder = Path(cli.__file__).parent
    specification = (folder / "pysidedeploy.spec").read_text(encoding="utf-8")
    for source, target in re.findall(r"--include-data-dir=(\S+?)=(\S+)", specification):
        assert (folder / source).resolve() == folder.parent / target
        assert (folder / source).is_dir()
    assert "input_file = __main__.py" in specification
