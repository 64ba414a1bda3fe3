"""Letters and signs look like drawings, are repeatable, and take their share of each batch as outliers."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font

from training.augmentation import drawing_cache, letters
from training.augmentation.letters import draw_letters
from training.augmentation.stroke_templates import read_templates
from training.datasets.dataset import Examples
from training.fit.batches import OUTLIER, Batches
from training.hyperparameters import Augmentation, Hyperparameters

_FORMS_OF_DIGITS = set("BIOSZbgijloqsyz")


def test_letters_have_mnists_geometry_and_differ(cache: Path) -> None:
    pictures = draw_letters(60)

    assert (pictures.shape, pictures.dtype) == ((60, 28, 28), np.uint8)
    clear = pictures > pictures.max((1, 2), keepdims=True) / 4
    sides = np.maximum(clear.any(axis=1).sum(axis=1), clear.any(axis=2).sum(axis=1))
    assert sides.min() >= 17
    assert sides.max() <= 22  # softened edges are wider
    assert len(np.unique(pictures.reshape(60, -1), axis=0)) == 60


def test_letters_are_drawn_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = draw_letters(20)
    monkeypatch.setattr(drawing_cache, "ProcessPoolExecutor", None)  # is needed to draw again

    assert np.array_equal(draw_letters(20), first)
    assert not np.array_equal(draw_letters(20)[0], first[1])


def test_no_letter_has_the_form_of_a_digit() -> None:
    templates = read_templates(Path(letters.__file__).with_name("letter_templates.txt"))

    assert _FORMS_OF_DIGITS.isdisjoint(templates)
    assert all(_FORMS_OF_DIGITS.isdisjoint(characters) for characters in letters.FONTS.values())
    assert set("ACDEFGHJKLMNPQRTUVWXY") <= set(templates)


def test_both_fonts_have_every_symbol_and_none_is_a_shape_of_the_evaluation() -> None:
    assert set(letters.SYMBOLS).isdisjoint("★☆✡✩✪✫✬✭✮✯✰❋♡♥❤❥←↑→↓➔➙➜☺☻☹")
    assert len(set(letters.SYMBOLS)) == len(letters.SYMBOLS) > 80
    folder = Path(get_data_path(), "fonts", "ttf")
    for name in ("DejaVuSans", "DejaVuSans-Bold"):
        assert set(map(ord, letters.SYMBOLS)) <= FT2Font(str(folder / f"{name}.ttf")).get_charmap().keys()


def test_batches_contain_their_share_of_letters(cache: Path, mnist_sample: Examples) -> None:
    hyperparameters = Hyperparameters(
        epochs=1, batch_size=50, letters=0.2, outlier_exposure=0.1, augmentation=Augmentation(shift=0.1)
    )

    first, *_ = batches = list(Batches(mnist_sample, hyperparameters).epoch(1))

    for x, y in batches:
        assert len(x) == len(y) == 65
        assert (y == OUTLIER).sum() == 15
        assert (y[:50] >= 0).all()
    again = next(Batches(mnist_sample, hyperparameters).epoch(1))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
