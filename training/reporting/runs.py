"""Lists, describes and compares training runs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from service.inference.files import output_error
from training.errors import RunError
from training.fit.run import Epoch, kept_epoch, read_document, read_history
from training.fit.run_folder import (
    RunState,
    fold_folders,
    is_locked,
    read_arguments,
    read_settings,
    read_stages,
    read_state,
    run_folder,
)
from training.recipes import load_recipe, recipe_names


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What is known of a run, finished or not."""

    name: str  # as on the command line
    folder: Path
    recipe: str
    state: RunState
    running: bool
    settings: Mapping[str, Any]  # flat: those of augmentation and fine-tuning have a prefix
    history: tuple[Epoch, ...]
    final: Epoch | None  # the epoch whose weights the run keeps; None before the first one
    seconds: float  # wall-clock time of its epochs

    @property
    def status(self) -> str:
        """The state in one word."""
        return "running" if self.running else "finished" if self.state.finished else "interrupted"


def list_runs(runs: Path, *, damaged: Callable[[RunError], object] = lambda error: None) -> list[RunReport]:
    """Return the reports of all runs in a folder, sorted by name.

    Args:
        runs: Folder of all runs.
        damaged: Gets the error of each run of which a file cannot be read; that run is left out.
    """
    reports = []
    for folder in sorted(path for path in runs.glob("*") if path.is_dir()):
        try:
            if read_settings(folder) is not None:
                reports.append(read_report(runs, folder.name))
        except RunError as error:
            damaged(error)
        except OSError as error:
            damaged(RunError(str(output_error(error))))
    return reports


def read_report(runs: Path, name: str) -> RunReport:
    """Read the report of a run.

    Args:
        runs: Folder of all runs.
        name: Name of the run: its folder, relative to that of all runs.

    Raises:
        RunError: There is no such run, or a file of it is damaged.
    """
    folder = run_folder(runs, name)
    settings = read_settings(folder)
    if settings is None:
        others = ", ".join(report.name for report in list_runs(folder.parent)) or "none"
        raise RunError(f"{folder}: contains no run; there are {others}")
    history = _history(folder)
    folds = [row for fold in fold_folders(folder) for row in _history(fold)]
    return RunReport(
        name=name,
        folder=folder,
        recipe=_recipe(folder),
        state=read_state(folder),
        running=is_locked(folder),
        settings=dict(flatten(settings)),
        history=history,
        final=kept_epoch(history, settings) if history else None,
        seconds=sum(row.seconds for row in (*history, *folds)),
    )


def with_folds(runs: Path, names: Iterable[str]) -> list[str]:
    """Return names of runs with those of the folds in place of a cross-validation."""
    return [
        part.relative_to(runs).as_posix()
        for name in names
        for part in fold_folders(run_folder(runs, name)) or [run_folder(runs, name)]
    ]


def runs_table(reports: Sequence[RunReport]) -> Table:
    """Return a table with a row for each run."""
    table = Table(box=None, pad_edge=False)
    for column in ("run", "recipe", "state"):
        table.add_column(column, no_wrap=True)
    for column in ("epochs", "validation accuracy", "validation loss", "time"):
        table.add_column(column, no_wrap=True, justify="right")
    for report in reports:
        final = report.final
        table.add_row(
            report.name,
            report.recipe,
            report.status,
            str(report.state.epochs),
            _figure(final) if final else "–",
            f"{final.validation_loss:.4f}" if final else "–",
            f"{report.seconds:.0f} s",
        )
    return table


def settings_table(reports: Sequence[RunReport]) -> Table:
    """Return a table of the settings that differ between runs, or between a single run and its recipe."""
    columns = {report.name: report.settings for report in reports}
    if len(reports) == 1 and reports[0].recipe in recipe_names():
        columns["recipe"] = dict(flatten(load_recipe(reports[0].recipe).settings))
    table = Table(box=None, pad_edge=False)
    for column in ("setting", *columns):
        table.add_column(column, no_wrap=True)
    names = dict.fromkeys(name for settings in columns.values() for name in settings)
    for name in names:
        values = [settings.get(name, "–") for settings in columns.values()]
        if any(value != values[0] for value in values):
            table.add_row(name, *map(str, values))
    return table


def epochs_table(report: RunReport) -> Table:
    """Return a table with a row for each epoch; a star marks the one whose weights the run keeps."""
    table = Table(box=None, pad_edge=False)
    measure = report.history[0].measure if report.history else "accuracy"
    for column in ("epoch", "loss", measure, "validation loss", f"validation {measure}", "time"):
        table.add_column(column, no_wrap=True, justify="right")
    for row in report.history:
        figures = (row.loss, row.accuracy, row.validation_loss, row.validation_accuracy)
        star = " *" if row is report.final else ""
        table.add_row(f"{row.number}{star}", *(f"{value:.4f}" for value in figures), f"{row.seconds:.0f} s")
    return table


def flatten(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings with names such as ``augmentation.shift`` in place of nested ones."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _figure(row: Epoch) -> str:
    """Return the figure beside the validation loss, with its name unless it is the accuracy."""
    return f"{'' if row.measure == 'accuracy' else f'{row.measure} '}{row.validation_accuracy:.4f}"


def _history(folder: Path) -> tuple[Epoch, ...]:
    if (folder / "epochs.json").exists() and (folder / "run.json").exists():
        return read_history(folder / "epochs.json")
    return read_stages(folder)


def _recipe(folder: Path) -> str:
    if recipe := read_arguments(folder).get("recipe"):
        return recipe
    path = folder / "run.json"
    return str(read_document(path).get("recipe", "–")) if path.exists() else "–"
