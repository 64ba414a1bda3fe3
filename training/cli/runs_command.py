"""Defines the command ``runs``."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from training.backend import load_keras
from training.cli.shared import ask, choose_recipe, own_recipe_option, runs_option, table_console, yes_option
from training.errors import RunError

if TYPE_CHECKING:
    from training.reporting.runs import RunReport


@click.command()
@click.argument("names", nargs=-1)
@runs_option
@own_recipe_option
@click.option("--test", "measure", is_flag=True, help="Measure the named runs on their test set, with Keras.")
@click.option(
    "--curves", type=click.Path(path_type=Path, dir_okay=False), help="PNG file with the named runs' curves."
)
@click.option("--remove", is_flag=True, help="Delete the named runs, after a question.")
@yes_option
def runs(
    names: tuple[str, ...],
    runs: Path,
    own_recipe: Path | None,
    measure: bool,
    curves: Path | None,
    remove: bool,
    yes: bool,
) -> None:
    """List the training runs, show the named one, or compare several.

    \b
    Examples:
      lectern runs
      lectern runs mnist-dense --test
      lectern runs mnist-dense narrow --curves runs.png
      lectern runs narrow --remove
    """
    if (measure or curves or remove) and not names:
        raise click.UsageError("--test, --curves and --remove need the names of runs")
    load_keras(converts=False)
    choose_recipe(None, own_recipe)
    from training.reporting.runs import list_runs, read_report, with_folds

    named = dict.fromkeys(names if remove else with_folds(runs, names))
    damaged: list[RunError] = []
    reports = [read_report(runs, name) for name in named] or list_runs(runs, damaged=damaged.append)
    if remove:
        for report in reports:
            _remove(report.folder, running=report.running, yes=yes)
        return
    if not (reports or damaged):
        click.echo(f"{runs}: contains no runs")
        return
    if reports:
        _print_tables(reports, compare=bool(names))
    if measure:
        from training.reporting.printout import describe_result
        from training.workflows.run_measurement import measure_run

        for report in reports:
            click.echo(f"{report.name}: {describe_result(measure_run(report.folder))}")
    if curves:
        _plot_curves(reports, curves)
    for error in damaged:
        click.echo(f"lectern: {error}", err=True)
    if damaged:
        sys.exit(1)


def _print_tables(reports: Sequence["RunReport"], *, compare: bool) -> None:
    """Print a table of runs, and to compare them their settings; for a single run, print its epochs too."""
    from training.reporting.runs import epochs_table, runs_table, settings_table

    console = table_console()
    console.print(runs_table(reports))
    if compare and (differing := settings_table(reports)).row_count:
        console.print()
        console.print(differing)
    if compare and len(reports) == 1:
        console.print()
        console.print(epochs_table(reports[0]))


def _plot_curves(reports: Sequence["RunReport"], path: Path) -> None:
    from service.inference.files import write_atomically
    from training.export.plots import plot_comparison

    histories = {report.name: report.history for report in reports}
    write_atomically(path, plot_comparison(histories, title=", ".join(histories)))
    click.echo(f"{path}: curves of {', '.join(histories)}")


def _remove(folder: Path, *, running: bool, yes: bool) -> None:
    if running:
        raise RunError(f"{folder}: a training writes there; stop it first")
    if not (yes or ask(f"Delete {folder}?")):
        raise RunError(f"{folder}: is kept; --yes deletes it without a question")
    shutil.rmtree(folder)
    click.echo(f"{folder}: deleted")
