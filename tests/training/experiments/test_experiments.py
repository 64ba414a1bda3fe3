"""Experiments are complete, train their runs once, and leave curves, a table and five sentences."""

import io
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from training import cli, experiments
from training.errors import RecipeError, RunError
from training.experiments import experiment_names, load_experiment
from training.experiments.experiment import EVERYTHING, Experiment, Extent, PublishedFigure, Variant
from training.fit.run import Epoch, load_run
from training.hyperparameters import Augmentation
from training.reporting.experiments import (
    RECORDED,
    Report,
    experiments_text,
    make_outcome,
    outcomes_table,
    published_table,
    read_reports,
    record_report,
)

NAMES = experiment_names()
SMALL = {"width": 0.05, "batch_size": 32}
SENTENCES = ("One.", "Two.", "Three.", "Four.", "Five.")


@pytest.mark.parametrize("name", NAMES)
def test_experiment_is_complete_and_its_runs_differ(name: str) -> None:
    experiment = load_experiment(name)

    assert experiment.name == name
    assert len(experiment.observations) == 5
    assert all(sentence.endswith(".") for sentence in experiment.observations)
    names = [variant.name for variant in experiment.variants]
    assert len(set(names)) == len(names) >= 2
    recipes = [
        (recipe.name, recipe.hyperparameters, recipe.fine_tuning, variant.fold)
        for variant in experiment.variants
        for recipe in [variant.configure(EVERYTHING)]
    ]
    assert all(recipes.count(recipe) == 1 for recipe in recipes)
    quick = experiment.extent("quick")
    assert all(variant.configure(quick).hyperparameters.epochs <= 2 for variant in experiment.variants)


def test_unknown_experiment_is_refused_with_a_suggestion() -> None:
    with pytest.raises(RecipeError, match="no experiment 'dropuot'; did you mean dropout"):
        load_experiment("dropuot")
    with pytest.raises(RecipeError, match="no experiment 'x'; choose from activations, "):
        load_experiment("x")


def _use(monkeypatch: pytest.MonkeyPatch, experiment: Experiment) -> None:
    monkeypatch.setattr("training.cli.experiment_command.load_experiment", lambda name: experiment)


def _run(tmp_path: Path, *words: object) -> Result:
    arguments = [str(word) for word in ("small", "--runs", tmp_path / "runs", *words)]
    return CliRunner().invoke(cli.experiment, arguments, catch_exceptions=False)


DIGITS = Experiment(
    name="small",
    title="Digits",
    variants=(
        Variant(
            name="plain",
            recipe="mnist-dense",
            lecture=False,
            settings={**SMALL, "epochs": 2},
            published=PublishedFigure(value=0.9, measure="test accuracy"),
        ),
        Variant(
            name="turned, much",
            recipe="mnist-dense",
            lecture=False,
            settings={**SMALL, "epochs": 1, "rotation": 90.0},
        ),
    ),
    observations=SENTENCES,
    shows_augmentation=True,
)


