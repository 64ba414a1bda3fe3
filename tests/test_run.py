"""Tests ./run with a pretended Python on an otherwise bare PATH, so that nothing is fetched or installed."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = (
    *("awk", "cat", "chmod", "cksum", "cp", "df", "dirname", "find", "grep", "head", "id", "ls"),
    *("mkdir", "rm", "sh", "sleep", "touch", "tr", "uname"),
)

# Stands for python3 and for .venv/bin/python. Real Python tells its version and takes the lock; making a
# .venv and installing into it are pretended. Files in the folder `pretend` choose what goes wrong.
INTERPRETER = """#!/bin/sh
pretend={pretend}
echo "$*" >>"$pretend/calls"
if [ "$1 $2" = "-m venv" ]; then
    mkdir -p "$3/bin" "$3/lib"
    cp "$0" "$3/bin/python"
elif [ "$1 $2 $4" = "-m pip install" ]; then
    venv=${{0%/bin/python}}
    [ ! -e "$pretend/offline" ] || {{ echo "no route to the package index" >&2; exit 1; }}
    touch "$venv/lib/half-installed"
    [ ! -e "$pretend/killed" ] || {{ kill -9 $PPID; exit 1; }}
    while [ -e "$pretend/slow" ]; do sleep 0.05; done
    printf '#!/bin/sh\\n# %s/bin/python\\necho "lectern $$ $*"\\nexit 7\\n' "$venv" >"$venv/bin/lectern"
    for tool in ruff mypy lint-imports; do
        printf '#!/bin/sh\\n[ ! -e %s ]\\n' "$pretend/$tool-complains" >"$venv/bin/$tool"
    done
    chmod +x "$venv"/bin/*
elif [ "$1 $2" = "-m pytest" ]; then
    echo "pytest got $*"
elif [ "$1" = "-" ]; then
    shift
    exec {python} -c "import sys; sys.executable = '$0'; {lie}; exec(sys.stdin.read())" "$@"
elif [ "$1" = "-c" ] && [ "${{2#*ctypes}}" != "$2" ]; then
    while read -r library package; do
        if [ -e "$pretend/no-$library" ]; then echo "$package"; fi
    done
elif [ "$1" = "-c" ]; then
    exec {python} "$@"
fi
"""
OLD = "sys.version_info = (3, 9, 2, 'final', 0)"
TOO_NEW = "sys.version_info = (3, 99, 0, 'final', 0)"
WITHOUT_VENV = "sys.modules['ensurepip'] = None"


class Checkout:
    """A copy of what ./run reads, with a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout"
        self.tools = folder / "bin"
        self.pretend = folder / "pretend"
        for made in (self.root, self.tools, self.pretend):
            made.mkdir()
        for name in ("run", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.root)
        for name in TOOLS:
            path = shutil.which(name)
            if path:
                (self.tools / name).symlink_to(path)

    def add_tool(self, name: str, script: str) -> None:
        path = self.tools / name
        path.unlink(missing_ok=True)  # never write through the link to the system's own tool
        path.write_text(script)
        path.chmod(0o755)

    def add_python(self, lie: str = "pass", *, name: str = "python3") -> None:
        self.add_tool(name, INTERPRETER.format(pretend=self.pretend, python=sys.executable, lie=lie))

    def go_wrong(self, what: str) -> None:
        (self.pretend / what).touch()

    def mend(self, what: str) -> None:
        (self.pretend / what).unlink()

    def calls(self, start: str = "") -> list[str]:
        log = self.pretend / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if line.startswith(start)]

    def installs(self) -> list[str]:
        return [line for line in self.calls("-m pip") if "--editable" in line]

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / "run"), *words],
            env={"PATH": str(self.tools)},
            cwd=self.tools.parent,  # not the checkout: ./run finds its own folder
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def works(self, *words: str) -> bool:
        return self.run(*words).stdout.startswith("lectern ")


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A checkout on a machine without Python."""
    return Checkout(tmp_path)


@pytest.fixture
def checkout(bare: Checkout) -> Checkout:
    """A checkout on a machine with nothing but a fitting Python."""
    bare.add_python()
    return bare


@pytest.mark.parametrize("words", [[], ["--help"], ["help"]])
def test_help_needs_no_python(bare: Checkout, words: list[str]) -> None:
    done = bare.run(*words)
    assert done.returncode == 0
    assert "./run train mnist-convnet" in done.stdout


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
    assert f"--constraint {checkout.root}/constraints.txt" in line
    assert line.endswith(f"--editable {checkout.root}{installed}")


def test_the_second_start_hands_over_at_once(checkout: Checkout) -> None:
    checkout.run("serve")
    before = checkout.calls()
    done = checkout.run("serve", "--port", "8080")
    assert checkout.calls() == before
    assert done.stderr == ""
    assert done.stdout.endswith("serve --port 8080\n")


def test_bench_runs_the_benchmarks_with_what_serving_installed(checkout: Checkout) -> None:
    checkout.run("serve")
    checkout.run("bench", "peers", "--rounds", "1")
    assert checkout.calls()[-1] == f"{checkout.root}/tests/benchmarks peers --rounds 1"
    assert len(checkout.installs()) == 1


def test_what_serving_installed_is_enough_to_predict(checkout: Checkout) -> None:
    checkout.run("serve")
    assert checkout.works("predict", "mnist", "digit.png")
    assert len(checkout.installs()) == 1


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


def test_no_python(bare: Checkout) -> None:
    done = bare.run("serve")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer, and none is on PATH" in done.stderr
    bare.add_python()
    assert bare.works("serve")


def test_old_python(bare: Checkout) -> None:
    bare.add_python(OLD)
    done = bare.run("serve")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer (python3 is 3.9)" in done.stderr
    bare.add_python(name="python3.12")
    assert bare.works("serve")


def test_python_that_is_too_new_for_tensorflow(bare: Checkout) -> None:
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
    checkout.go_wrong("offline")
    done = checkout.run("serve")
    assert done.returncode == 1
    assert "no route to the package index" in done.stderr
    assert "could not be installed" in done.stderr
    checkout.mend("offline")
    assert checkout.works("serve")


def test_a_failure_of_one_command_spares_what_another_installed(checkout: Checkout) -> None:
    checkout.run("serve")
    checkout.go_wrong("offline")
    assert checkout.run("train").returncode == 1
    assert checkout.works("serve")
    assert len(checkout.calls("-m venv")) == 1


def test_no_disk_space(checkout: Checkout) -> None:
    checkout.add_tool("df", "#!/bin/sh\necho header\necho /dev/disk 1000000 990000 10240 99% /\n")
    done = checkout.run("serve")
    assert done.returncode == 1
    assert "has 10 MB free" in done.stderr
    (checkout.tools / "df").unlink()
    (checkout.tools / "df").symlink_to(shutil.which("df") or "df")
    assert checkout.works("serve")


def test_a_killed_installation_is_made_anew(checkout: Checkout) -> None:
    checkout.go_wrong("killed")
    assert checkout.run("serve").returncode == -9
    checkout.mend("killed")
    done = checkout.run("serve")
    assert "making it anew" in done.stderr
    assert done.stdout.startswith("lectern ")
    assert len(checkout.calls("-m venv")) == 2


def test_an_empty_venv_is_made_anew(checkout: Checkout) -> None:
    (checkout.root / ".venv" / "bin").mkdir(parents=True)
    assert checkout.works("serve")


def test_a_moved_checkout_is_made_anew(checkout: Checkout) -> None:
    checkout.run("serve")
    checkout.root = checkout.root.rename(checkout.root.with_name("elsewhere"))
    assert checkout.works("serve")
    assert len(checkout.calls("-m venv")) == 2


def test_two_at_once_install_once(checkout: Checkout) -> None:
    checkout.go_wrong("slow")
    first = checkout.start("serve")
    while not (checkout.root / ".venv" / "lib" / "half-installed").exists():
        assert first.poll() is None
        time.sleep(0.01)
    second = checkout.start("serve")
    assert second.stderr is not None
    assert "waiting for another ./run" in second.stderr.readline()
    checkout.mend("slow")
    first.communicate(timeout=60)
    out, _ = second.communicate(timeout=60)
    assert out.startswith("lectern ")
    assert len(checkout.installs()) == 1


def test_pip_steps_in_where_uv_fails(checkout: Checkout) -> None:
    checkout.add_tool("uv", "#!/bin/sh\necho uv: no index >&2\nexit 2\n")
    assert checkout.works("serve")
    assert len(checkout.installs()) == 1


def test_the_test_command_runs_every_check_then_pytest(checkout: Checkout) -> None:
    done = checkout.run("test")
    stages = [line for line in done.stdout.splitlines() if line.startswith("== ")]
    assert [stage.split()[1] for stage in stages] == ["lint", "format", "types", "import", "tests"]
    assert done.stdout.endswith("pytest got -m pytest\n")
    (line,) = checkout.installs()
    assert "[serve,desktop,train]" in line
    assert line.endswith(f"--group {checkout.root}/pyproject.toml:dev")


@pytest.mark.parametrize(("tool", "title"), [("ruff", "lint"), ("mypy", "types"), ("lint-imports", "import")])
def test_a_failed_check_fails_the_test_command(checkout: Checkout, tool: str, title: str) -> None:
    checkout.go_wrong(f"{tool}-complains")
    done = checkout.run("test")
    assert done.returncode == 1
    assert f"run: {title}" in done.stderr
    assert "pytest got" not in done.stdout


def test_words_after_test_go_to_pytest_alone(checkout: Checkout) -> None:
    done = checkout.run("test", "tests/service", "-k", "card and not slow")
    assert done.stdout == "pytest got -m pytest tests/service -k card and not slow\n"


@pytest.mark.skipif(sys.platform != "linux", reason="Qt brings its libraries along elsewhere")
class TestQtLibraries:
    def test_they_are_named_to_a_user(self, checkout: Checkout) -> None:
        checkout.go_wrong("no-libEGL.so.1")
        checkout.go_wrong("no-libxcb-cursor.so.0")
        checkout.add_tool("id", "#!/bin/sh\necho 1000\n")
        done = checkout.run("desktop")
        assert done.returncode == 1
        assert "apt-get install libegl1 libxcb-cursor0" in done.stderr
        checkout.mend("no-libEGL.so.1")
        checkout.mend("no-libxcb-cursor.so.0")
        assert checkout.works("desktop")

    def test_those_of_x11_alone_do_not_stop_a_wayland_user(self, checkout: Checkout) -> None:
        checkout.go_wrong("no-libxcb-cursor.so.0")
        checkout.add_tool("id", "#!/bin/sh\necho 1000\n")
        done = checkout.run("desktop")
        assert "apt-get install libxcb-cursor0" in done.stderr
        assert done.stdout.startswith("lectern ")

    def test_root_gets_them_installed(self, checkout: Checkout) -> None:
        checkout.go_wrong("no-libGL.so.1")
        checkout.add_tool("id", "#!/bin/sh\necho 0\n")
        checkout.add_tool(
            "apt-get", f'#!/bin/sh\n[ "$1" = update ] || rm "{checkout.pretend}/no-libGL.so.1"\n'
        )
        done = checkout.run("desktop")
        assert "installing system libraries for Qt: libgl1" in done.stderr
        assert done.stdout.startswith("lectern ")


def test_the_integration_server_runs_the_tests_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "run").write_text('#!/bin/sh\necho "run $*"\nexit 5\n')
    (tmp_path / "run").chmod(0o755)
    done = subprocess.run([tmp_path / ".ci" / "run"], cwd="/", capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("run test\n", 5)


@pytest.mark.parametrize("name", ["run", ".ci/run"])
def test_the_scripts_pass_shellcheck(name: str) -> None:
    shellcheck = shutil.which(
        "shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if shellcheck is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([shellcheck, ROOT / name], capture_output=True, text=True, check=False)
    assert done.stdout == ""
