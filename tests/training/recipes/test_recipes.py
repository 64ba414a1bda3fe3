"""Every recipe builds its network, documents its result, and refuses the options it does not use."""

import functools
import importlib
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import training
from training import cli, recipes
from training.datasets import DATASETS
from training.errors import RecipeError
from training.hyperparameters import OPTIONS, TRANSFORMATIONS, Augmentation, Hyperparameters
from training.networks import pretrained
from training.networks.initial_weights import copy_weights
from training.networks.network import Network, flat_layers
from training.networks.sequence import BidirectionalGRU
from training.networks.statistics import ColumnStatistics, DataStatistics
from training.recipes import default_recipe, load_recipe, recipe_names
from training.recipes.recipe import NETWORK_HYPERPARAMETERS, Recipe
from training.reporting.results import read_results

NAMES = recipe_names()
PARAMETERS = {
    "mnist-dense": 407_050,
    "mnist-convnet": 93_322,
    "mnist-two-conv": 305_194,
    "mnist-small-convnet": 34_826,
    "mnist-deep": 441_516,
    "mnist-strokes": 441_516,
    "mnist-letters": 607_381,
    "fashion-dense": 55_050,
    "fashion-deep": 674_924,
    "fashion-residual": 176_090,
    "cifar10-bn-elu": 293_930,
    "cifar10-deep": 2_564_522,
    "cifar10-corruptions": 2_564_522,
    "cats-dogs-scratch": 213_905,
    "cats-dogs-features": 2_257_984 + 1_281,
    "cats-dogs-finetune": 2_257_984 + 1_281,
    "imdb-dense": 160_305,
    "imdb-conv1d": 515_201,
    "imdb-gru": 528_545,
    # One weight for each of the 1,000 words in the statistics of these tests, and a bias.
    "imdb-bigrams": 1_001,
    "imdb-sentences": 2_002,
    # Ten columns, none of which has missing values; thirteen, all of which have a flag.
    "diabetes-dense": 10 * 16 + 16 + 17,
    "diabetes-percentile": 10 * 16 + 16 + 17,
    "wine-dense": 26 * 16 + 16 + 51,
    "mnist-attributes": 19_898,
}
# A value of each option that no recipe has.
CHANGES: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 7,
    "learning_rate": 0.123,
    "l1": 0.01,
    "l2": 0.02,
    "dropout": 0.45,
    "optimizer": "adadelta",
    "schedule": "constant",
    "weight_decay": 0.03,
    "base": "DenseNet121",
    "unfreeze": "all",
    "batch_norm": True,
    "activation": "sigmoid",
    "pooling": "average",
    "width": 0.5,
    "scaling": "none",
    "augmentation": Augmentation(shift=0.33),
    "shift": 0.21,
    "rotation": 90.0,
    "flip": True,
    "zoom": 0.31,
    "shear": 0.41,
    "contrast": 0.51,
    "brightness": 0.61,
    "crop": 5,
    "early_stopping": 9,
    "seed": 77,
}


@pytest.fixture(autouse=True)
def _no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "WEIGHTS", None)


def _build(recipe: Recipe, hyperparameters: Hyperparameters | None = None) -> keras.Model:
    if hyperparameters is None and recipe == load_recipe(recipe.name):
        return _unchanged(recipe.name)
    return _build_anew(recipe, hyperparameters or recipe.hyperparameters)


@functools.cache
def _unchanged(name: str) -> keras.Model:
    """Build the network of a recipe as it is, once for all tests: none of them trains it."""
    recipe = load_recipe(name)
    return _build_anew(recipe, recipe.hyperparameters)


def _build_anew(recipe: Recipe, hyperparameters: Hyperparameters) -> keras.Model:
    classes = len(DATASETS[recipe.dataset].labels)
    patch = 27 if recipe.dataset == "cifar10" else 9
    covariance = tuple(map(tuple, np.eye(patch).tolist()))
    statistics = DataStatistics(
        classes=classes, covariance=covariance, log_count_ratios=(0.5,) * 1_000, columns=_columns(recipe)
    )
    return recipe.build(Network(hyperparameters, statistics))


def _columns(recipe: Recipe) -> ColumnStatistics:
    """Columns with the mean and the deviation that grey levels have in these tests."""
    count = len(DATASETS[recipe.dataset].columns)
    return ColumnStatistics(
        mean=(127.5,) * count,
        deviation=(127.5,) * count,
        minimum=(0.0,) * count,
        maximum=(255.0,) * count,
        has_missing=(recipe.dataset == "wine",) * count,
    )


@pytest.mark.parametrize("name", PARAMETERS)
def test_network_has_the_expected_number_of_parameters(name: str) -> None:
    assert _build(load_recipe(name)).count_params() == PARAMETERS[name]


