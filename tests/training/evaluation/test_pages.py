"""Digits are read on generated photos and scans of paper, boards and screens."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from service.inference.catalog import BUNDLED, Catalog
from service.inference.errors import BlankImage
from service.inference.preprocessing import decode_image, prepare_digit
from training import cli
from training.datasets import Examples
from training.evaluation.measurements import MEASUREMENTS
from training.evaluation.pages import evaluate_pages
from training.evaluation.pictures.page_kinds import PAGE_KINDS, PageKind, generate_page

_COUNT = 12
# The ink of a pencil is about as dark as the lines that cross it.
_FEWEST_RIGHT = {"pencil on squared paper in shadow": 7}


@pytest.fixture(scope="module")
def digits(data_folder: Path) -> Examples:
    """A few real digits of the test data."""
    with np.load(data_folder / "mnist.npz") as file:
        return Examples(file["x"][:_COUNT], file["y"][:_COUNT])


@pytest.mark.parametrize("kind", PAGE_KINDS, ids=lambda kind: kind.name)
def test_digits_on_a_page_are_read(kind: PageKind, digits: Examples) -> None:
    predictor = Catalog(BUNDLED, providers=("cpu",)).predictor("mnist")
    rng = np.random.default_rng(11)
    right = 0
    for digit, label in zip(digits.x, digits.y, strict=True):
        try:
            pixels = prepare_digit(decode_image(generate_page(kind, digit, rng)))
        except BlankImage:
            continue
        right += int(predictor.probabilities(pixels[None]).argmax()) == label

    assert right >= _FEWEST_RIGHT.get(kind.name, _COUNT - 1)


@pytest.mark.parametrize("name", ["lined paper", "note on a desk", "sheet at an angle on wood"])
def test_digits_on_pages_as_small_as_a_thumbnail_are_read(name: str, digits: Examples) -> None:
    predictor = Catalog(BUNDLED, providers=("cpu",)).predictor("mnist")
    kind = next(kind for kind in PAGE_KINDS if kind.name == name)
    rng = np.random.default_rng(2)
    right = 0
    for digit, label in zip(digits.x, digits.y, strict=True):
        page = decode_image(generate_page(kind, digit, rng))
        page.thumbnail((100, 100))
        try:
            pixels = prepare_digit(page)
        except BlankImage:
            continue
        right += int(predictor.probabilities(pixels[None]).argmax()) == label

    assert right >= _COUNT - 1


def test_pages_depend_on_the_seed_alone(digits: Examples) -> None:
    first, second = (
        [generate_page(kind, digits.x[0], np.random.default_rng(5)) for kind in PAGE_KINDS] for _ in range(2)
    )

    assert first == second
    assert first[0] != generate_page(PAGE_KINDS[0], digits.x[0], np.random.default_rng(6))


def test_the_evaluation_has_a_row_for_each_kind(digits: Examples) -> None:
    predictor = Catalog(BUNDLED, providers=("cpu",)).predictor("mnist")
    announced: dict[str, float] = {}

    accuracies = evaluate_pages(predictor, digits, count=3, announce=announced.__setitem__)

    assert list(accuracies) == [kind.name for kind in PAGE_KINDS]
    assert announced == accuracies
    assert accuracies["plain page"] == 1


def test_each_row_is_printed_when_it_is_measured(digits: Examples) -> None:
    lines: list[str] = []
    model: Any = SimpleNamespace(
        predictor=Catalog(BUNDLED, providers=("cpu",)).predictor("mnist"),
        splits=SimpleNamespace(dataset=SimpleNamespace(test=Examples(digits.x[:1], digits.y[:1]))),
        announce=lines.append,
    )

    accuracies = MEASUREMENTS["pages"].measure(model)

    assert isinstance(accuracies, dict)
    assert lines == [f"{name}: {accuracy:.4f}" for name, accuracy in accuracies.items()]


def test_the_readme_has_a_figure_for_every_kind_of_page() -> None:
    page = (Path(cli.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    table = page.partition("### Digits on pages")[2].partition("\n### ")[0]

    names = [line.split("|")[1].strip() for line in table.splitlines() if line.endswith("% |")]

    assert sorted(names) == sorted(kind.name for kind in PAGE_KINDS)
