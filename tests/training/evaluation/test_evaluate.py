"""An evaluation finds the figures that it recorded, and rejects unsuitable measurements."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from service.inference.card import Card
from service.inference.catalog import BUNDLED, Catalog
from training import cli
from training.errors import DatasetError, ExportError, RecipeError
from training.evaluation.evaluate import evaluate, record
from training.evaluation.measurements import LATENCY, MEASUREMENTS
from training.export.model_folder import rewrite
from training.export.recalibration import recalibrate


def test_a_second_evaluation_finds_the_recorded_figures(
    overconfident_models: Path, mnist_cache: Path, load_consistent_card: Callable[[Path], Card]
) -> None:
    recalibrate("mnist", version=1, models=overconfident_models)
    chosen = ("robustness",)
    once = evaluate("mnist", version=1, models=overconfident_models, measurements=chosen)
    assert once.same
    assert once.card.robustness is None

    record(once, models=overconfident_models)

    card = load_consistent_card(overconfident_models)
    assert card.robustness == once.measured.robustness
    again = evaluate("mnist", version=1, models=overconfident_models, measurements=chosen)
    assert again.same
    assert len(again.rows) == len(once.rows)
    assert all(row.card is not None for row in again.rows)


def test_recording_keeps_changes_that_were_made_meanwhile(
    overconfident_models: Path, mnist_cache: Path, load_consistent_card: Callable[[Path], Card]
) -> None:
    found = evaluate("mnist", version=1, models=overconfident_models)
    rewrite(overconfident_models / "mnist" / "1", replace(found.card, title="Another title"))

    record(found, models=overconfident_models)

    card = load_consistent_card(overconfident_models)
    assert card.title == "Another title"
    assert card.metrics == found.measured.metrics


def test_a_measurement_for_another_kind_of_model_is_rejected_by_its_option() -> None:
    result = CliRunner().invoke(
        cli.evaluate, ["imdb", "--pen-digits", "--models", str(BUNDLED)], catch_exceptions=True
    )

    assert "--pen-digits is for models of handwritten digits" in str(result.exception)


def test_every_measurement_has_an_option() -> None:
    flags = {option.name for option in cli.evaluate.params if getattr(option, "is_flag", False)}

    assert flags - {"everything", "recalibrate", "detector", "keep"} == {LATENCY, *MEASUREMENTS}


def test_figures_of_another_calibration_are_not_recorded(
    overconfident_models: Path, mnist_cache: Path
) -> None:
    found = evaluate("mnist", version=1, models=overconfident_models)
    recalibrate("mnist", version=1, models=overconfident_models)
    path = overconfident_models / "mnist" / "1" / "card.json"
    before = path.read_bytes()

    with pytest.raises(ExportError, match="mnist 1: was calibrated again, or got another 8-bit form"):
        record(found, models=overconfident_models)

    assert path.read_bytes() == before


def test_figures_of_another_8_bit_form_are_not_recorded(
    overconfident_models: Path, mnist_cache: Path
) -> None:
    found = evaluate("mnist", version=1, models=overconfident_models)
    form = Catalog(BUNDLED).card("cifar10", 1).quantized
    assert form is not None
    measured = replace(found.measured, quantized=form)
    found = dataclasses.replace(found, card=replace(found.card, quantized=form), measured=measured)
    rewrite(
        overconfident_models / "mnist" / "1", replace(found.card, quantized=replace(form, sha256="0" * 64))
    )

    with pytest.raises(ExportError, match="got another 8-bit form"):
        record(found, models=overconfident_models)


@pytest.mark.parametrize("wrong", ["--long-photos", "--pictures"])
def test_a_model_is_not_recalibrated_if_another_option_is_wrong(
    overconfident_models: Path, mnist_cache: Path, tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "empty").mkdir()
    words = [wrong] if wrong == "--long-photos" else ["--all", wrong, str(tmp_path / "empty")]
    path = overconfident_models / "mnist" / "1" / "card.json"
    before = path.read_bytes()

    with pytest.raises((RecipeError, DatasetError)):
        CliRunner().invoke(
            cli.evaluate,
            ["mnist", "--version", "1", "--recalibrate", *words, "--models", str(overconfident_models)],
            catch_exceptions=False,
        )

    assert path.read_bytes() == before