def test_pretrained_base_has_the_parameters_of_mobilenet_v2() -> None:
    hyperparameters = load_recipe("cats-dogs-features").hyperparameters

    assert pretrained.build_transfer(hyperparameters, classes=2).base.count_params() == 2_257_984


@pytest.mark.parametrize("name", NAMES)
def test_network_takes_the_inputs_of_the_server(name: str) -> None:
    tensor = _build(load_recipe(name)).inputs[0]

    expected = (("image", "uint8"), ("ids", "int32"), ("features", "float32"))
    assert (tensor.name, keras.backend.standardize_dtype(tensor.dtype)) in expected


@pytest.mark.parametrize("name", NAMES)
def test_header_states_the_result(name: str) -> None:
    module = importlib.import_module(f"training.recipes.{name.replace('-', '_')}")
    assert module.RECIPE.name == name
    assert module.__doc__.startswith(f"{name}: ")

    # A new recipe has no result until it is exported with --record.
    result = read_results().get(name)
    if result is None:
        return
    assert re.search(rf"\b{result.accuracy:.4f}\b", module.__doc__)
    assert f"seed {result.seed}" in module.__doc__
    assert f"{result.epochs} epochs" in module.__doc__


@pytest.mark.parametrize("dataset", [name for name, entry in DATASETS.items() if entry.load])
def test_every_data_set_has_one_default_recipe(dataset: str) -> None:
    defaults = [name for name in NAMES if load_recipe(name).default and load_recipe(name).dataset == dataset]

    assert defaults == [default_recipe(dataset).name]


class _Recorder:
    """Hyperparameters that record which of them are read."""

    def __init__(self, hyperparameters: Hyperparameters) -> None:
        self._hyperparameters = hyperparameters
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._hyperparameters, name)


@pytest.mark.parametrize("name", NAMES)
def test_declares_exactly_the_hyperparameters_that_its_network_reads(name: str) -> None:
    recipe = load_recipe(name)
    recorder: Any = _Recorder(recipe.hyperparameters)

    _build(recipe, recorder)

    assert recorder.read & NETWORK_HYPERPARAMETERS == recipe.network_hyperparameters


@pytest.mark.parametrize("option", CHANGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_used_or_refused(name: str, option: str) -> None:
    recipe = load_recipe(name)
    ignored = NETWORK_HYPERPARAMETERS - recipe.network_hyperparameters
    if recipe.reads != "pictures":
        ignored |= {"augmentation", *TRANSFORMATIONS}
    if not recipe.pretrained:
        ignored |= {"base"}
    if recipe.fine_tuning is None:
        ignored |= {"unfreeze"}

    if option not in ignored:
        changed = recipe.configure({option: CHANGES[option]})
        configured = changed.fine_tuning if option == "unfreeze" else changed.hyperparameters
        assert configured is not None
        declaring = configured.augmentation if option in TRANSFORMATIONS else configured
        assert getattr(declaring, option) == CHANGES[option]
        return
    with pytest.raises(
        RecipeError, match=rf"^{name} does not use {OPTIONS[option]}; it takes --epochs, --batch-size"
    ):
        recipe.configure({option: CHANGES[option]})


def _hidden_kernels(model: keras.Model, recipe: Recipe) -> list[Any]:
    """The kernels that the options regularise: of all hidden layers, or of the classifier on a base."""
    if recipe.pretrained:
        return [model.get_layer("classifier").get_layer("probabilities").kernel]
    layers = (layer for layer in model.layers if hasattr(layer, "kernel"))
    outputs = ("probabilities", "values", "standard_scores", "factor")
    return [layer.kernel for layer in layers if layer.name not in (*outputs, "whitening")]


def _recurrent_kernels(model: keras.Model) -> list[Any]:
    """The kernels of both directions of a recurrent layer, for its inputs and for its states."""
    pairs = [layer.directions for layer in model.layers if isinstance(layer, BidirectionalGRU)]
    cells = [direction.cell for pair in pairs for direction in (pair.forward_layer, pair.backward_layer)]
    return [kernel for cell in cells for kernel in (cell.kernel, cell.recurrent_kernel)]


def _cases(option: str) -> list[str]:
    return [name for name in NAMES if option in load_recipe(name).network_hyperparameters]


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for option in ("l1", "l2") for name in _cases(option)]
)
def test_penalty_is_that_of_every_hidden_kernel(name: str, option: str) -> None:
    recipe = load_recipe(name).configure({"l1": 0.0, "l2": 0.0} | {option: 0.001})
    model = _build(recipe)

    hidden = [*_hidden_kernels(model, recipe), *_recurrent_kernels(model)]
    kernels = [keras.ops.convert_to_numpy(kernel) for kernel in hidden if kernel.trainable]
    norm = {"l1": lambda kernel: np.abs(kernel).sum(), "l2": lambda kernel: np.square(kernel).sum()}[option]

    penalty = float(keras.ops.convert_to_numpy(sum(model.losses)))
    assert penalty == pytest.approx(0.001 * sum(norm(kernel) for kernel in kernels), rel=1e-4)
    assert penalty > 0


