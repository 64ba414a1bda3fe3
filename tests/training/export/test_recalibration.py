"""Exported models are recalibrated with all their files and figures."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from service.inference.card import Card, Faithfulness, read_card
from service.inference.catalog import BUNDLED
from training import cli
from training.export.model_folder import rewrite
from training.export.recalibration import recalibrate


@pytest.fixture
def mislabeled_cache(mnist_cache: Path) -> Path:
    """The same digits, every eighth with a wrong label, so that no confidence can be high."""
    path = mnist_cache / "mnist.npz"
    with np.load(path) as file:
        arrays = dict(file)
    for name in ("y_train", "y_test"):
        arrays[name][::8] = (arrays[name][::8] + 1) % 10
    np.savez_compressed(path, **arrays)
    return mnist_cache


def test_confidence_and_dependent_figures_are_updated(
    overconfident_models: Path, mislabeled_cache: Path, load_consistent_card: Callable[[Path], Card]
) -> None:
    load_consistent_card(overconfident_models)

    recalibrate("mnist", version=1, models=overconfident_models)

    after = load_consistent_card(overconfident_models)
    assert after.selective_prediction is not None
    assert after.selective_prediction.target_accuracy == 0.999
    assert after.calibration is not None
    assert after.calibration.temperature > 1
    assert after.metrics.count == 100
    assert after.metrics.log_loss < 1
    assert after.extra == {"kept": 1}
    assert after.unsure_below != 0.5


def test_figures_that_depend_on_the_confidence_are_removed(
    overconfident_models: Path, mnist_cache: Path
) -> None:
    folder = overconfident_models / "mnist" / "1"
    measured = Faithfulness(hottest_drop=0.5, random_drop=0.1, count=200)
    before = rewrite(folder, replace(read_card(folder / "card.json"), faithfulness=measured))

    after = recalibrate("mnist", version=1, models=overconfident_models)

    dependent = ("out_of_distribution", "pen_digits", "drawings", "robustness", "faithfulness")
    assert [name for name in dependent if getattr(after, name) is not None] == []
    assert after.latency == before.latency


def test_recalibration_of_version_1_names_the_commands_that_compare_later_versions_again(
    overconfident_models: Path, mnist_cache: Path
) -> None:
    words = ["mnist", "--version", "1", "--recalibrate", "--record", "--models", str(overconfident_models)]
    refresh = f"evaluate mnist --version 2 --robustness --latency --record --models {overconfident_models}"

    alone = CliRunner().invoke(cli.evaluate, words, catch_exceptions=False)
    shutil.copytree(BUNDLED / "mnist" / "2", overconfident_models / "mnist" / "2")
    followed = CliRunner().invoke(cli.evaluate, words, catch_exceptions=False)

    assert refresh not in alone.output
    assert refresh in followed.output
