"""Makes the report of an experiment: its table, and the page of all recorded experiments."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from service.inference.files import write_atomically, write_json
from training import experiments
from training.experiments import experiment_names, load_experiment
from training.experiments.experiment import EVERYTHING, Experiment, Extent, Measure
from training.fit.run import Epoch

RECORDED = Path(experiments.__file__).parent
_MISSING = "–"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one run of an experiment reached."""

    variant: str
    parameters: int
    receptive_field: int | None  # side in pixels, of the last layer before the dense ones; None for texts
    epochs: int
    training_accuracy: float  # of the last epoch
    lowest_validation_loss: float
    last_validation_loss: float
    best_validation_accuracy: float
    last_validation_accuracy: float
    test_accuracy: float

    def measured(self, measure: Measure) -> float:
        """Return the figure that a slide or another source states for such a run."""
        value: float = getattr(self, measure.replace(" ", "_"))
        return value


@dataclass(frozen=True, kw_only=True)
class Report:
    """The outcomes of an experiment, and the machine that its last run was trained on."""

    experiment: str
    machine: str
    outcomes: tuple[Outcome, ...]
    extent: Extent = EVERYTHING  # how much its runs took


def make_outcome(
    variant: str,
    history: Sequence[Epoch],
    *,
    parameters: int,
    receptive_field: int | None,
    test_accuracy: float,
) -> Outcome:
    """Return the outcome of a run.

    Args:
        variant: Name of the run.
        history: Its epochs.
        parameters: Number of parameters of its network.
        receptive_field: Side in pixels, of the last layer before the dense ones; None for texts.
        test_accuracy: Accuracy of the network that the run keeps, on the test split.
    """
    return Outcome(
        variant=variant,
        parameters=parameters,
        receptive_field=receptive_field,
        epochs=len(history),
        training_accuracy=history[-1].accuracy,
        lowest_validation_loss=min(row.validation_loss for row in history),
        last_validation_loss=history[-1].validation_loss,
        best_validation_accuracy=max(row.validation_accuracy for row in history),
        last_validation_accuracy=history[-1].validation_accuracy,
        test_accuracy=test_accuracy,
    )


def report_text(experiment: Experiment, report: Report) -> str:
    """Return the table and the observations of an experiment in Markdown.

    Observations are written with recorded figures at hand. If none are recorded, the text says so.
    """
    parts = [outcomes_table(experiment, report.outcomes)]
    if spread := fold_spread(experiment, report.outcomes):
        parts.append(spread)
    if limits := str(report.extent):
        parts.append(f"The runs have {limits}; `./run experiment {experiment.name} --whole` takes all.")
    if report.experiment not in read_reports():
        parts.append("What to expect; nobody has compared this with recorded figures yet:")
    parts.append("\n".join(f"- {sentence}" for sentence in experiment.observations))
    return "\n\n".join(parts)


def outcomes_table(experiment: Experiment, outcomes: Sequence[Outcome]) -> str:
    """Return a Markdown table with a row for each run; columns that no run needs are left out."""
    published = {variant.name: variant.published for variant in experiment.variants}

    columns: dict[str, Callable[[Outcome], str]] = {
        "run": lambda outcome: outcome.variant,
        "parameters": lambda outcome: f"{outcome.parameters:,}",
        "receptive field": lambda outcome: _side(outcome.receptive_field),
        "epochs": lambda outcome: str(outcome.epochs),
        "training accuracy": lambda outcome: f"{outcome.training_accuracy:.4f}",
        "validation loss: lowest, last": lambda outcome: (
            f"{outcome.lowest_validation_loss:.3f}, {outcome.last_validation_loss:.3f}"
        ),
        "validation accuracy: best, last": lambda outcome: (
            f"{outcome.best_validation_accuracy:.4f}, {outcome.last_validation_accuracy:.4f}"
        ),
        "test accuracy": lambda outcome: f"{outcome.test_accuracy:.4f}",
        "published": lambda outcome: str(published[outcome.variant] or _MISSING),
    }
    if len({outcome.receptive_field for outcome in outcomes}) == 1:
        del columns["receptive field"]
    if not any(published.values()):
        del columns["published"]
    lines = [f"| {' | '.join(columns)} |", f"|---|{'--:|' * (len(columns) - 1)}"]
    lines += [f"| {' | '.join(cell(outcome) for cell in columns.values())} |" for outcome in outcomes]
    return "\n".join(lines)


