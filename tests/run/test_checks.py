"""Tests that ./run test runs every check, and installs the browser of the tests."""

import pytest
from simulated_checkout import AS_ROOT, NOT_ROOT, Checkout


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