def test_runs_are_trained_once_and_leave_a_report(
    tmp_path: Path, mnist_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(monkeypatch, DIGITS)
    output = _run(tmp_path).output
    folder = tmp_path / "runs" / "experiments" / "small"

    assert "epoch   2/2" in output
    report = (folder / "report.md").read_text()
    rows = [line for line in report.splitlines() if line.startswith(("| plain", "| turned, much"))]
    assert len(rows) == 2
    assert "| 0.9 test accuracy (slide) |" in rows[0]
    assert [line for line in report.splitlines() if line.startswith("- ")] == [f"- {s}" for s in SENTENCES]
    assert "nobody has compared this with recorded figures yet" in report
    assert all(row in output for row in rows)
    record = load_run(folder / "turned-much").record
    assert (record.epochs, record.settings["augmentation"]["rotation"]) == (1, 90.0)
    for name in ("curves.png", "augmented.png"):
        Image.open(folder / name).verify()

    again = _run(tmp_path).output

    assert "epoch " not in again
    assert again.count("a finished run is taken") == 2
    assert rows[0] in again


def test_run_with_other_settings_is_kept_unless_yes_is_given(
    tmp_path: Path, mnist_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = replace(DIGITS, variants=DIGITS.variants[:1])
    _use(monkeypatch, first)
    _run(tmp_path)
    changed = replace(first.variants[0], settings={**SMALL, "epochs": 1})
    _use(monkeypatch, replace(first, variants=(changed,)))

    with pytest.raises(RunError, match=r"plain: contains a finished run with other settings .* --yes"):
        _run(tmp_path)
    folder = tmp_path / "runs" / "experiments" / "small" / "plain"
    assert load_run(folder).record.epochs == 2
    assert _run(tmp_path, "--yes").exit_code == 0
    assert load_run(folder).record.epochs == 1


def test_finished_run_of_the_train_command_or_another_experiment_is_taken(
    tmp_path: Path, mnist_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--width", "0.05", "--batch-size", "32", "--epochs", "2", "--runs", str(tmp_path / "runs"))
    CliRunner().invoke(cli.train, ["mnist-dense", *options], catch_exceptions=False)
    plain = replace(DIGITS, variants=DIGITS.variants[:1])
    _use(monkeypatch, plain)
    for name in ("run.json", "settings.json"):  # damaged runs of which the experiment needs nothing
        damaged = tmp_path / "runs" / f"a-{name.partition('.')[0]}"
        shutil.copytree(tmp_path / "runs" / "mnist-dense", damaged)
        (damaged / name).write_text("{")

    output = _run(tmp_path).output

    assert f"{tmp_path / 'runs' / 'mnist-dense'}: a finished run is taken" in output
    assert "epoch " not in output
    other = replace(DIGITS.variants[0], settings={**SMALL, "epochs": 2, "seed": 9})
    _use(monkeypatch, replace(plain, variants=(other,)))
    assert "epoch   2/2" in _run(tmp_path).output
    _use(monkeypatch, replace(plain, name="again", variants=(other,)))
    assert "runs/experiments/small/plain: a finished run is taken" in _run(tmp_path).output


def test_interrupted_experiment_is_continued(
    tmp_path: Path, mnist_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.workflows import experiment_job

    _use(monkeypatch, replace(DIGITS, variants=DIGITS.variants[:1]))

    def stop(self: object, row: Epoch, *, epochs: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(experiment_job.ConsoleReporter, "epoch", stop)
        stopped = _run(tmp_path).output
    assert "epoch" not in stopped
    line = f"./run experiment small --runs {tmp_path / 'runs'}"
    assert f"Interrupted. Continue with: {line}\n" in stopped

    output = _run(tmp_path).output
    assert "epoch   2/2" in output
    assert "epoch   1/2" not in output


def test_quick_form_has_few_examples_and_epochs(
    tmp_path: Path, mnist_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = tuple(
        replace(variant, settings={**variant.settings, "epochs": 9}) for variant in DIGITS.variants[:1]
    )
    _use(monkeypatch, replace(DIGITS, variants=variants, quick_examples=60))
    output = _run(tmp_path, "--quick").output

    record = load_run(tmp_path / "runs" / "experiments" / "small-quick" / "plain").record
    wanted = {"train": 60, "validation": 30, "test": 30}
    assert record.epochs == 2
    # The parts of the classes are rounded.
    assert record.splits == {split: pytest.approx(count, abs=5) for split, count in wanted.items()}
    assert "its figures mean little" in output
    refused = CliRunner().invoke(cli.experiment, ["dropout", "--quick", "--record"])
    assert "--record stores the figures of the usual form" in refused.output


def test_shortened_experiment_says_so_and_has_a_whole_form(
    tmp_path: Path, mnist_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**SMALL, "epochs": 3}
    variants = tuple(replace(variant, settings=settings) for variant in DIGITS.variants[:1])
    _use(monkeypatch, replace(DIGITS, variants=variants, usual=Extent(examples=60, held_out=40, epochs=1)))

    short, whole = _run(tmp_path).output, _run(tmp_path, "--whole").output

    folder = tmp_path / "runs" / "experiments"
    records = [load_run(folder / name / "plain").record for name in ("small", "small-whole")]
    assert [record.epochs for record in records] == [1, 3]
    assert [record.splits["train"] for record in records] == [pytest.approx(60, abs=5), 367]
    assert [record.splits["test"] for record in records] == [pytest.approx(40, abs=5), 100]
    assert (
        "The runs have about 60 training examples, 40 for validation and 40 for the test, at most 1 epochs; "
        in short
    )
    assert "The runs have" not in whole
    refused = CliRunner().invoke(cli.experiment, ["dropout", "--quick", "--whole"])
    assert "exclude each other" in refused.output


def test_run_on_texts_is_measured_with_the_vocabulary_of_its_own_examples(
    tmp_path: Path, imdb_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant = Variant(name="plain", recipe="imdb-dense", settings={"width": 0.25, "batch_size": 16})
    _use(monkeypatch, replace(DIGITS, variants=(variant,), quick_examples=40, shows_augmentation=False))
    _run(tmp_path, "--quick")
    folder = tmp_path / "runs" / "experiments" / "small-quick" / "plain"
    words = ["experiments/small-quick/plain", "--test", "--runs", str(tmp_path / "runs")]

    measured = CliRunner().invoke(cli.runs, words, catch_exceptions=False).output

    assert "on 50 test examples" in measured
    (folder / "vocabulary.txt").unlink()
    with pytest.raises(RunError, match="did not store its vocabulary; train it again"):
        CliRunner().invoke(cli.runs, words, catch_exceptions=False)


def test_folds_hold_out_different_examples_and_their_spread_is_printed(
    tmp_path: Path, imdb_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"width": 0.25, "batch_size": 16, "epochs": 1}
    names = ("one split", "fold 1", "fold 2")
    variants = tuple(
        Variant(name=name, recipe="imdb-dense", settings=settings, fold=(index, 2) if index else None)
        for index, name in enumerate(names)
    )
    _use(monkeypatch, replace(DIGITS, variants=variants, shows_augmentation=False))
    output = _run(tmp_path).output

    folder = tmp_path / "runs" / "experiments" / "small"
    splits = [load_run(folder / name.replace(" ", "-")).record.splits for name in names]
    assert [part["validation"] for part in splits] == [20, 50, 50]
    assert "validation accuracy over 2 folds: mean 0." in output


def _outcome(variant: str, accuracy: float, *, side: int | None = 7) -> object:
    row = Epoch(number=1, loss=0.5, accuracy=0.8, validation_loss=0.4, validation_accuracy=0.85, seconds=1.0)
    last = replace(row, number=2, validation_loss=0.6, validation_accuracy=0.83)
    return make_outcome(variant, (row, last), parameters=1234, receptive_field=side, test_accuracy=accuracy)


def test_table_has_lowest_and_last_figures_and_only_the_needed_columns() -> None:
    same = [_outcome("plain", 0.91), _outcome("turned, much", 0.87)]
    head, _, first, _ = outcomes_table(DIGITS, same).splitlines()

    assert "receptive field" not in head
    assert first == (
        "| plain | 1,234 | 2 | 0.8000 | 0.400, 0.600 | 0.8500, 0.8300 | 0.9100 | 0.9 test accuracy (slide) |"
    )
    differing = [_outcome("plain", 0.91), _outcome("turned, much", 0.87, side=18)]
    head, _, _, second = outcomes_table(DIGITS, differing).splitlines()
    assert "receptive field" in head
    assert "| 18 × 18 |" in second


def test_recorded_report_is_read_again(tmp_path: Path) -> None:
    report = Report(experiment="small", machine="a machine", outcomes=(_outcome("plain", 0.91),))
    (tmp_path / "results").mkdir()

    record_report(report, b"picture", page=b"page", folder=tmp_path)

    assert read_reports(tmp_path) == {"small": report}
    assert (tmp_path / "pictures" / "small.png").read_bytes() == b"picture"
    assert (tmp_path / "pictures" / "small-images.png").read_bytes() == b"page"


@pytest.fixture
def recorded() -> dict[str, Report]:
    return read_reports()


def test_recorded_reports_are_of_the_runs_that_the_experiments_have(recorded: dict[str, Report]) -> None:
    for name, report in recorded.items():
        assert [row.variant for row in report.outcomes] == [
            variant.name for variant in load_experiment(name).variants
        ]


def test_recorded_pictures_are_small(recorded: dict[str, Report]) -> None:
    pictures = sorted((RECORDED / "pictures").glob("*.png"))

    assert {path.stem for path in pictures} >= recorded.keys()
    assert all(path.stat().st_size <= 60_000 for path in pictures)
    assert sum(path.stat().st_size for path in pictures) <= 600_000
    for path in pictures:
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            assert np.asarray(picture.convert("L")).std() > 5


def test_page_names_every_experiment_and_the_table_every_published_figure() -> None:
    text = experiments_text()
    assert all(f"`{name}`" in text or f"./run experiment {name}`" in text for name in NAMES)
    published = [variant for name in NAMES for variant in load_experiment(name).variants if variant.published]
    assert len(published_table().splitlines()) == 2 + len(published)


def test_list_names_every_experiment() -> None:
    lines = CliRunner().invoke(cli.experiment, []).output.splitlines()

    assert [line.split()[0] for line in lines] == list(NAMES)
    assert "need the name of an experiment" in CliRunner().invoke(cli.experiment, ["--quick"]).output


def test_list_loads_no_heavy_library() -> None:
    script = (
        "import sys; from training import cli\n"
        "cli.experiment([], standalone_mode=False)\n"
        "print(sorted({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("[]\n")


def test_new_experiment_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(experiments.__file__).with_name("dropout.py").read_text()
    (tmp_path / "my_dropout.py").write_text(source.replace('"dropout"', '"my-dropout"', 1))
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path)])

    assert load_experiment("my-dropout").title == load_experiment("dropout").title
    assert "my-dropout" in experiment_names()


def test_augmented_experiment_differs_in_the_augmentation_alone() -> None:
    without, augmented = (
        variant.configure(EVERYTHING) for variant in load_experiment("augmentation").variants
    )

    assert without.hyperparameters.augmentation == Augmentation()
    assert replace(augmented.hyperparameters, augmentation=Augmentation()) == without.hyperparameters
