"""The training commands, from the command line to an exported model."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import keras
import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from service.inference.card import card_document, read_card
from service.inference.catalog import Catalog
from service.inference.files import sha256_of
from training import cli
from training.errors import DatasetError, ExportError, RecipeError, RunError, TrainingError
from training.export import exporter
from training.export.parity import check_parity
from training.fit.run import load_run
from training.recipes import default_recipe, load_recipe
from training.reporting.results import read_results, record_result


def _call(command: click.Command, *words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def _train(tmp_path: Path, *words: object, recipe: str = "mnist-dense") -> Result:
    return _call(cli.train, recipe, "--epochs", 2, "--width", 0.1, "--runs", tmp_path / "runs", *words)


def _export(tmp_path: Path, *words: object, recipe: str = "mnist-dense") -> Result:
    folders = ("--runs", tmp_path / "runs", "--models", tmp_path / "models")
    return _call(cli.export, recipe, *folders, *words)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, mnist_file: Path) -> Path:
    """A folder with a run of mnist-dense, and the model that was exported from it."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as context:
        context.setenv("LECTERN_DATA", str(mnist_file.parent))
        _train(folder)
        _export(folder)
    return folder


@pytest.fixture
def trained(finished: Path, tmp_path: Path, mnist_cache: Path) -> Path:
    """A folder with a copy of this run; its data is in the cache."""
    shutil.copytree(finished / "runs", tmp_path / "runs")
    return tmp_path


@pytest.fixture
def exported(finished: Path, trained: Path) -> Path:
    """A folder with copies of the run and the model."""
    shutil.copytree(finished / "models", trained / "models")
    return trained


def test_network_is_trained_exported_and_evaluated(tmp_path: Path, mnist_cache: Path) -> None:
    trained = _train(tmp_path)
    assert "epoch   2/2" in trained.output
    assert f"Next: ./run export mnist-dense --runs {tmp_path / 'runs'}" in trained.output

    assert _export(tmp_path).exit_code == 0
    assert _export(tmp_path).exit_code == 0
    catalog = Catalog(tmp_path / "models")
    assert catalog.versions("mnist") == (1, 2)

    evaluated = _call(cli.evaluate, "mnist", "--version", 1, "--models", tmp_path / "models")
    assert evaluated.exit_code == 0
    assert "DIFFERS" not in evaluated.output
    assert f"{catalog.card('mnist', 1).metrics.accuracy:.5f}" in evaluated.output


def test_card_documents_the_training_and_is_embedded_in_the_onnx_file(
    tmp_path: Path, mnist_cache: Path
) -> None:
    _train(tmp_path, "--seed", 5, "--l2", 0.001, "--augment", "shift,zoom")
    _export(tmp_path, "--version", 3)
    folder = tmp_path / "models" / "mnist" / "3"

    card = read_card(folder / "card.json")

    assert (card.name, card.version, card.labels) == ("mnist", 3, tuple("0123456789"))
    assert card.input.shape == (-1, 28, 28)
    assert card.onnx.sha256 == sha256_of(folder / "model.onnx")
    assert card.onnx.bytes == (folder / "model.onnx").stat().st_size
    assert card.recipe.settings["l2"] == 0.001
    assert card.recipe.settings["augmentation"]["shift"] == 0.1
    assert (card.training.seed, card.training.epochs) == (5, 2)
    assert sum(layer.parameters for layer in card.layers) == card.parameters
    assert card.max_keras_difference <= 1e-4
    assert card.metrics.count == 100
    proto = onnx.load(folder / "model.onnx")
    inside = json.loads(next(entry.value for entry in proto.metadata_props if entry.key == "card"))
    outside = card_document(card)
    assert inside.pop("onnx") == {"opset": 17}
    assert {key: outside[key] for key in inside} == inside
    for name in ("curves.png", "confusion.png"):
        Image.open(folder / name).verify()


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("mnist-dense", ("--activation", "sigmoid", "--batch-norm")),
        ("mnist-convnet", ("--pooling", "average", "--activation", "tanh", "--batch-size", 64)),
    ],
)
def test_network_with_other_layers_is_exported_and_explained(
    tmp_path: Path, mnist_cache: Path, recipe: str, words: tuple[object, ...]
) -> None:
    _train(tmp_path, *words, "--optimizer", "sgd", "--weight-decay", 0.01, recipe=recipe)

    assert _export(tmp_path, recipe=recipe).exit_code == 0

    catalog = Catalog(tmp_path / "models")
    assert catalog.card("mnist").recipe.settings["optimizer"] == "sgd"
    with np.load(mnist_cache / "mnist.npz") as digits:
        heat = catalog.explainer("mnist").heat(digits["x_test"][0], label="3")
    assert np.abs(heat).max() > 0


