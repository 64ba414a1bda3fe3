"""Tests which .venv ./run keeps, and which one it creates again."""

import os
import sys
from pathlib import Path

import pytest
from simulated_checkout import INTERRUPTED_IMPORT, KILLED_WHILE_DELETING, UNREACHABLE, Checkout


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


def test_a_venv_whose_python_is_in_a_folder_that_this_user_cannot_open_is_kept(checkout: Checkout) -> None:
    checkout.run("serve")
    python = checkout.root / ".venv" / "bin" / "python"
    checkout.add_python(UNREACHABLE.format(python=python))
    done = checkout.run("serve")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"run: this user cannot run {python} (permission denied)")


def test_ctrl_c_before_the_modules_are_imported_ends_without_a_traceback(checkout: Checkout) -> None:
    checkout.add_python(INTERRUPTED_IMPORT)
    done = checkout.run("serve")
    assert done.returncode != 0
    assert (done.stdout, done.stderr) == ("", "")


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


def test_a_moved_checkout_is_created_again(checkout: Checkout) -> None:
    checkout.run("serve")
    checkout.root = checkout.root.rename(checkout.root.with_name("elsewhere"))
    assert checkout.works("serve")
    assert len(checkout.calls("-m venv")) == 2