@pytest.mark.parametrize("name", _cases("dropout"))
def test_dropout_is_that_of_every_dropout_layer(name: str) -> None:
    model = _build(load_recipe(name).configure({"dropout": 0.45}))

    rates = [layer.rate for layer in flat_layers(model) if isinstance(layer, keras.layers.Dropout)]
    assert rates
    assert set(rates) == {0.45}


@pytest.mark.parametrize("name", _cases("batch_norm"))
def test_batch_normalisation_follows_every_hidden_layer_or_none(name: str) -> None:
    for wanted in (True, False):
        recipe = load_recipe(name).configure({"batch_norm": wanted})
        model = _build(recipe)

        normalised = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        assert len(normalised) == (len(_hidden_kernels(model, recipe)) if wanted else 0)


@pytest.mark.parametrize("name", _cases("activation"))
def test_activation_is_that_of_every_hidden_layer(name: str) -> None:
    models = [_build(load_recipe(name).configure({"activation": chosen})) for chosen in (None, "tanh")]

    before, after = (
        [layer for layer in model.layers if isinstance(layer, keras.layers.Activation)] for model in models
    )
    assert len(before) == len(after) > 0
    assert {layer.activation.__name__ for layer in after} == {"tanh"}


@pytest.mark.parametrize("name", _cases("pooling"))
def test_pooling_is_maximum_mean_or_none(name: str) -> None:
    recipe = load_recipe(name)

    def pools(model: keras.Model, kind: type) -> int:
        return sum(type(layer) is kind for layer in model.layers)

    built = {
        pooling: _build(recipe.configure({"pooling": pooling})) for pooling in ("max", "average", "none")
    }
    count = pools(_build(recipe), keras.layers.MaxPooling2D)
    assert pools(built["max"], keras.layers.MaxPooling2D) == count > 0
    assert pools(built["average"], keras.layers.AveragePooling2D) == count
    assert pools(built["average"], keras.layers.MaxPooling2D) == 0
    assert pools(built["none"], keras.layers.AveragePooling2D) == 0
    assert pools(built["none"], keras.layers.MaxPooling2D) == 0


@pytest.mark.parametrize("name", _cases("width"))
def test_width_scales_every_hidden_layer(name: str) -> None:
    recipe = load_recipe(name)
    full, half = (_build(recipe.configure({"width": width})) for width in (1.0, 0.5))

    for one, other in zip(_hidden_kernels(full, recipe), _hidden_kernels(half, recipe), strict=True):
        if one.name != "whitening" and one.trainable:
            assert other.shape[-1] == round(one.shape[-1] / 2)


@pytest.mark.parametrize("name", _cases("scaling"))
def test_scaling_is_that_of_the_first_layer(name: str) -> None:
    recipe = load_recipe(name)
    layers = {
        scaling: _build(recipe.configure({"scaling": scaling})).get_layer("scaling")
        for scaling in ("none", "unit", "standard")
    }

    pixels = np.array([0.0, 255.0])
    scales = {scaling: np.ravel(layer.scale)[0] for scaling, layer in layers.items()}
    offsets = {scaling: np.ravel(layer.offset)[0] for scaling, layer in layers.items()}
    scaled = {scaling: (pixels * scales[scaling] + offsets[scaling]).tolist() for scaling in layers}
    assert scaled["none"] == [0.0, 255.0]
    assert scaled["unit"] == pytest.approx([0.0, 1.0])
    assert scaled["standard"] == pytest.approx([-1.0, 1.0])  # mean and deviation are 127.5 here


@pytest.mark.parametrize("name", NAMES)
def test_last_layer_is_that_of_the_recipes_head(name: str) -> None:
    recipe = load_recipe(name)
    model = _build(recipe)

    last = list(flat_layers(model))[-1]
    activation = "linear" if isinstance(last, keras.layers.Rescaling) else last.activation.__name__
    if recipe.head.task == "classification":
        expected = "sigmoid" if model.output_shape[-1] == 1 else "softmax"
    else:
        expected = recipe.head.activation or "linear"
        assert last.name == recipe.head.output
    assert activation == expected


def test_seed_is_that_of_both_stages_of_fine_tuning() -> None:
    recipe = load_recipe("cats-dogs-finetune").configure({"seed": 5})

    assert recipe.fine_tuning is not None
    assert (recipe.hyperparameters.seed, recipe.fine_tuning.seed) == (5, 5)


def test_all_options_are_tested() -> None:
    assert OPTIONS.keys() - {"momentum"} == CHANGES.keys()


