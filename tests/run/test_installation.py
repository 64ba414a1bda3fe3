"""Tests installations by ./run that fail, are interrupted, or run at the same time."""

import signal

import pytest
from simulated_checkout import FULL_DISK, Checkout


def test_other_pins_are_installed(checkout: Checkout) -> None:
    checkout.run("serve")
    with (checkout.root / "constraints.txt").open("a") as constraints:
        constraints.write("# changed\n")
    assert checkout.works("serve")
    assert len(checkout.installs()) == 2


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
