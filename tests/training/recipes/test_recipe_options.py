"""Every recipe takes the options that it uses, within their ranges, and refuses the others."""

from dataclasses import replace
from typing import Any

import pytest
from recipe_networks import NAMES, PARAMETERS, build

from training.errors import RecipeError
from training.hyperparameters import OPTIONS, TRANSFORMATIONS, Augmentation, Hyperparameters
from training.recipes import load_recipe
from training.recipes.recipe import NETWORK_HYPERPARAMETERS

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

    build(recipe, recorder)

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


def test_seed_is_that_of_both_stages_of_fine_tuning() -> None:
    recipe = load_recipe("cats-dogs-finetune").configure({"seed": 5})

    assert recipe.fine_tuning is not None
    assert (recipe.hyperparameters.seed, recipe.fine_tuning.seed) == (5, 5)


def test_all_options_are_tested() -> None:
    assert OPTIONS.keys() - {"momentum"} == CHANGES.keys()


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
    assert build(recipe.as_in_lecture()).count_params() == PARAMETERS[name]


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
