"""Tests of the command explain."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Run = Callable[..., Any]


def test_explain_draws_the_filters_of_the_first_layer_without_a_picture(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "filters.png"

    result = run("explain", "mnist", "--version", "1", "--filters", "--out", str(out))

    assert result.status == 0
    assert result.out == f"{out}: mnist 1, filters of layer conv2d\n"
    with Image.open(out) as picture:
        assert picture.mode == "L"
        assert min(picture.size) >= 280


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mnist",), "name a PICTURE to explain, or show the filters with --filters"),
        (("mnist", "eight.png", "--filters"), "--filters shows weights, which need neither a picture"),
        (
            ("mnist", "--version", "1", "--filters", "--layer", "conv2d_1"),
            "the first convolutional layer of mnist",
        ),
        (("fashion_mnist", "--version", "1", "--filters"), "fashion_mnist 1 has no convolutional layer"),
        (("imdb", "--filters"), "cannot be explained; only models that classify pictures can"),
    ],
)
def test_explain_refuses_what_has_no_filters(run: Run, words: tuple[str, ...], message: str) -> None:
    result = run("explain", *words)

    assert result.status == 2
    assert message in " ".join(result.err.replace("│", " ").split())


def test_explain_does_not_replace_the_picture(run: Run, tmp_path: Path, data_folder: Path) -> None:
    picture = tmp_path / "eight.png"
    content = (data_folder / "pictures" / "eight.png").read_bytes()
    picture.write_bytes(content)

    result = run("explain", "mnist", str(picture), "--out", str(tmp_path / "." / "eight.png"))

    assert result.status == 2
    assert "is the picture itself, which would be lost; choose another file with --out" in result.err
    assert picture.read_bytes() == content
