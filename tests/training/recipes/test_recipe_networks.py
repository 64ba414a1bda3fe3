"""Every recipe builds its network, in the form that its options say."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from recipe_networks import NAMES, PARAMETERS, build, build_anew, unchanged

from training.networks import pretrained
from training.networks.initial_weights import copy_weights
from training.networks.network import flat_layers
from training.networks.sequence import BidirectionalGRU
from training.recipes import load_recipe
from training.recipes.recipe import Recipe


@pytest.mark.parametrize("name", PARAMETERS)
def test_network_has_the_expected_number_of_parameters(name: str) -> None:
    assert build(load_recipe(name)).count_params() == PARAMETERS[name]


def test_pretrained_base_has_the_parameters_of_mobilenet_v2() -> None:
    hyperparameters = load_recipe("cats-dogs-features").hyperparameters

    assert pretrained.build_transfer(hyperparameters, classes=2).base.count_params() == 2_257_984


@pytest.mark.parametrize("name", NAMES)
def test_network_takes_the_inputs_of_the_server(name: str) -> None:
    tensor = build(load_recipe(name)).inputs[0]

    expected = (("image", "uint8"), ("ids", "int32"), ("features", "float32"))
    assert (tensor.name, keras.backend.standardize_dtype(tensor.dtype)) in expected


def _hidden_kernels(model: keras.Model, recipe: Recipe) -> list[Any]:
    """The kernels that the options regularise: of all hidden layers, or of the classifier on a base."""
    if recipe.pretrained:
        return [model.get_layer("probabilities").kernel]
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
    model = build(recipe)

    hidden = [*_hidden_kernels(model, recipe), *_recurrent_kernels(model)]
    kernels = [keras.ops.convert_to_numpy(kernel) for kernel in hidden if kernel.trainable]
    norm = {"l1": lambda kernel: np.abs(kernel).sum(), "l2": lambda kernel: np.square(kernel).sum()}[option]

    penalty = float(keras.ops.convert_to_numpy(sum(model.losses)))
    assert penalty == pytest.approx(0.001 * sum(norm(kernel) for kernel in kernels), rel=1e-4)
    assert penalty > 0


@pytest.mark.parametrize("name", _cases("dropout"))
def test_dropout_is_that_of_every_dropout_layer(name: str) -> None:
    model = build(load_recipe(name).configure({"dropout": 0.45}))

    rates = [layer.rate for layer in flat_layers(model) if isinstance(layer, keras.layers.Dropout)]
    assert rates
    assert set(rates) == {0.45}


@pytest.mark.parametrize("name", _cases("batch_norm"))
def test_batch_normalisation_follows_every_hidden_layer_or_none(name: str) -> None:
    for wanted in (True, False):
        recipe = load_recipe(name).configure({"batch_norm": wanted})
        model = build(recipe)

        normalised = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        assert len(normalised) == (len(_hidden_kernels(model, recipe)) if wanted else 0)


@pytest.mark.parametrize("name", _cases("activation"))
def test_activation_is_that_of_every_hidden_layer(name: str) -> None:
    models = [build(load_recipe(name).configure({"activation": chosen})) for chosen in (None, "tanh")]

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

    built = {pooling: build(recipe.configure({"pooling": pooling})) for pooling in ("max", "average", "none")}
    count = pools(build(recipe), keras.layers.MaxPooling2D)
    assert pools(built["max"], keras.layers.MaxPooling2D) == count > 0
    assert pools(built["average"], keras.layers.AveragePooling2D) == count
    assert pools(built["average"], keras.layers.MaxPooling2D) == 0
    assert pools(built["none"], keras.layers.AveragePooling2D) == 0
    assert pools(built["none"], keras.layers.MaxPooling2D) == 0


@pytest.mark.parametrize("name", _cases("width"))
def test_width_scales_every_hidden_layer(name: str) -> None:
    recipe = load_recipe(name)
    full, half = (build(recipe.configure({"width": width})) for width in (1.0, 0.5))

    for one, other in zip(_hidden_kernels(full, recipe), _hidden_kernels(half, recipe), strict=True):
        # A layer that adds to the logits has a unit for each label.
        if one.trainable and one.shape[-1] != full.output_shape[-1]:
            assert other.shape[-1] == round(one.shape[-1] / 2)


@pytest.mark.parametrize("name", _cases("scaling"))
def test_scaling_is_that_of_the_first_layer(name: str) -> None:
    recipe = load_recipe(name)
    layers = {
        scaling: build(recipe.configure({"scaling": scaling})).get_layer("scaling")
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
    model = build(recipe)

    last = list(flat_layers(model))[-1]
    if isinstance(last, keras.layers.Softmax):
        activation = "softmax"
    else:
        activation = "linear" if isinstance(last, keras.layers.Rescaling) else last.activation.__name__
    if recipe.head.task == "classification":
        expected = "sigmoid" if model.output_shape[-1] == 1 else "softmax"
    else:
        expected = recipe.head.activation or "linear"
        assert last.name == recipe.head.output
    assert activation == expected


def test_mnist_letters_begins_with_the_answers_of_mnist_strokes_and_trains_only_beside_it() -> None:
    source = unchanged("mnist-strokes")
    model = build_anew(load_recipe("mnist-letters"), load_recipe("mnist-letters").hyperparameters)
    pixels = np.random.default_rng(2).integers(0, 256, (30, 28, 28), dtype=np.uint8)

    copy_weights(source, model)

    expected, found = (each.predict(pixels, verbose=0) for each in (source, model))
    assert np.array_equal(found.argmax(axis=1), expected.argmax(axis=1))
    np.testing.assert_allclose(found, expected, atol=0.02)
    names = {layer.name for layer in source.layers}
    assert not any(layer.trainable_weights for layer in model.layers if layer.name in names)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 162_861


def test_width_scales_the_number_of_parameters() -> None:
    recipe = load_recipe("mnist-convnet")

    narrow = build(recipe, replace(recipe.hyperparameters, width=0.5))

    assert narrow.count_params() < PARAMETERS["mnist-convnet"] / 3
