"""Copies what ./run reads, with a simulated Python on an otherwise empty PATH: nothing is installed."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


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


# A file in a folder that this user cannot open.
UNREACHABLE = (
    "import os; stat = os.stat; denied = PermissionError(13, 'Permission denied'); "
    "os.stat = lambda path, **options: "
    "(_ for _ in ()).throw(denied) if str(path) == '{python}' else stat(path, **options)"
)
# Ctrl+C while ./run imports its modules.
INTERRUPTED_IMPORT = (
    "import signal, types; sys.modules.pop('hashlib', None); sys.meta_path.insert(0, types.SimpleNamespace("
    "find_spec=lambda name, *rest: signal.raise_signal(signal.SIGINT) if name == 'hashlib' else None))"
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