def test_mnist_letters_begins_with_the_answers_of_mnist_strokes_and_trains_only_beside_it() -> None:
    source = _unchanged("mnist-strokes")
    model = _build_anew(load_recipe("mnist-letters"), load_recipe("mnist-letters").hyperparameters)
    pixels = np.random.default_rng(2).integers(0, 256, (30, 28, 28), dtype=np.uint8)

    copy_weights(source, model)

    expected, found = (each.predict(pixels, verbose=0) for each in (source, model))
    assert np.array_equal(found.argmax(axis=1), expected.argmax(axis=1))
    np.testing.assert_allclose(found, expected, atol=0.02)
    names = {layer.name for layer in source.layers}
    assert not any(layer.trainable_weights for layer in model.layers if layer.name in names)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 163_333


def test_momentum_is_for_sgd_alone() -> None:
    recipe = load_recipe("mnist-dense")

    assert recipe.configure({"momentum": 0.5, "optimizer": "sgd"}).hyperparameters.momentum == 0.5
    with pytest.raises(
        RecipeError, match="--momentum needs --optimizer sgd; mnist-dense is trained with rmsprop"
    ):
        recipe.configure({"momentum": 0.5})


def test_size_of_a_transformation_changes_that_alone() -> None:
    recipe = load_recipe("mnist-convnet")
    own = recipe.hyperparameters.augmentation

    assert recipe.configure({"rotation": 90.0}).hyperparameters.augmentation == replace(own, rotation=90.0)
    cleared = recipe.configure({"rotation": 90.0, "augmentation": Augmentation()})
    assert cleared.hyperparameters.augmentation == Augmentation(rotation=90.0)


def test_lecture_settings_replace_the_recipes() -> None:
    recipe = load_recipe("mnist-two-conv").as_in_lecture()

    assert recipe.hyperparameters == Hyperparameters(epochs=5, optimizer="adadelta", scaling="none")
    with pytest.raises(RecipeError, match="mnist-deep has no settings of the lecture; leave out --lecture"):
        load_recipe("mnist-deep").as_in_lecture()


@pytest.mark.parametrize("name", [name for name in NAMES if load_recipe(name).lecture_accuracy])
def test_recipe_with_a_figure_of_the_lecture_has_its_settings(name: str) -> None:
    recipe = load_recipe(name)

    assert recipe.lecture is not None
    assert _build(recipe.as_in_lecture()).count_params() == PARAMETERS[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("dropout", 1.0),
        ("width", 0.0),
        ("l1", -1e-3),
        ("seed", -1),
        ("shift", 0.6),
        ("rotation", 181.0),
        ("brightness", -0.1),
    ],
)
def test_value_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(
        RecipeError, match=f"--{name} cannot be {value}; it must be (at least|at most|above) "
    ):
        load_recipe("mnist-dense").configure({name: value})


def test_unknown_name_is_refused_with_all_names() -> None:
    with pytest.raises(RecipeError, match="no recipe 'nothing'; choose from cats-dogs-features"):
        load_recipe("nothing")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("mnist-hands", "mnist-strokes"),
        ("cifar10-damaged", "cifar10-corruptions"),
        ("mnist-dens", "mnist-dense"),
    ],
)
def test_former_or_misspelt_name_is_refused_with_a_suggestion(name: str, suggestion: str) -> None:
    with pytest.raises(RecipeError, match=f"no recipe '{name}'; did you mean {suggestion}"):
        load_recipe(name)


def test_new_recipe_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(recipes.__file__).with_name("mnist_dense.py").read_text()
    (tmp_path / "mnist_new.py").write_text(source.replace("mnist-dense", "mnist-new"))
    monkeypatch.setattr(recipes, "__path__", [*recipes.__path__, str(tmp_path)])

    recipe = load_recipe("mnist-new")

    monkeypatch.delitem(sys.modules, "training.recipes.mnist_new")
    assert recipe.name == "mnist-new"
    assert "mnist-new" in recipe_names()
    missing = CliRunner().invoke(cli.export, ["mnist-new", "--runs", str(tmp_path)])
    assert "contains no finished run" in str(missing.exception)
    assert "(mnist-new" not in CliRunner().invoke(cli.train, ["mnist-new", "--epochs", "0"]).output


def test_width_scales_the_number_of_parameters() -> None:
    recipe = load_recipe("mnist-convnet")

    narrow = _build(recipe, replace(recipe.hyperparameters, width=0.5))

    assert narrow.count_params() < PARAMETERS["mnist-convnet"] / 3


def test_only_export_and_tensorboard_import_tensorflow() -> None:
    allowed = {"explanation.py", "node_names.py", "conversion.py"}

    users = {
        path.name
        for path in Path(training.__file__).parent.rglob("*.py")
        if re.search(r"^import tensorflow", path.read_text(), re.MULTILINE)
    }

    assert users <= allowed
