"""Tests ./run with a simulated Python on an otherwise empty PATH, so that nothing is installed."""

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("chmod", "cp", "mkdir", "rm", "sh", "sleep", "touch")

# Stands for python3 and for .venv/bin/python. The real Python runs ./run and its short scripts; creating a
# .venv and installing into it are simulated. Files in the folder `simulation` choose what fails.
INTERPRETER = """#!/bin/sh
simulation={simulation}
if [ "${{1##*/}}" = run ]; then
    exec {python} -P -c "import runpy, sys; del sys.argv[0]; sys.executable = '$0'; {change}
runpy.run_path(sys.argv[0], run_name='__main__')" "$@"
fi
while [ "$1" = "-I" ] || [ "$1" = "-B" ]; do shift; done
echo "$*" >>"$simulation/calls"
if [ "$1 $2" = "-m venv" ]; then
    [ ! -e "$simulation/no-venv" ] || exit 1
    [ "$3" != "--without-pip" ] || shift
    [ ! -L "$3" ] || exit 1
    mkdir -p "$3/bin" "$3/lib"
    cp "$0" "$3/bin/python"
elif [ "$1 $2 $4" = "-m pip install" ]; then
    venv=${{0%/bin/python}}
    [ "$PWD" -ef "${{venv%/.venv}}" ] || {{ echo "not in the checkout: $PWD" >&2; exit 1; }}
    [ ! -e "$simulation/offline" ] || {{ echo "no route to the package index" >&2; exit 1; }}
    [ -e "$simulation/downloads" ] || touch "$venv/lib/half-installed"
    [ ! -e "$simulation/killed" ] || {{ kill -9 $PPID; exit 1; }}
    if [ -p "$simulation/started" ]; then
        echo started >"$simulation/started"
        read -r line <"$simulation/continue"
    fi
    printf '#!/bin/sh\\n# %s/bin/python\\necho "lectern $$ $*"\\nexit 7\\n' "$venv" >"$venv/bin/lectern"
    for tool in ruff mypy lint-imports; do
        printf '#!/bin/sh\\n[ ! -e %s ]\\n' "$simulation/$tool-fails" >"$venv/bin/$tool"
    done
    chmod +x "$venv"/bin/*
elif [ "$1 $2" = "-m pip" ]; then
    [ ! -e "$simulation/no-pip" ] || exit 1
    echo "pip 99"
elif [ "$1 $2" = "-m ensurepip" ]; then
    sleep 0.01  # the clock of a file system ticks every few milliseconds
    mkdir -p "${{0%/bin/python}}/lib/pip"
    rm "$simulation/no-pip"
elif [ "$1 $2" = "-m pytest" ]; then
    echo "pytest got $*"
elif [ "$1" = "-c" ] && [ "${{2#*ctypes}}" != "$2" ]; then
    for library in $3; do
        if [ -e "$simulation/no-$library" ]; then echo "$library"; fi
    done
elif [ "$1" = "-c" ]; then
    exec {python} -P -c "import sys; sys._base_executable = '$0'; {change}; exec(sys.argv.pop(1))" "$2"
fi
"""
OLD = "sys.version_info = (3, 9, 2, 'final', 0)"
TOO_NEW = "sys.version_info = (3, 99, 0, 'final', 0)"
WITHOUT_VENV = "sys.modules['ensurepip'] = None"
FULL_DISK = "import shutil; shutil.disk_usage = lambda path: (0, 0, 10_000_000)"
# Deletes the marks of ./run if they are in the deleted folder, then kills ./run.
KILLED_WHILE_DELETING = (
    "import os, shutil; "
    "shutil.rmtree = lambda path: os.kill(os.getpid(), 9 + os.system(f'rm -f \\\"{path}\\\"/lectern-*'))"
)
NOT_ROOT = "import os; os.geteuid = lambda: 1000"
AS_ROOT = "import os; os.geteuid = lambda: 0"


