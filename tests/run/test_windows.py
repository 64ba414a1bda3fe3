"""Tests what ./run does differently on Windows."""

import importlib.util
import signal
from importlib.machinery import SourceFileLoader
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from simulated_checkout import OLD, Checkout


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
