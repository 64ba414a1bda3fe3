"""Owns the ``lectern`` command: finds each subcommand in the package that has it, and loads only that."""

import importlib
import sys

import click

from service.inference.errors import LecternError, MissingExtra

# command → (module, extra that it needs, summary); modules are loaded when their command is called.
COMMANDS = {
    "serve": ("service.commands", "serve", "Serve the models over HTTP."),
    "predict": ("service.commands", "", "Classify pictures or texts."),
    "explain": ("service.commands", "", "Show what a network saw in a picture."),
    "models": ("service.commands", "", "List the models, or show one's card."),
    "desktop": ("desktop.cli", "desktop", "Open the desktop app."),
    "data": ("training.cli", "train", "List the data sets, or fetch one."),
    "train": ("training.cli", "train", "Train a network by its recipe."),
    "evaluate": ("training.cli", "train", "Measure a model on its whole test set."),
    "export": ("training.cli", "train", "Export a trained network to ONNX."),
    "quantize": ("training.cli", "train", "Make the 8-bit form of a picture model."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, extra, _ = COMMANDS[cmd_name]
        try:
            command: click.Command = getattr(importlib.import_module(module), cmd_name)
        except ModuleNotFoundError as error:
            raise _missing(error, cmd_name, extra) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lectern", message="%(prog)s %(version)s")
def lectern() -> None:
    """The networks of a deep-learning lecture, trained, exported to ONNX, served and drawn on.

    Example: lectern predict mnist digit.png
    """


def main() -> None:
    """Run the command line; a mistake of the user's ends in one line on standard error and status 2."""
    try:
        lectern(prog_name="lectern", standalone_mode=False)
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


def _missing(error: ModuleNotFoundError, command: str, extra: str) -> LecternError | ModuleNotFoundError:
    """Return what to say when a package is not there; a module of our own that is missing is a bug."""
    if not extra or (error.name or "").partition(".")[0] in ("service", "training", "desktop"):
        return error
    return MissingExtra(f"lectern {command} needs the package {error.name}: pip install 'lectern[{extra}]'")


def _fail(error: LecternError | ModuleNotFoundError) -> None:
    if not isinstance(error, LecternError):
        raise error
    click.echo(f"lectern: {error}", err=True)
    sys.exit(2)