def _restore_signals() -> None:
    """Undo what nohup, or a shell's background job, leaves to the process: they ignore some signals."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Checkout:
    """A copy of what ./run reads, with a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout"
        self.tools = folder / "bin"
        self.simulation = folder / "simulation"
        self.environment: dict[str, str] = {}
        for made in (self.root, self.tools, self.simulation):
            made.mkdir()
        for name in ("run", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.root)
        for name in TOOLS:
            path = shutil.which(name)
            if path:
                (self.tools / name).symlink_to(path)

    def add_tool(self, name: str, script: str, *, folder: Path | None = None) -> Path:
        path = (folder or self.tools) / name
        path.unlink(missing_ok=True)  # never write through the link to the system's own tool
        path.write_text(script)
        path.chmod(0o755)
        return path

    def add_python(self, change: str = "pass", *, name: str = "python3", folder: Path | None = None) -> Path:
        script = INTERPRETER.format(simulation=self.simulation, python=sys.executable, change=change)
        return self.add_tool(name, script, folder=folder)

    def set(self, condition: str) -> None:
        (self.simulation / condition).touch()

    def unset(self, condition: str) -> None:
        (self.simulation / condition).unlink()

    def calls(self, start: str = "") -> list[str]:
        log = self.simulation / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if line.startswith(start)]

    def installs(self) -> list[str]:
        return [line for line in self.calls("-m pip") if "--editable" in line]

    def start(self, *words: str, python: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*([str(python)] if python else []), str(self.root / "run"), *words],
            env={"PATH": str(self.tools), **self.environment},
            cwd=self.tools.parent,  # not the checkout: ./run finds its own folder
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_restore_signals,
        )

    def run(self, *words: str, python: Path | None = None) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, python=python)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def works(self, *words: str, python: Path | None = None) -> bool:
        return self.run(*words, python=python).stdout.startswith("lectern ")

    def start_slow_installation(self, *words: str) -> subprocess.Popen[str]:
        """Start ./run, and return when it installs packages; `finish_installation` lets it continue."""
        for name in ("started", "continue"):
            os.mkfifo(self.simulation / name)
        process = self.start(*words)
        (self.simulation / "started").read_text()
        return process

    def finish_installation(self) -> None:
        self.unset("started")
        (self.simulation / "continue").write_text("go\n")


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A checkout on a machine without Python."""
    return Checkout(tmp_path)


@pytest.fixture
def checkout(bare: Checkout) -> Checkout:
    """A checkout on a machine with one Python that fits."""
    bare.add_python()
    return bare


@pytest.mark.parametrize("words", [[], ["--help"], ["help"]])
def test_help_needs_no_fitting_python(bare: Checkout, words: list[str]) -> None:
    bare.add_python(OLD)
    done = bare.run(*words)
    assert done.returncode == 0
    assert "./run train mnist-convnet" in done.stdout
    assert bare.calls() == []


def test_an_old_python_can_read_it() -> None:
    source = (ROOT / "run").read_text()
    ast.parse(source, feature_version=(3, 8))
    assert source.startswith("#!/usr/bin/env python3\n")


@pytest.mark.skipif(not shutil.which("python3.8"), reason="no Python 3.8")
def test_python_3_8_runs_it() -> None:
    done = subprocess.run(["python3.8", ROOT / "run", "sevre"], capture_output=True, text=True, check=False)
    if "pyenv" not in done.stderr:  # a shim without its Python
        assert (done.returncode, done.stderr[:29]) == (2, "run: there is no command 'sev")


def test_modules_in_the_checkout_do_not_hide_standard_ones(checkout: Checkout) -> None:
    for name in ("contextlib", "random", "subprocess"):
        (checkout.root / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    done = subprocess.run(
        [sys.executable, checkout.root / "run", "--help"], cwd=checkout.root, capture_output=True, text=True,
        env={"PYTHONPATH": str(checkout.root)}, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("Usage: ./run")


def test_an_unknown_command_installs_nothing(checkout: Checkout) -> None:
    done = checkout.run("sevre")
    assert done.returncode == 2
    assert "no command 'sevre'" in done.stderr
    assert not (checkout.root / ".venv").exists()


@pytest.mark.parametrize(
    ("command", "installed"),
    [
        ("serve", "[serve]"),
        ("desktop", "[desktop]"),
        ("models", ""),
        ("evaluate", "[train]"),
    ],
)
def test_the_first_start_installs_what_the_command_needs(
    checkout: Checkout, command: str, installed: str
) -> None:
    checkout.run(command)
    (line,) = checkout.installs()
    assert "--constraint constraints.txt" in line
    assert line.endswith(f"--editable .{installed}")


def _add_gpu(checkout: Checkout) -> None:
    checkout.add_tool("nvidia-smi", f"#!{checkout.tools}/sh\necho 'GPU 0: NVIDIA H200'\n")


def test_on_a_gpu_the_server_gets_the_build_for_it_alone(checkout: Checkout) -> None:
    _add_gpu(checkout)
    checkout.run("serve")
    install, uninstall, build = (line for line in checkout.calls("-m pip") if "--version" not in line)
    assert install.endswith("--editable .[serve-gpu]")
    assert uninstall.endswith("uninstall --quiet --yes onnxruntime")
    assert build.endswith("--force-reinstall --no-deps --quiet --constraint constraints.txt onnxruntime-gpu")
    checkout.run("serve")
    checkout.run("predict")
    assert len(checkout.installs()) == 1


def test_other_packages_leave_the_build_for_gpus(checkout: Checkout) -> None:
    _add_gpu(checkout)
    checkout.run("serve")
    checkout.run("train")  # requires onnxruntime, too
    assert checkout.calls("-m pip")[-1].endswith("onnxruntime-gpu")


def test_tensorrt_needs_the_build_for_gpus(checkout: Checkout) -> None:
    _add_gpu(checkout)
    checkout.environment["LECTERN_PROVIDERS"] = "tensorrt,cuda,cpu"
    checkout.run("serve")
    assert "--editable .[serve-gpu]" in checkout.installs()[0]


def test_a_gpu_that_shall_not_be_used_needs_no_packages(checkout: Checkout) -> None:
    _add_gpu(checkout)
    checkout.environment["LECTERN_PROVIDERS"] = "cpu"
    checkout.run("serve")
    (line,) = checkout.installs()
    assert line.endswith("--editable .[serve]")


def test_the_second_start_installs_nothing(checkout: Checkout) -> None:
    checkout.run("serve")
    before = checkout.calls()
    done = checkout.run("serve", "--port", "8080")
    assert checkout.calls() == before
    assert done.stderr == ""
    assert done.stdout.endswith("serve --port 8080\n")


def test_bench_runs_the_benchmarks(checkout: Checkout) -> None:
    checkout.run("bench", "peers", "--rounds", "1")
    assert checkout.calls()[-1] == f"{checkout.root}/tests/benchmarks peers --rounds 1"
    (line,) = checkout.installs()
    assert line.endswith("[serve] --group pyproject.toml:bench")
    assert checkout.works("serve")
    assert len(checkout.installs()) == 1


def test_predict_needs_no_more_than_serve(checkout: Checkout) -> None:
    checkout.run("serve")
    assert checkout.works("predict", "mnist", "digit.png")
    assert len(checkout.installs()) == 1


@pytest.mark.parametrize(
    ("arguments", "installed"),
    [
        (("--engine", "ray"), "[batch,ray]"),
        (("--engine=ray",), "[batch,ray]"),
        (("--out", "ray"), "[batch]"),
    ],
)
def test_ray_is_installed_for_its_engine_alone(
    checkout: Checkout, arguments: tuple[str, ...], installed: str
) -> None:
    checkout.run("batch", "mnist", "pictures", *arguments)
    (line,) = checkout.installs()
    assert line.endswith(f"--editable .{installed}")


def test_lectern_takes_over_process_and_status(checkout: Checkout) -> None:
    process = checkout.start("serve")
    out, _ = process.communicate(timeout=60)
    assert out.split()[1] == str(process.pid)
    assert process.returncode == 7


def test_other_pins_are_installed(checkout: Checkout) -> None:
    checkout.run("serve")
    with (checkout.root / "constraints.txt").open("a") as constraints:
        constraints.write("# changed\n")
    assert checkout.works("serve")
    assert len(checkout.installs()) == 2


def test_the_python_that_starts_it_need_not_be_on_path(bare: Checkout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    python = bare.add_python(name="python", folder=tmp_path / "elsewhere")
    assert bare.works("serve", python=python)


def test_old_python(bare: Checkout, tmp_path: Path) -> None:
    bare.add_python(OLD)
    done = bare.run("serve")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer (python3 is 3.9" in done.stderr
    bare.add_python(name="python3.12")
    assert bare.works("serve")


def test_python_too_new_for_tensorflow(bare: Checkout) -> None:
    bare.add_python(TOO_NEW)
    done = bare.run("train", "mnist-convnet")
    assert done.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13 (python3 is 3.99" in done.stderr
    bare.add_python(name="python3.11")
    assert bare.works("train", "mnist-convnet")


def test_no_venv_module(bare: Checkout) -> None:
    bare.add_python(WITHOUT_VENV)
    done = bare.run("serve")
    version = "{}.{}".format(*sys.version_info)
    assert done.returncode == 1
    assert f"apt-get install python{version}-venv" in done.stderr
    bare.add_python()
    assert bare.works("serve")


def test_no_network(checkout: Checkout) -> None:
    checkout.set("offline")
    done = checkout.run("serve")
    assert done.returncode == 1
    assert "no route to the package index" in done.stderr
    assert "cannot install the packages" in done.stderr
    checkout.unset("offline")
    assert checkout.works("serve")


def test_a_failed_installation_leaves_other_commands_usable(checkout: Checkout) -> None:
    checkout.run("serve")
    checkout.set("offline")
    assert checkout.run("train").returncode == 1
    assert checkout.works("serve")
    assert len(checkout.calls("-m venv")) == 1


def test_pip_that_replaces_an_offline_uv_leaves_other_commands_usable(checkout: Checkout) -> None:
    checkout.add_tool("uv", f"#!{checkout.tools}/sh\nexit 2\n")
    assert checkout.works("serve")
    checkout.set("no-pip")
    checkout.set("offline")
    assert checkout.run("train").returncode == 1
    assert checkout.works("serve")
    assert len(checkout.calls("-m venv")) == 1


def test_an_interrupted_download_leaves_other_commands_usable(checkout: Checkout) -> None:
    checkout.run("models")
    checkout.set("downloads")
    process = checkout.start_slow_installation("serve")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert checkout.works("models")
    assert len(checkout.calls("-m venv")) == 1


def test_no_disk_space(bare: Checkout) -> None:
    bare.add_python(FULL_DISK)
    done = bare.run("serve")
    assert done.returncode == 1
    assert "has 10 MB free" in done.stderr
    bare.add_python()
    assert bare.works("serve")


def test_a_venv_that_cannot_be_created(checkout: Checkout) -> None:
    checkout.set("no-venv")
    done = checkout.run("serve")
    assert done.returncode == 1
    assert "cannot create" in done.stderr
    checkout.unset("no-venv")
    assert checkout.works("serve")


def test_a_killed_installation_is_created_again(checkout: Checkout) -> None:
    checkout.set("killed")
    assert checkout.run("serve").returncode == -9
    checkout.unset("killed")
    done = checkout.run("serve")
    assert "creating it again" in done.stderr
    assert done.stdout.startswith("lectern ")
    assert len(checkout.calls("-m venv")) == 2


def test_an_empty_venv_is_created_again(checkout: Checkout) -> None:
    (checkout.root / ".venv" / "bin").mkdir(parents=True)
    assert checkout.works("serve")


def test_a_venv_on_another_disk_stays_there(checkout: Checkout, tmp_path: Path) -> None:
    (checkout.root / ".venv").symlink_to(tmp_path / "other disk")
    assert checkout.works("serve")
    (tmp_path / "other disk" / "lectern-unfinished").touch()
    assert checkout.works("serve")
    assert (tmp_path / "other disk" / "bin" / "lectern").exists()
    assert len(checkout.calls("-m venv")) == 2


def test_a_file_in_place_of_the_venv_is_kept(checkout: Checkout) -> None:
    (checkout.root / ".venv").write_text("name of a virtual environment")
    done = checkout.run("serve")
    assert done.returncode == 1
    assert done.stderr.endswith(f"run: cannot set up {checkout.root}/.venv: File exists\n")
    assert (checkout.root / ".venv").is_file()


def test_a_venv_with_a_python_that_this_user_cannot_run_is_kept(checkout: Checkout) -> None:
    checkout.run("serve")
    python = checkout.root / ".venv" / "bin" / "python"
    python.chmod(0o600)
    done = checkout.run("serve")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"run: this user cannot run {python} (permission denied)")
    assert python.exists()


def test_a_venv_that_is_partly_deleted_is_created_again(checkout: Checkout) -> None:
    checkout.run("serve")
    (checkout.root / ".venv" / "lectern-unfinished").touch()
    checkout.add_python(KILLED_WHILE_DELETING)
    assert checkout.run("serve").returncode == -9
    assert (checkout.root / ".venv" / "lectern-unfinished").exists()


@pytest.mark.skipif(sys.platform == "darwin", reason="names of files are UTF-8 on macOS")
def test_a_checkout_in_a_folder_whose_name_is_not_utf_8(checkout: Checkout) -> None:
    checkout.run("serve")
    checkout.root = checkout.root.rename(os.fsdecode(os.fsencode(checkout.root.parent) + b"/caf\xe9"))
    assert "Traceback" not in checkout.run("serve").stderr


def test_a_stamp_that_cannot_be_read_is_replaced(checkout: Checkout) -> None:
    checkout.run("serve")
    (checkout.root / ".venv" / "lectern-serve").write_bytes(b"\xff\x00")
    assert checkout.works("serve")
    assert len(checkout.installs()) == 2


def test_a_python_that_prints_a_greeting(bare: Checkout) -> None:
    bare.add_python("print('hello')")
    assert bare.run("serve").stdout.splitlines()[-1].startswith("lectern ")
    assert bare.run("models").returncode == 7


def test_a_moved_checkout_is_created_again(checkout: Checkout) -> None:
    checkout.run("serve")
    checkout.root = checkout.root.rename(checkout.root.with_name("elsewhere"))
    assert checkout.works("serve")
    assert len(checkout.calls("-m venv")) == 2


def test_two_at_once_install_once(checkout: Checkout) -> None:
    first = checkout.start_slow_installation("serve")
    second = checkout.start("serve")
    assert second.stderr is not None
    assert "waiting for another ./run" in second.stderr.readline()
    checkout.finish_installation()
    first.communicate(timeout=60)
    out, _ = second.communicate(timeout=60)
    assert out.startswith("lectern ")
    assert len(checkout.installs()) == 1


def test_an_installer_that_outlives_a_killed_run_keeps_the_lock(checkout: Checkout) -> None:
    first = checkout.start_slow_installation("serve")
    first.kill()
    second = checkout.start("serve")
    assert second.stderr is not None
    assert "waiting for another ./run" in second.stderr.readline()
    checkout.finish_installation()
    first.communicate(timeout=60)
    out, err = second.communicate(timeout=60)
    assert "creating it again" in err
    assert out.startswith("lectern ")


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_a_signal_stops_the_installation(checkout: Checkout, number: signal.Signals, status: int) -> None:
    process = checkout.start_slow_installation("serve")
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == status
    checkout.unset("started")
    assert checkout.works("serve")


def test_pip_installs_if_uv_fails(checkout: Checkout) -> None:
    checkout.add_tool("uv", "#!/bin/sh\necho uv: no index >&2\nexit 2\n")
    assert checkout.works("serve")
    assert len(checkout.installs()) == 1


def test_the_test_command_runs_every_check_then_pytest(checkout: Checkout) -> None:
    done = checkout.run("test")
    stages = [line for line in done.stdout.splitlines() if line.startswith("== ")]
    assert [stage.split()[1] for stage in stages] == ["lint", "format", "types", "import", "tests"]
    # On all cores, file by file.
    assert "\npytest got -m pytest -n logical " in done.stdout
    assert " --dist loadfile " in done.stdout
    (line,) = checkout.installs()
    assert "[serve,desktop,train,batch,ray,tracing]" in line
    assert line.endswith("--group pyproject.toml:dev")


@pytest.mark.parametrize(("tool", "title"), [("ruff", "lint"), ("mypy", "types"), ("lint-imports", "import")])
def test_a_failed_check_fails_the_test_command(checkout: Checkout, tool: str, title: str) -> None:
    checkout.set(f"{tool}-fails")
    done = checkout.run("test")
    assert done.returncode == 1
    assert f"run: {title}" in done.stderr
    assert "pytest got" not in done.stdout


def test_arguments_of_test_go_to_pytest_alone(checkout: Checkout) -> None:
    done = checkout.run("test", "tests/service", "-k", "card and not slow")
    assert done.stdout == "pytest got -m pytest tests/service -k card and not slow\n"


class TestBrowser:
    def test_it_is_installed_for_root_once(self, checkout: Checkout) -> None:
        checkout.add_python(AS_ROOT)
        log = checkout.simulation / "apt"
        browser = checkout.tools / "chromium"
        checkout.add_tool(
            "apt-get",
            f'#!/bin/sh\necho "$1" >>"{log}"\n'
            f'[ "$1" = update ] || {{ : >"{browser}"; chmod +x "{browser}"; }}\n',
        )
        assert "installing chromium" in checkout.run("test", "tests").stderr
        assert log.read_text().split() == ["update", "install"]
        assert "chromium" not in checkout.run("test", "tests").stderr

    def test_tests_run_without_it(self, checkout: Checkout) -> None:
        checkout.add_python(NOT_ROOT)
        checkout.add_tool("apt-get", "#!/bin/sh\nexit 1\n")
        assert checkout.run("test", "tests").stdout == "pytest got -m pytest tests\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the wheels of Qt lack libraries on Linux only")
class TestQtLibraries:
    def test_missing_libraries_are_named(self, checkout: Checkout) -> None:
        checkout.set("no-libEGL.so.1")
        checkout.set("no-libxcb-cursor.so.0")
        checkout.add_python(NOT_ROOT)
        done = checkout.run("desktop")
        assert done.returncode == 1
        assert "apt-get install libegl1 libxcb-cursor0" in done.stderr
        checkout.unset("no-libEGL.so.1")
        checkout.unset("no-libxcb-cursor.so.0")
        assert checkout.works("desktop")

    def test_missing_x11_libraries_are_a_warning(self, checkout: Checkout) -> None:
        checkout.set("no-libxcb-cursor.so.0")
        checkout.add_python(NOT_ROOT)
        done = checkout.run("desktop")
        assert "apt-get install libxcb-cursor0" in done.stderr
        assert done.stdout.startswith("lectern ")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
    def test_a_user_who_cannot_write_opens_the_app(self, checkout: Checkout) -> None:
        checkout.run("desktop")
        venv = checkout.root / ".venv"
        (venv / "lectern-qt-desktop").unlink()
        venv.chmod(0o555)
        assert checkout.works("desktop")

    def test_they_are_installed_for_root(self, checkout: Checkout) -> None:
        checkout.set("no-libGL.so.1")
        checkout.add_python(AS_ROOT)
        checkout.add_tool(
            "apt-get", f'#!/bin/sh\n[ "$1" = update ] || rm "{checkout.simulation}/no-libGL.so.1"\n'
        )
        done = checkout.run("desktop")
        assert "installing system libraries for Qt: libgl1" in done.stderr
        assert done.stdout.startswith("lectern ")


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([0], ["test"]),
        # The first call fails, and runs the failed tests once more.
        ([1, 0], ["test", "test --last-failed --last-failed-no-failures none"]),
        ([1, 5], ["test", "test --last-failed --last-failed-no-failures none"]),
    ],
)
def test_the_integration_server_runs_the_tests_and_those_that_fail_once_more(
    tmp_path: Path, statuses: list[int], expected: list[str]
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    first, last = statuses[0], statuses[-1]
    (tmp_path / "run").write_text(f'#!/bin/sh\necho "run $*"\n[ "$*" = test ] && exit {first}\nexit {last}\n')
    (tmp_path / "run").chmod(0o755)
    done = subprocess.run([tmp_path / ".ci" / "run"], cwd="/", capture_output=True, text=True, check=False)
    calls = [line for line in done.stdout.splitlines() if line.startswith("run ")]
    assert (calls, done.returncode) == ([f"run {words}" for words in expected], last)


def test_the_script_of_the_integration_server_passes_shellcheck() -> None:
    shellcheck = shutil.which(
        "shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if shellcheck is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([shellcheck, ROOT / ".ci" / "run"], capture_output=True, text=True, check=False)
    assert done.stdout == ""


class TestWindows:
    @pytest.fixture
    def run(self, checkout: Checkout) -> ModuleType:
        """The file as a module that takes this system for Windows."""
        loader = SourceFileLoader("lectern_run", str(checkout.root / "run"))
        spec = importlib.util.spec_from_loader("lectern_run", loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        module.WINDOWS = True
        return module

    def test_programs_are_in_scripts(self, run: Any, checkout: Checkout) -> None:
        assert run.program("lectern") == checkout.root / ".venv" / "Scripts" / "lectern.exe"
        run.WINDOWS = False
        assert run.program("lectern") == checkout.root / ".venv" / "bin" / "lectern"

    def test_a_program_runs_as_a_child_and_gives_its_status(
        self, run: Any, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handlers: list[object] = []
        monkeypatch.setattr(run.signal, "signal", lambda number, handler: handlers.append(handler))
        child = checkout.add_tool("child", '#!/bin/sh\n[ "$1" = serve ] && exit 7\n')
        with pytest.raises(SystemExit) as left:
            run.run_instead(child, "serve")
        assert left.value.code == 7
        assert handlers == [signal.SIG_IGN]

    def test_the_launcher_finds_a_python(
        self, run: Any, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = checkout.add_python(OLD, name="old")
        checkout.add_tool(
            "py", f'#!/bin/sh\n[ "$1" = -3.12 ] || exit 1\nshift\nexec {checkout.tools}/new "$@"\n'
        )
        fitting = checkout.add_python(name="new")
        monkeypatch.setattr(run.sys, "executable", str(old))
        monkeypatch.setenv("PATH", str(checkout.tools))
        assert run.find_python("serve", 99, uv=None) == str(fitting)

    def test_another_run_is_waited_for(
        self, run: Any, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []

        def locking(descriptor: int, mode: int, count: int) -> None:
            if len(pauses) < 2:
                raise PermissionError(13, "Permission denied")

        run.msvcrt = SimpleNamespace(LK_NBLCK=0, locking=locking)
        monkeypatch.setattr(run.time, "sleep", pauses.append)
        monkeypatch.setattr(run, "is_ready", lambda name: True)
        run.set_up("serve", "serve")
        assert len(pauses) == 2
