"""An evaluation finds the figures that it recorded, and rejects unsuitable measurements."""

from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner
from msgspec.structs import replace

from service.inference.card import Card
from service.inference.catalog import BUNDLED
from training import cli
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
