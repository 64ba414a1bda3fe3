"""Defines the ``lectern`` command, which imports a subcommand's module only when it is called."""

import copy
import importlib
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from service.inference.errors import LecternError, MissingExtra, escape
from service.inference.files import output_error
from service.inference.program import command, how_to_install

# command → (module, required extra, summary)
COMMANDS = {
    "serve": ("service.serving", "serve", "Serve the models over HTTP."),
    "predict": ("service.commands.predict", "", "Classify pictures or texts."),
    "batch": ("service.batch.command", "batch", "Predict many pictures or texts into files."),
    "record": ("service.batch.record", "batch", "Turn a server's record of requests into Parquet."),
    "explain": ("service.commands.explain", "", "Explain a prediction for a picture."),
    "models": ("service.commands.models", "", "List the models, or show a card."),
    "desktop": ("desktop.cli", "desktop", "Open the desktop app."),
    "summary": ("training.cli", "train", "Print the layers of a recipe's network."),
    "experiment": ("training.cli", "train", "Carry out a comparison of the lecture."),
    "runs": ("training.cli", "train", "List, show, compare or remove training runs."),
    "data": ("training.cli", "train", "List the data sets, or download one."),
    "train": ("training.cli", "train", "Train a network with a recipe."),
    "evaluate": ("training.cli", "train", "Evaluate a model on its test set."),
    "export": ("training.cli", "train", "Export a trained network to ONNX."),
    "quantize": ("training.cli", "train", "Quantize an image classifier to 8 bits."),
}


_EXAMPLE = re.compile(rf"\blectern (?=(?:{'|'.join(COMMANDS)})\b)")


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, extra, _ = COMMANDS[cmd_name]
        try:
            with _ended_by_ctrl_c():
                found: click.Command = getattr(importlib.import_module(module), cmd_name)
        except ModuleNotFoundError as error:
            raise _missing(error, cmd_name, extra) from error
        shown = copy.copy(found)
        shown.help, shown.epilog = _as_typed(found.help or ""), _as_typed(found.epilog or "")
        return shown

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lectern", message="lectern %(version)s")
def lectern() -> None:
    """Train the networks of a deep-learning course, serve them, and use them in a desktop app.

    Example: lectern predict mnist digit.png
    """


def main() -> None:
    """Run the command line; errors of the user print one line to standard error, with exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name need not be in the encoding of the terminal
            stream.reconfigure(errors="backslashreplace")
    try:
        lectern.help = _as_typed(lectern.help or "")
        lectern(prog_name=command(), standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(130)
    except ModuleNotFoundError as error:
        name = next((word for word in sys.argv[1:] if word in COMMANDS), "")
        _fail(_missing(error, name, COMMANDS[name][1] if name else ""))
    except LecternError as error:
        _fail(error)
    except OSError as error:
        _fail(output_error(error))


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the process at once: libraries turn an exception in their imports into others."""
    handler = signal.getsignal(signal.SIGINT)
    # The server has a handler of its own, and nohup has Ctrl-C ignored.
    if handler is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, lambda number, _: os._exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _as_typed(text: str) -> str:
    """Return a help text whose examples begin with what starts Lectern here, such as ``./run``."""
    return _EXAMPLE.sub(lambda found: f"{command()} ", text)


def _missing(error: ModuleNotFoundError, name: str, extra: str) -> LecternError | ModuleNotFoundError:
    """Return the error for a package that is not installed; a module missing in one of Lectern's is a bug."""
    package, _, module = (error.name or "").partition(".")
    if package in ("training", "desktop") and not module:
        return MissingExtra(
            f"lectern {name} is not a part of this installation, which has the server alone; install all "
            f"of Lectern in a copy of its repository: pip install '.[{extra}]'"
        )
    if not extra or package in ("service", "training", "desktop"):
        return error
    return MissingExtra(f"lectern {name} needs the package {error.name}: {how_to_install(name, extra)}")


def _fail(error: LecternError | ModuleNotFoundError) -> None:
    if not isinstance(error, LecternError):
        raise error
    lines = map(escape, str(error).split("\n"))  # some messages have several
    click.echo("lectern: " + "\n".join(lines), err=True)
    sys.exit(2)
