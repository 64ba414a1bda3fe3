"""Tests that ./run names or installs the system libraries that Qt needs."""

import os
import sys

import pytest
from simulated_checkout import AS_ROOT, NOT_ROOT, Checkout


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