def test_evaluate_names_the_result_that_differs(exported: Path) -> None:
    path = exported / "models" / "mnist" / "1" / "card.json"
    document = json.loads(path.read_text())
    document["metrics"]["accuracy"] -= 0.01
    path.write_text(json.dumps(document))

    result = _call(cli.evaluate, "mnist", "--models", exported / "models")

    assert result.exit_code == 1
    different = [line.split()[1] for line in result.output.splitlines() if "DIFFERS" in line]
    assert different == ["accuracy"]


def test_export_beside_a_damaged_default_version_is_refused(exported: Path) -> None:
    card = exported / "models" / "mnist" / "1" / "card.json"
    card.write_text(card.read_text()[:100])

    with pytest.raises(
        ExportError, match=r"the default version of mnist cannot be used.*choose another name"
    ):
        _export(exported)
    assert _export(exported, "--force").exit_code == 0


def test_failed_parity_writes_nothing(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted((exported / "models").rglob("*"))
    original = exporter.keras_probabilities
    monkeypatch.setattr(
        exporter, "keras_probabilities", lambda model, x: original(model, x) + np.float32(2e-4)
    )

    with pytest.raises(ExportError, match=r"differ by 0\.0002, more than 0\.0001; nothing was written"):
        _export(exported)

    assert sorted((exported / "models").rglob("*")) == before


def test_parity_check_refuses_a_changed_label_and_accepts_a_tie() -> None:
    expected = np.array([[0.50002, 0.49998]], dtype=np.float32)
    tie = np.array([[0.500001, 0.499999]], dtype=np.float32)

    with pytest.raises(ExportError, match="1 of 1 labels changed"):
        check_parity(expected, expected[:, ::-1])
    assert check_parity(tie, tie[:, ::-1]) == pytest.approx(2e-6, rel=0.1)


def test_resume_continues_after_the_last_finished_epoch(tmp_path: Path, imdb_cache: Path) -> None:
    words = ("imdb-dense", "--width", 0.5, "--batch-size", 16, "--runs", tmp_path / "runs")
    _call(cli.train, *words, "--epochs", 2)

    result = _call(cli.train, *words, "--epochs", 3, "--resume")

    assert "epoch   3/3" in result.output
    assert "epoch   2/3" not in result.output


def test_resume_with_other_settings_is_refused(trained: Path) -> None:
    with pytest.raises(RunError, match="the run has other values of --l2; resume it without these options"):
        _train(trained, "--l2", 0.1, "--resume")


def test_folds_print_mean_and_standard_deviation(tmp_path: Path, mnist_cache: Path) -> None:
    result = _train(tmp_path, "--folds", 3)

    accuracies = [float(line.split()[-1]) for line in result.output.splitlines() if line.startswith("fold ")]
    assert len(accuracies) == 3
    mean, spread = (float(word) for word in re.findall(r"(?:mean|deviation) ([0-9.]+)", result.output))
    assert mean == pytest.approx(np.mean(accuracies), abs=1e-4)
    assert spread == pytest.approx(np.std(accuracies, ddof=1), abs=2e-4)


def test_too_many_folds_are_refused(tmp_path: Path, mnist_cache: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be divided into 36 folds; choose from 2 to 35"):
        _train(tmp_path, "--folds", 36)
    assert "1 is not in the range x>=2" in _train(tmp_path, "--folds", 1).output


def test_text_network_keeps_its_vocabulary(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, recipe="imdb-dense")
    _export(tmp_path, recipe="imdb-dense")

    predictor = Catalog(tmp_path / "models").predictor("imdb")

    assert predictor.card.labels == ("negative", "positive")
    assert sum(score.score for score in predictor.predict(["A wonderful film"])[0].scores) == pytest.approx(1)
    assert _call(cli.evaluate, "imdb", "--models", tmp_path / "models").exit_code == 0


def test_folder_of_own_images_becomes_a_model(tmp_path: Path, own_pictures: Path) -> None:
    result = _call(
        cli.train,
        "cats-dogs-scratch",
        *("--data", own_pictures, "--epochs", 2, "--width", 0.2, "--batch-size", 8),
        *("--runs", tmp_path / "runs", "--models", tmp_path / "models"),
    )

    assert "skipped Cat/broken.jpg: " in result.output
    hint = f"Try it: LECTERN_MODELS={tmp_path / 'models'} ./run predict my_pets picture.jpg"
    assert hint in result.output
    predictor = Catalog(tmp_path / "models").predictor("my_pets")
    (answer,) = predictor.predict([next((own_pictures / "Dog").iterdir()).read_bytes()])
    assert {score.label for score in answer.scores} == {"Cat", "Dog"}
    again = ("my_pets", "--models", tmp_path / "models", "--data", own_pictures)
    assert _call(cli.evaluate, *again).exit_code == 0


def _train_on(own_pictures: Path, tmp_path: Path, *words: object) -> Result:
    folders = ("--runs", tmp_path / "runs", "--models", tmp_path / "models", "--run", "pets")
    options = ("--data", own_pictures, "--width", 0.2, "--batch-size", 8)
    return _call(cli.train, "cats-dogs-scratch", *options, *folders, *words)


def _add_pictures(own_pictures: Path) -> None:
    for name in ("Cat", "Dog"):
        first = next(path for path in sorted((own_pictures / name).iterdir()) if path.stem.isdigit())
        for number in range(4):
            (own_pictures / name / f"new-{number}.jpg").write_bytes(first.read_bytes())


def test_resume_is_refused_after_images_were_added(tmp_path: Path, own_pictures: Path) -> None:
    _train_on(own_pictures, tmp_path, "--epochs", 1)
    _add_pictures(own_pictures)

    with pytest.raises(RunError, match=r"pets: the data of my_pets has changed since the run began"):
        _train_on(own_pictures, tmp_path, "--epochs", 1, "--resume")


def test_export_is_refused_after_an_image_was_replaced(tmp_path: Path, own_pictures: Path) -> None:
    _train_on(own_pictures, tmp_path, "--epochs", 1)
    first, second, *_ = (path for path in sorted((own_pictures / "Cat").iterdir()) if path.stem.isdigit())
    first.write_bytes(second.read_bytes())

    with pytest.raises(RunError, match=r"pets: the data of my_pets has changed since the run"):
        _export(tmp_path, "--run", "pets", "--data", own_pictures, recipe="cats-dogs-scratch")


@pytest.mark.parametrize(
    ("recipe", "words", "option"),
    [
        ("imdb-dense", ("--augment", "flip"), "--augment"),
        ("imdb-dense", ("--augment", "contrast"), "--augment"),
        ("fashion-residual", ("--pooling", "none"), "--pooling"),
        ("cifar10-deep", ("--no-batch-norm",), "--batch-norm"),
        ("imdb-dense", ("--rotation", 20), "--rotation"),
        ("imdb-bigrams", ("--dropout", 0.1), "--dropout"),
    ],
)
def test_option_that_the_recipe_does_not_use_is_refused(
    tmp_path: Path, recipe: str, words: tuple[object, ...], option: str
) -> None:
    with pytest.raises(RecipeError, match=f"{recipe} does not use {option}; it takes --epochs, "):
        _call(cli.train, recipe, *words, "--runs", tmp_path)
    assert not list(tmp_path.iterdir())


def test_folds_of_a_recipe_that_continues_a_run_are_refused(tmp_path: Path, mnist_cache: Path) -> None:
    with pytest.raises(RecipeError, match=r"mnist-strokes continues .* cross-validate mnist-deep instead"):
        _call(cli.train, "mnist-strokes", "--folds", 5, "--runs", tmp_path / "runs")


def test_help_lists_recipes_ranges_and_defaults() -> None:
    text = " ".join(_call(cli.train, "--help").output.split())

    assert "--width FLOAT RANGE Factor on the number of units and filters. [default: (the" in text
    assert "[default: (the recipe's); 0<=x<1]" in text
    assert "Recipes: cats-dogs-features, cats-dogs-finetune" in text


@pytest.mark.parametrize("command", ["train", "export", "evaluate"])
def test_help_loads_no_heavy_library(command: str) -> None:
    script = (
        "import sys; from training import cli\n"
        f"cli.{command}(['--help'], standalone_mode=False)\n"
        "print(sorted({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize(
    ("name", "hint"), [("mnist-hands", "did you mean mnist-strokes?"), ("nothing", "choose from cats-dogs-")]
)
def test_wrong_recipe_name_gets_a_hint_without_loading_keras(name: str, hint: str) -> None:
    script = (
        "import sys; from training import cli; from training.errors import RecipeError\n"
        f"try: cli.train(['{name}'], standalone_mode=False)\n"
        "except RecipeError as error: print(error)\n"
        "print(sorted({'keras', 'tensorflow', 'sklearn'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert hint in done.stdout
    assert done.stdout.endswith("[]\n")


def test_model_name_without_own_images_is_refused() -> None:
    result = CliRunner().invoke(cli.train, ["mnist", "--name", "digits"])

    assert result.exit_code == 2
    assert "--name is for --data" in result.output


def test_help_prints_each_example_and_recipe_name_unbroken() -> None:
    lines = [line.strip() for line in _call(cli.export, "--help").output.splitlines()]

    assert "lectern export mnist-strokes --run one --run two --average weights" in lines
    assert not any(line.endswith("-") for line in lines)


def test_comparison_with_another_run_is_in_the_card(trained: Path) -> None:
    _train(trained, "--run", "plain", "--dropout", 0.5)
    _export(trained, "--compare", "plain")

    compared = read_card(trained / "models" / "mnist" / "1" / "card.json").extra["compared_with"]

    assert compared["settings"] == {"dropout": 0.5}
    assert 0 <= compared["metrics"]["accuracy"] <= 1


def test_runs_that_differ_in_their_seed_are_exported_as_one_network(
    tmp_path: Path, mnist_cache: Path
) -> None:
    _train(tmp_path, "--seed", 1, "--run", "one", recipe="mnist-small-convnet")
    _train(tmp_path, "--seed", 2, "--run", "two", recipe="mnist-small-convnet")
    for words in (["one"], ["two"], ["one", "--run", "two"]):
        assert _export(tmp_path, "--run", *words, recipe="mnist-small-convnet").exit_code == 0
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
    evaluated = _call(cli.evaluate, "mnist", "--version", 3, "--models", tmp_path / "models")
    assert evaluated.exit_code == 0
    assert "DIFFERS" not in evaluated.output


def test_runs_of_two_recipes_are_exported_as_one_network(tmp_path: Path, mnist_cache: Path) -> None:
    _train(tmp_path, "--dropout", 0.5, "--run", "one")
    _train(tmp_path, "--seed", 2, "--run", "two", recipe="mnist-small-convnet")

    assert _export(tmp_path, "--run", "one", "--run", "two").exit_code == 0

    members = Catalog(tmp_path / "models").card("mnist").ensemble
    assert [run.recipe for run in members] == ["mnist-dense", "mnist-small-convnet"]
    assert members[1].settings["dropout"] is None
    with pytest.raises(RunError, match="two: is a run of mnist-small-convnet"):
        _export(tmp_path, "--run", "two", "--run", "one")


def test_run_starts_from_another_run_and_their_mean_weights_are_exported(
    tmp_path: Path, mnist_cache: Path
) -> None:
    _train(tmp_path, "--run", "initial", recipe="mnist-small-convnet")
    options = ("--init-from", "initial", "--learning-rate", 1e-5, "--run", "continued")
    assert _train(tmp_path, *options, recipe="mnist-small-convnet").exit_code == 0
    averaged = ("--run", "continued", "--run", "initial", "--average", "weights")
    for words in (("--run", "initial"), averaged):
        assert _export(tmp_path, *words, recipe="mnist-small-convnet").exit_code == 0

    weights = [load_run(tmp_path / "runs" / name).model.get_weights() for name in ("initial", "continued")]
    moved = max(np.abs(one - two).max() for one, two in zip(*weights, strict=True))
    assert 0 < moved < 0.1, "the second run did not start from the weights of the first"
    catalog = Catalog(tmp_path / "models")
    one, mean = (catalog.card("mnist", version) for version in (1, 2))
    assert mean.parameters == one.parameters
    assert [run.recipe for run in mean.weight_average] == ["mnist-small-convnet"] * 2
    assert mean.recipe.settings["init_from"] == {"recipe": "mnist-small-convnet", "seed": 1, "epochs": 2}
    with pytest.raises(RunError, match="a run is named twice; name different runs"):
        _export(tmp_path, *averaged, "--run", "initial", recipe="mnist-small-convnet")


def test_init_from_refuses_another_network_and_a_missing_run(trained: Path) -> None:
    with pytest.raises(RunError, match="mnist-dense: is a run of mnist-dense, whose network differs from"):
        _train(trained, "--init-from", "mnist-dense", recipe="mnist-small-convnet")
    with pytest.raises(RunError, match="continues a run of mnist-deep"):
        _train(trained, recipe="mnist-strokes")
    folds = CliRunner().invoke(cli.train, ["mnist-dense", "--init-from", "mnist-dense", "--folds", "2"])
    assert "--init-from names a run that has seen" in folds.output
    with pytest.raises(RunError, match="nowhere: contains no finished run"):
        _train(trained, "--init-from", "nowhere", recipe="mnist-small-convnet")


def test_runs_with_different_vocabularies_are_not_averaged(tmp_path: Path, imdb_cache: Path) -> None:
    _train(tmp_path, "--run", "one", recipe="imdb-dense")
    _call(cli.train, "imdb-bigrams", "--epochs", 2, "--runs", tmp_path / "runs", "--run", "two")

    with pytest.raises(RunError, match="two: is a run of imdb-bigrams on imdb or on other data"):
        _export(tmp_path, "--run", "one", "--run", "two", recipe="imdb-dense")


def test_runs_that_differ_in_more_than_the_seed_are_not_averaged(trained: Path) -> None:
    _train(trained, "--run", "two", "--dropout", 0.5)

    with pytest.raises(RunError, match=r"two: differs from .* in more than the seed"):
        _export(trained, "--run", "mnist-dense", "--run", "two")
    assert not (trained / "models").exists()


def test_run_is_not_averaged_with_itself(trained: Path) -> None:
    with pytest.raises(RunError, match=r"mnist-dense: has the same seed as"):
        _export(trained, "--run", "mnist-dense", "--run", "mnist-dense")


def test_export_without_a_run_names_the_way_out(tmp_path: Path, mnist_cache: Path) -> None:
    with pytest.raises(RunError, match=r"contains no finished run .*run runs lists the runs"):
        _export(tmp_path)


def test_tensorboard_logs_are_written_on_request(tmp_path: Path, mnist_cache: Path) -> None:
    _train(tmp_path, "--tensorboard")

    folder = tmp_path / "runs" / "mnist-dense" / "tensorboard"
    assert {path.parent.name for path in folder.rglob("events.*")} == {"train", "validation"}


def test_data_lists_cached_and_missing_sets(mnist_cache: Path) -> None:
    result = _call(cli.data)

    assert "mnist  0 MB" in result.output
    assert "imdb  missing; ./run data imdb" in result.output
    assert "wine  part of scikit-learn" in result.output
    assert result.output.count("licence: ") == 10


def test_train_needs_a_recipe_or_a_folder() -> None:
    result = CliRunner().invoke(cli.train, [])

    assert result.exit_code == 2
    assert "name a recipe (cats-dogs-features," in result.output


@pytest.mark.parametrize("name", ["data", "train", "evaluate", "export"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = getattr(cli, name)

    result = _call(command, "--help")

    assert f"lectern {name} " in result.output
    assert all(getattr(option, "help", "") for option in command.params if option.param_type_name == "option")


def test_results_keep_one_row_for_each_recipe(tmp_path: Path, models_folder: Path) -> None:
    path = tmp_path / "results.json"
    card = Catalog(models_folder).card("mnist", 1)

    for _ in range(2):
        record_result(card, path)

    assert read_results(path)["mnist-convnet"].accuracy == card.metrics.accuracy
    assert len(json.loads(path.read_text())) == 1


def _misread(folder: Path, *labels: str) -> Path:
    random = np.random.default_rng(6)
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number in range(3):
            drawing = Image.new("L", (90, 90), 255)
            drawing.paste(0, (30, 10, 30 + int(random.integers(8, 30)), 80))
            drawing.save(folder / label / f"{number}.png")
    return folder


def test_extra_images_are_added_to_the_training_split(tmp_path: Path, mnist_cache: Path) -> None:
    folder = _misread(tmp_path / "misread", "1", "7")
    (folder / "7" / "[damaged].png").write_bytes(b"no picture")

    trained = _train(tmp_path, "--extra", folder)
    _export(tmp_path)

    assert trained.exit_code == 0
    assert "skipped 7/[damaged].png" in trained.output
    card = read_card(tmp_path / "models" / "mnist" / "1" / "card.json")
    assert card.training.splits["extra"] == 6
    assert _call(cli.evaluate, "mnist", "--models", tmp_path / "models").exit_code == 0


def test_extra_folder_that_is_not_a_label_is_refused(tmp_path: Path, mnist_cache: Path) -> None:
    with pytest.raises(DatasetError, match="eleven: is not a label; the labels are 0, 1"):
        _train(tmp_path, "--extra", _misread(tmp_path / "misread", "1", "eleven"))


def test_default_recipe_is_that_of_the_served_default_version(models_folder: Path) -> None:
    catalog = Catalog(models_folder, providers=("cpu",))

    def trained_first(recipe: str) -> str:
        continued = load_recipe(recipe).init_from
        return trained_first(continued) if continued else recipe

    assert {card.name: trained_first(card.recipe.name) for card in catalog} == {
        card.name: default_recipe(card.name).name for card in catalog
    }


def test_a_run_on_other_data_is_not_compared(trained: Path) -> None:
    _call(cli.train, "wine-dense", "--epochs", 1, "--runs", trained / "runs")
    _train(trained, "--examples", 100, "--run", "few")

    for name in ("wine-dense", "few"):
        with pytest.raises(RunError, match=f"{name}: is a run of .* or on other data; name another run"):
            _export(trained, "--compare", name)
    assert not (trained / "models").exists()


def test_a_model_is_not_measured_on_pictures_with_other_labels(exported: Path, own_pictures: Path) -> None:
    card = exported / "models" / "mnist" / "1" / "card.json"
    before = card.read_bytes()

    for command, words in (
        (cli.evaluate, ["--record"]),
        (cli.evaluate, ["--recalibrate"]),
        (cli.quantize, []),
    ):
        with pytest.raises(DatasetError, match=r"My pets: has the labels Cat, Dog, and mnist 1 has 0, 1, "):
            _call(command, "mnist", "--data", own_pictures, "--models", exported / "models", *words)
    assert card.read_bytes() == before


def test_own_pictures_of_a_run_are_named_in_the_export(
    tmp_path: Path, own_pictures: Path, mnist_cache: Path
) -> None:
    _train(tmp_path, "--data", own_pictures, "--run", "pets", "--models", tmp_path / "models")

    with pytest.raises(RunError, match=r"pets: is a run of .*; name that with --data '.*My pets'"):
        _export(tmp_path, "--run", "pets")


def test_a_version_has_at_most_nine_digits(trained: Path) -> None:
    result = CliRunner().invoke(cli.export, ["mnist-dense", "--version", "1000000000"])

    assert result.exit_code == 2
    assert "1<=x<=999999999" in result.output


def test_help_of_a_data_set_shows_the_defaults_of_its_recipe() -> None:
    text = " ".join(_call(cli.train, "--run", "imdb-dense", "mnist-convnet", "--help").output.split())
    assert "[default: (10); 1<=x<=1000000]" in text
    assert _call(cli.train, "mnist", "--help").output == _call(cli.train, "mnist-deep", "--help").output


def test_cleaning_the_cache_takes_no_names(cache: Path) -> None:
    assert "leave out the names" in CliRunner().invoke(cli.data, ["--clean", "mnist"]).output


def test_numbers_without_bounds_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in ("--epochs", "--width"):
        refused = CliRunner().invoke(cli.train, ["mnist-dense", option, "1" + 36 * "0"])
        assert (refused.exit_code, "is not in the range" in refused.output) == (2, True)
    with pytest.raises(RecipeError, match="--learning-rate cannot be inf; it must be above 0, and finite"):
        _call(cli.train, "mnist-dense", "--learning-rate", "inf")


@pytest.mark.parametrize("error", [MemoryError(), type("ResourceExhaustedError", (Exception,), {})("OOM")])
def test_a_network_that_is_too_large_is_one_line(
    tmp_path: Path, mnist_cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def build(self: object, shape: object) -> None:
        raise error

    monkeypatch.setattr(keras.layers.Dense, "build", build)

    for words in ((cli.train, "mnist-dense", "--runs", tmp_path), (cli.summary, "mnist-dense")):
        with pytest.raises(TrainingError, match="needs more memory than there is; choose a smaller --width"):
            _call(*words)


def test_a_recipe_in_capitals_is_recognised() -> None:
    with pytest.raises(RecipeError, match=r"no recipe 'MNIST-Dense'; did you mean mnist-dense\?"):
        _call(cli.train, "MNIST-Dense")
