"""A version that is among the models is calibrated and measured anew, and never left half changed."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from service.inference.card import Card
from service.inference.catalog import BUNDLED, Catalog
from training import cli
from training.evaluation import recording
from training.evaluation.evaluate import Parts, evaluate
from training.export import model_folder
from training.export.calibration import Calibration
from training.export.head import calibrate


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with one model, the committed digits 1, as if its confidence were three times too high."""
    folder = tmp_path / "models" / "mnist" / "1"
    shutil.copytree(BUNDLED / "mnist" / "1", folder)
    card = Catalog(tmp_path / "models").card("mnist", 1)
    proto = onnx.load(folder / "model.onnx")
    calibrate(proto, Calibration(temperature=1 / 3))
    extra = {"temperature": 1 / 3, "unsure_rule": "an older one", "kept": 1}
    model_folder.rewrite(
        folder,
        replace(card, unsure_below=0.5, calibration=None, selective_prediction=None, extra=extra),
        network=proto,
    )
    return tmp_path / "models"


@pytest.fixture
def misprinted_cache(mnist_cache: Path) -> Path:
    """The same digits, every eighth with another's label, so that nobody can be sure."""
    path = mnist_cache / "mnist.npz"
    with np.load(path) as file:
        arrays = dict(file)
    for name in ("y_train", "y_test"):
        arrays[name][::8] = (arrays[name][::8] + 1) % 10
    np.savez_compressed(path, **arrays)
    return mnist_cache


def _check_whole(models: Path) -> Card:
    """Load everything, which checks its checksums, and compare the card within the network."""
    catalog = Catalog(models, providers=("cpu",))
    card = catalog.card("mnist", 1)
    catalog.predictor("mnist", 1)
    catalog.explainer("mnist", 1)
    inside = onnx.load(models / "mnist" / "1" / "model.onnx").metadata_props
    document = json.loads(next(entry.value for entry in inside if entry.key == "card"))
    outside = json.loads((models / "mnist" / "1" / "card.json").read_text())
    assert document | {"onnx": None} == outside | {"onnx": None}
    assert [path.name for path in (models / "mnist").iterdir()] == ["1"]
    return card


def test_confidence_is_mended_and_everything_that_depends_on_it(models: Path, misprinted_cache: Path) -> None:
    _check_whole(models)

    recording.recalibrate("mnist", version=1, models=models)

    after = _check_whole(models)
    assert after.selective_prediction is not None
    assert after.selective_prediction.target_accuracy == 0.999
    assert after.calibration is not None
    assert after.calibration.temperature > 1
    assert after.metrics.count == 100
    assert after.metrics.log_loss < 1
    assert after.extra == {"kept": 1}
    assert after.unsure_below != 0.5


def test_what_is_recorded_is_what_evaluating_finds(models: Path, mnist_cache: Path) -> None:
    recording.recalibrate("mnist", version=1, models=models)
    once = evaluate("mnist", version=1, models=models, parts=Parts(robustness=True))
    assert once.same
    assert once.card.robustness is None

    recording.record(once, models=models)

    card = _check_whole(models)
    assert card.robustness == once.measured.robustness
    again = evaluate("mnist", version=1, models=models, parts=Parts(robustness=True))
    assert again.same
    assert len(again.rows) == len(once.rows)
    assert all(row.card is not None for row in again.rows)


def test_recording_keeps_what_was_written_meanwhile(models: Path, mnist_cache: Path) -> None:
    found = evaluate("mnist", version=1, models=models)
    model_folder.rewrite(models / "mnist" / "1", replace(found.card, title="Another title"))

    recording.record(found, models=models)

    card = _check_whole(models)
    assert card.title == "Another title"
    assert card.metrics == found.metrics


def test_a_full_disk_leaves_the_version_as_it_was(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _check_whole(models)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model_folder, "write_card", fail)
    with pytest.raises(OSError, match="No space"):
        model_folder.rewrite(models / "mnist" / "1", replace(before, title="Another title"))
    monkeypatch.undo()

    assert _check_whole(models) == before


def test_what_is_not_for_a_kind_of_model_is_refused_by_name() -> None:
    result = CliRunner().invoke(
        cli.evaluate, ["imdb", "--pen-digits", "--models", str(BUNDLED)], catch_exceptions=True
    )

    assert "--pen-digits is for models of handwritten digits" in str(result.exception)