def fold_spread(experiment: Experiment, outcomes: Sequence[Outcome]) -> str:
    """Return mean and standard deviation over the folds of a cross-validation; nothing without folds."""
    folds = {variant.name for variant in experiment.variants if variant.fold}
    accuracies = [outcome.last_validation_accuracy for outcome in outcomes if outcome.variant in folds]
    if len(accuracies) < 2:
        return ""
    mean, deviation = statistics.mean(accuracies), statistics.stdev(accuracies)
    return (
        f"Last validation accuracy over {len(accuracies)} folds: mean {mean:.4f}, standard deviation "
        f"{deviation:.4f}, from {min(accuracies):.4f} to {max(accuracies):.4f}."
    )


def record_report(
    report: Report, picture: bytes, *, page: bytes | None = None, folder: Path = RECORDED
) -> None:
    """Store the figures and pictures of an experiment that the page of all experiments shows.

    Args:
        report: The figures.
        picture: PNG file with the curves.
        page: PNG file with augmented training images, if the experiment shows some.
        folder: Folder of all recorded experiments.
    """
    write_json(folder / "results" / f"{report.experiment}.json", asdict(report))
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    write_atomically(pictures / f"{report.experiment}.png", picture)
    if page is not None:
        write_atomically(pictures / f"{report.experiment}-images.png", page)


def read_reports(folder: Path = RECORDED) -> dict[str, Report]:
    """Return the recorded reports by name of experiment."""
    reports = (
        msgspec.convert(json.loads(path.read_text(encoding="utf-8")), Report)
        for path in sorted((folder / "results").glob("*.json"))
    )
    return {report.experiment: report for report in reports}


def experiments_text() -> str:
    """Return the recorded experiments in Markdown, and which ones are not recorded."""
    reports = read_reports()
    parts = []
    for name in experiment_names():
        if name not in reports:
            continue
        experiment, report = load_experiment(name), reports[name]
        parts.append(
            f"## {experiment.title}\n\n`./run experiment {name}` ({report.machine})\n\n"
            f"![Loss and accuracy by epoch](pictures/{name}.png)\n\n{report_text(experiment, report)}"
        )
        if experiment.shows_augmentation:
            parts.append(f"![Training images, and random changes of them](pictures/{name}-images.png)")
    missing = [name for name in experiment_names() if name not in reports]
    if missing:
        parts.append(f"Not trained in full yet: {', '.join(f'`{name}`' for name in missing)}.")
    return "\n\n".join(parts)


def published_table() -> str:
    """Return a Markdown table of every published figure, and what an experiment reaches in its place."""
    reports = read_reports()
    lines = ["| experiment | run | published | ours |", "|---|---|--:|--:|"]
    for name in experiment_names():
        outcomes = {row.variant: row for row in reports[name].outcomes} if name in reports else {}
        for variant in load_experiment(name).variants:
            if figure := variant.published:
                outcome = outcomes.get(variant.name)
                ours = f"{outcome.measured(figure.measure):.4f}" if outcome else "not trained in full"
                limits = str(reports[name].extent) if outcome else ""
                ours += f", with {limits}" if limits else ""
                lines.append(f"| `{name}` | {variant.name} | {figure} | {ours} |")
    return "\n".join(lines)


def _side(field: int | None) -> str:
    return f"{field} × {field}" if field else _MISSING
