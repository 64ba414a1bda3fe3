"""Several runs are exported as one network: their mean logits, or their mean weights."""

import json
from pathlib import Path

import numpy as np
import pytest
from training_commands import call, export, train

from service.inference.catalog import Catalog
from training import cli
from training.errors import RunError
from training.fit.run import load_run


def test_runs_that_differ_in_their_seed_are_exported_as_one_network(
    tmp_path: Path, mnist_cache: Path
) -> None:
    train(tmp_path, "--seed", 1, "--run", "one", recipe="mnist-small-convnet")
    train(tmp_path, "--seed", 2, "--run", "two", recipe="mnist-small-convnet")
    for words in (["one"], ["two"], ["one", "--run", "two"]):
        assert export(tmp_path, "--run", *words, recipe="mnist-small-convnet").exit_code == 0
    catalog = Catalog(tmp_path / "models")
    first, second, ensemble = (catalog.card("mnist", version) for version in (1, 2, 3))

    assert [(run.recipe, run.seed, run.settings) for run in ensemble.ensemble] == [
        ("mnist-small-convnet", 1, {}),
        ("mnist-small-convnet", 2, {"seed": 2}),
    ]
    assert ensemble.parameters == first.parameters + second.parameters
    assert sum(layer.parameters for layer in ensemble.layers) == ensemble.parameters
    assert ensemble.training.seconds == pytest.approx(first.training.seconds + second.training.seconds)
    digit = np.zeros((28, 28), dtype=np.uint8)
    digit[8:20, 12:16] = 255
    assert np.ptp(catalog.explainer("mnist", 3).heat(digit, label="1")) > 0
    evaluated = call(cli.evaluate, "mnist", "--version", 3, "--models", tmp_path / "models")
    assert evaluated.exit_code == 0
    assert "DIFFERS" not in evaluated.output


def _add_second_stage(folder: Path, *, seed: int, epochs: int) -> None:
    """Write hyperparameters of a second stage into a run, as recipes that fine-tune a base have."""
    record = json.loads((folder / "run.json").read_text())
    record["settings"]["fine_tuning"] = {"seed": seed, "epochs": epochs}
    (folder / "run.json").write_text(json.dumps(record))


def test_the_seed_of_a_second_stage_may_differ_too(tmp_path: Path, mnist_cache: Path) -> None:
    for name, seed in (("one", 1), ("two", 2)):
        train(tmp_path, "--seed", seed, "--run", name, recipe="mnist-small-convnet")
        _add_second_stage(tmp_path / "runs" / name, seed=seed, epochs=1)
    assert export(tmp_path, "--run", "one", "--run", "two", recipe="mnist-small-convnet").exit_code == 0

    _add_second_stage(tmp_path / "runs" / "two", seed=2, epochs=2)
    with pytest.raises(RunError, match=r"two: differs from .* in more than the seed"):
        export(tmp_path, "--run", "one", "--run", "two", recipe="mnist-small-convnet")


def test_runs_of_two_recipes_are_exported_as_one_network(tmp_path: Path, mnist_cache: Path) -> None:
    train(tmp_path, "--dropout", 0.5, "--run", "one")
    train(tmp_path, "--seed", 2, "--run", "two", recipe="mnist-small-convnet")

    assert export(tmp_path, "--run", "one", "--run", "two").exit_code == 0

    members = Catalog(tmp_path / "models").card("mnist").ensemble
    assert [run.recipe for run in members] == ["mnist-dense", "mnist-small-convnet"]
    assert members[1].settings["dropout"] is None
    with pytest.raises(RunError, match="two: is a run of mnist-small-convnet"):
        export(tmp_path, "--run", "two", "--run", "one")


def test_run_starts_from_another_run_and_their_mean_weights_are_exported(
    tmp_path: Path, mnist_cache: Path
) -> None:
    train(tmp_path, "--run", "initial", recipe="mnist-small-convnet")
    options = ("--init-from", "initial", "--learning-rate", 1e-5, "--run", "continued")
    assert train(tmp_path, *options, recipe="mnist-small-convnet").exit_code == 0
    averaged = ("--run", "continued", "--run", "initial", "--average", "weights")
    for words in (("--run", "initial"), averaged):
        assert export(tmp_path, *words, recipe="mnist-small-convnet").exit_code == 0

    weights = [load_run(tmp_path / "runs" / name).model.get_weights() for name in ("initial", "continued")]
    moved = max(np.abs(one - two).max() for one, two in zip(*weights, strict=True))
    assert 0 < moved < 0.1, "the second run did not start from the weights of the first"
    catalog = Catalog(tmp_path / "models")
    one, mean = (catalog.card("mnist", version) for version in (1, 2))
    assert mean.parameters == one.parameters
    assert [run.recipe for run in mean.weight_average] == ["mnist-small-convnet"] * 2
    assert mean.recipe.settings["init_from"] == {"recipe": "mnist-small-convnet", "seed": 1, "epochs": 2}
    with pytest.raises(RunError, match="a run is named twice; name different runs"):
        export(tmp_path, *averaged, "--run", "initial", recipe="mnist-small-convnet")


def test_runs_with_different_vocabularies_are_not_averaged(tmp_path: Path, imdb_cache: Path) -> None:
    train(tmp_path, "--run", "one", recipe="imdb-dense")
    call(cli.train, "imdb-bigrams", "--epochs", 2, "--runs", tmp_path / "runs", "--run", "two")

    with pytest.raises(RunError, match="two: is a run of imdb-bigrams on imdb or on other data"):
        export(tmp_path, "--run", "one", "--run", "two", recipe="imdb-dense")


def test_runs_that_differ_in_more_than_the_seed_are_not_averaged(trained: Path) -> None:
    train(trained, "--run", "two", "--dropout", 0.5)

    with pytest.raises(RunError, match=r"two: differs from .* in more than the seed"):
        export(trained, "--run", "mnist-dense", "--run", "two")
    assert not (trained / "models").exists()


def test_run_is_not_averaged_with_itself(trained: Path) -> None:
    with pytest.raises(RunError, match=r"mnist-dense: has the same seed as"):
        export(trained, "--run", "mnist-dense", "--run", "mnist-dense")
