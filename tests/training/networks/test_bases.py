"""Pretrained bases take the pixels that Keras's own preprocessing makes, and are split for fine-tuning."""

import importlib
import urllib.error
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from training.errors import DatasetError, RecipeError
from training.hyperparameters import Hyperparameters
from training.networks import pretrained
from training.networks.bases import Base, base_names, find_base, load_base, scaling_of, split_base
from training.networks.pretrained import build_transfer, unfreeze
from training.recipes import load_recipe

# One of each way to scale pixels: to -1 … 1, by mean and deviation, blue first, and within the network.
_SMALL = {
    "MobileNet": "mobilenet",
    "DenseNet121": "densenet",
    "VGG16": "vgg16",
    "EfficientNetB0": "efficientnet",
}


def test_every_network_of_keras_is_a_base() -> None:
    names = base_names()

    assert {"VGG16", "ResNet50", "ConvNeXtTiny", "MobileNetV3Small", "NASNetMobile"} <= set(names)
    for name in names:
        assert callable(getattr(keras.applications, name))
        assert find_base(name.lower()) == Base(name=name)
        assert scaling_of(Base(name=name)).scale[0] > 0


@pytest.mark.parametrize("name", _SMALL)
def test_scaled_pixels_are_those_of_keras(name: str) -> None:
    module = importlib.import_module(f"keras.applications.{_SMALL[name]}")
    image = np.random.default_rng(3).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    keras.utils.set_random_seed(1)
    plain = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(64, 64, 3))
    expected = plain(module.preprocess_input(image.astype(np.float32).copy()), training=False)
    keras.utils.set_random_seed(1)
    base = load_base(Base(name=name), size=64, weights=None)

    found = base(scaling_of(Base(name=name)).layer()(image), training=False)

    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * float(np.abs(expected).max()))


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("MobileNetV2", "block_12_add"),
        ("VGG16", "block4_pool"),
        ("ResNet50", "conv4_block5_add"),
        ("MobileNet-0.5", "conv_pw_10"),
        ("EfficientNetB0", "block6a_project_bn"),
    ],
)
def test_base_is_split_near_three_quarters_of_its_layers(name: str, cut: str) -> None:
    model = load_base(find_base(name), size=64, weights=None)

    lower, upper = split_base(model)

    image = np.random.default_rng(3).uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    assert lower.layers[-1].name == cut
    np.testing.assert_allclose(upper(lower(image)), model(image), rtol=1e-4, atol=1e-5)


def test_classifier_on_another_base_is_built_and_fine_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "WEIGHTS", None)
    transfer = build_transfer(Hyperparameters(epochs=1, base="VGG16"), classes=3)

    assert transfer.head.input_shape == (None, 512)
    images = np.random.default_rng(2).integers(0, 256, (2, 180, 180, 3), dtype=np.uint8)
    activations = np.asarray(transfer.lower.predict_on_batch(images))
    expected = transfer.full.predict_on_batch(images)
    np.testing.assert_allclose(transfer.fine_tuning.predict_on_batch(activations), expected, atol=1e-3)
    unfreeze(transfer, "top")
    trained = [layer.name for layer in transfer.base.layers if layer.trainable and layer.weights]
    assert trained == ["block5_conv1", "block5_conv2", "block5_conv3"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("VGG15", "no network 'VGG15' for --base; did you mean VGG1"),
        ("lenet", "no network 'lenet' for --base; (did you mean|choose from) "),
        ("VGG16-0.5", "VGG16 has no weights for 0.5 times its filters"),
        ("MobileNetV2-x", "MobileNetV2 has no weights for x times its filters"),
    ],
)
def test_unknown_base_is_refused(name: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe("cats-dogs-features").configure({"base": name})


def test_base_is_for_recipes_on_a_pretrained_network() -> None:
    with pytest.raises(RecipeError, match="cats-dogs-scratch does not use --base"):
        load_recipe("cats-dogs-scratch").configure({"base": "VGG16"})


def test_title_and_origin_of_the_weights_name_the_base() -> None:
    recipe = load_recipe("cats-dogs-finetune")
    other = recipe.configure({"base": "vgg16", "dropout": 0.1})

    assert other.title == "Cats and dogs: a pretrained VGG16, its top layers fine-tuned"
    assert other.weights.startswith("VGG16, convolutional base pretrained on ImageNet")
    assert (other.hyperparameters.base, other.hyperparameters.dropout) == ("VGG16", 0.1)
    assert other.fine_tuning == recipe.fine_tuning
    assert recipe.configure({"base": "mobilenetv2"}) == recipe
    assert load_recipe("cats-dogs-finetune").on_base("VGG16") == replace(
        other, hyperparameters=replace(other.hyperparameters, dropout=0.3)
    )


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("VGG16", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        ("NASNetMobile", "nasnet_mobile_no_top.h5"),
        ("MobileNet-0.25", "mobilenet_2_5_224_tf_no_top.h5"),
    ],
)
def test_weights_that_are_not_at_hand_have_a_place(
    name: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    fetch = (
        keras.src.utils.file_utils.get_file
    )  # the name under which Keras stores a file is its first argument

    def get_file(fname: str, *arguments: Any, **options: Any) -> str:
        asked.append(fname)
        return str(fetch(fname, *arguments, **options, cache_dir=str(tmp_path)))

    def refuse(*_: Any, **__: Any) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(keras.src.utils.file_utils, "get_file", get_file)
    monkeypatch.setattr(keras.src.utils.file_utils, "urlretrieve", refuse)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    with pytest.raises(DatasetError) as refused:
        load_base(find_base(name), size=64, weights="imagenet")

    assert asked == [file]
    assert f" at {tmp_path / 'models' / file}, or choose a recipe" in str(refused.value)
    assert "put the file https://" in str(refused.value)


def test_factor_that_has_no_weights_is_refused_without_a_place() -> None:
    with pytest.raises(DatasetError, match=r"MobileNetV2-0\.6 cannot be loaded \(.*alpha.*--base"):
        load_base(find_base("MobileNetV2-0.6"), size=64, weights="imagenet")


@pytest.mark.parametrize("alpha", ["nan", "inf", "-1", "0", "x"])
def test_a_share_of_the_filters_is_a_positive_number(alpha: str) -> None:
    with pytest.raises(
        RecipeError, match=f"--base MobileNetV2-{alpha}: MobileNetV2 has no weights for {alpha}"
    ):
        find_base(f"MobileNetV2-{alpha}")
