"""Tests of predictions, batches and invalid inputs."""

import math
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from service.inference.catalog import BUNDLED, Catalog
from service.inference.errors import BlankImage, InputTooLarge, InvalidInput
from service.inference.prediction import Prediction, rank
from service.inference.predictor import Predictor
from service.inference.preprocessing import decode_image, prepare_photo

VERSIONS = sorted((path.parent.name, int(path.name)) for path in BUNDLED.glob("[!.]*/[0-9]*"))


@pytest.fixture(scope="module")
def catalog(models_folder: Path) -> Catalog:
    return Catalog(models_folder)


def _close(left: Prediction, right: Prediction) -> bool:
    others = {score.label: score.score for score in right.scores}
    return all(math.isclose(score.score, others[score.label], abs_tol=1e-6) for score in left.scores)


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_batch_gives_the_same_predictions_as_single_inputs(
    catalog: Catalog, samples: Callable[[str], Any], name: str, version: int
) -> None:
    predictor, inputs = catalog.predictor(name, version), samples(name).inputs[:9]
    together = predictor.predict(inputs)
    alone = [predictor.predict([value])[0] for value in inputs]
    assert all(map(_close, together, alone))
    assert len(together) == 9


_PEAK_OF_PHOTOS = """
import resource, sys
import numpy as np
from service.inference.catalog import Catalog

predictor = Catalog().predictor("cats_vs_dogs")
predictor.predict_array(np.zeros((int(sys.argv[1]), 180, 180, 3), np.uint8))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_the_memory_of_a_run_does_not_grow_with_the_number_of_photos() -> None:
    def peak_kilobytes(photos: int) -> int:
        command = [sys.executable, "-c", _PEAK_OF_PHOTOS, str(photos)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert peak_kilobytes(120) < 1.7 * peak_kilobytes(12)


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_scores_are_a_softmax_over_all_labels_best_first(
    catalog: Catalog, samples: Callable[[str], Any], name: str, version: int
) -> None:
    predictor = catalog.predictor(name, version)
    for prediction in predictor.predict(samples(name).inputs[:5]):
        scores = [score.score for score in prediction.scores]
        assert (prediction.model, prediction.version) == (name, version)
        assert {score.label for score in prediction.scores} == set(predictor.card.labels)
        assert sum(scores) == pytest.approx(1, abs=1e-5)
        assert scores == sorted(scores, reverse=True)
        assert prediction.best is prediction.scores[0]


def test_concurrent_threads_get_the_same_predictions(catalog: Catalog, samples: Callable[[str], Any]) -> None:
    predictor, inputs = catalog.predictor("mnist"), samples("mnist").inputs[:64]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda value: predictor.predict([value])[0], inputs))
    assert found == [predictor.predict([value])[0] for value in inputs]


def test_no_inputs_give_no_predictions(catalog: Catalog) -> None:
    assert catalog.predictor("mnist").predict([]) == []


@pytest.mark.parametrize("top_k", [1, 3, 10, 99])
def test_top_k_only_shortens_the_list(catalog: Catalog, digit_png: bytes, top_k: int) -> None:
    predictor = catalog.predictor("mnist")
    whole = predictor.predict([digit_png])[0]
    cut = predictor.predict([digit_png], top_k=top_k)[0]
    assert cut.scores == whole.scores[:top_k]
    assert cut.unsure == whole.unsure


@pytest.mark.parametrize("top_k", [0, -1])
def test_top_k_below_one_is_rejected(catalog: Catalog, digit_png: bytes, top_k: int) -> None:
    with pytest.raises(InvalidInput, match="top_k"):
        catalog.predictor("mnist").predict([digit_png], top_k=top_k)


def test_prediction_is_unsure_below_the_cards_threshold(
    tmp_path: Path, tiny_model: Callable[..., Path], digit_png: bytes
) -> None:
    evenly, surely = (0.0,) * 10, (9.0,) + (0.0,) * 9
    tiny_model(tmp_path, version=1, bias=evenly)
    tiny_model(tmp_path, version=2, bias=surely)
    catalog = Catalog(tmp_path)
    unsure, sure = (
        catalog.predictor("mnist", version).predict([digit_png], top_k=2)[0] for version in (1, 2)
    )
    assert 0.1 < catalog.card("mnist").unsure_below < 0.999
    assert (unsure.unsure, sure.unsure) == (True, False)
    assert [score.label for score in unsure.scores] == ["0", "1"]
    assert sure.best.label == "0"
    assert sure.best.score == pytest.approx(math.exp(9) / (math.exp(9) + 9), abs=1e-6)


@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((1, 28, 28), np.float32),
        np.zeros((1, 28, 28), np.int8),
        np.zeros((28, 28), np.uint8),
        np.zeros((1, 28, 28, 1), np.uint8),
        np.zeros((1, 28, 27), np.uint8),
        np.zeros((1, 784), np.uint8),
        np.zeros((0, 28, 28), np.uint8),
    ],
    ids=lambda batch: f"{batch.dtype}{list(batch.shape)}",
)
def test_arrays_of_a_wrong_shape_or_dtype_are_rejected(catalog: Catalog, batch: Any) -> None:
    with pytest.raises(InvalidInput, match=r"mnist expects uint8 of shape \[-1, 28, 28\]"):
        catalog.predictor("mnist").probabilities(batch)


def test_batch_of_ids_can_have_any_length_above_zero(catalog: Catalog) -> None:
    predictor = catalog.predictor("imdb")
    assert predictor.probabilities(np.ones((2, 500), np.int32)).shape == (2, 2)
    with pytest.raises(InvalidInput):
        predictor.probabilities(np.ones((2, 0), np.int32))
    with pytest.raises(InvalidInput):
        predictor.probabilities(np.ones((2, 5), np.int64))


def test_long_values_are_shortened(catalog: Catalog, digit_png: bytes) -> None:
    predictor = catalog.predictor("mnist")
    with pytest.raises(InvalidInput) as raised:
        predictor.predict([digit_png], top_k=-(10**4000))
    assert len(str(raised.value)) < 200
    with pytest.raises(InvalidInput) as raised:
        predictor.probabilities(np.zeros((1,) * 64, np.uint8))
    assert len(str(raised.value)) < 200


def test_inputs_of_the_wrong_type_are_rejected(catalog: Catalog, digit_png: bytes) -> None:
    with pytest.raises(InvalidInput, match="mnist reads pictures"):
        catalog.predictor("mnist").predict(["seven"])
    with pytest.raises(InvalidInput, match="imdb reads texts"):
        catalog.predictor("imdb").predict([digit_png])


def test_decoded_picture_is_prepared_like_its_file(catalog: Catalog, digit_png: bytes) -> None:
    predictor = catalog.predictor("mnist")
    prepared = predictor.prepare_image(decode_image(digit_png))
    assert np.array_equal(prepared, predictor.prepare(digit_png))
    with pytest.raises(InvalidInput, match="imdb reads texts"):
        catalog.predictor("imdb").prepare_image(decode_image(digit_png))


def test_prepared_rows_are_classified_like_their_files(catalog: Catalog, digit_png: bytes) -> None:
    predictor = catalog.predictor("mnist")
    rows = [predictor.prepare(digit_png)] * 2
    assert predictor.classify(rows, top_k=3) == predictor.predict([digit_png] * 2, top_k=3)
    assert predictor.classify([]) == []


def test_picture_above_the_limit_is_rejected(catalog: Catalog, digit_png: bytes) -> None:
    with pytest.raises(InputTooLarge):
        catalog.predictor("mnist").prepare(digit_png, max_pixels=783)


def test_one_invalid_input_fails_the_batch(
    catalog: Catalog, digit_png: bytes, encode: Callable[..., bytes]
) -> None:
    blank = encode(np.zeros((50, 50), np.uint8))
    with pytest.raises(BlankImage):
        catalog.predictor("mnist").predict([digit_png, blank])


def test_equal_scores_keep_the_order_of_the_labels() -> None:
    row = np.array([0.2, 0.3, 0.3, 0.2], np.float32)
    assert [label for label, _ in rank(row, ["a", "b", "c", "d"], top_k=4)] == ["b", "c", "a", "d"]


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_committed_model_reaches_the_accuracy_of_its_card(
    catalog: Catalog, samples: Callable[[str], Any], name: str, version: int
) -> None:
    predictor, sample = catalog.predictor(name, version), samples(name)
    answers = [
        each
        for start in range(0, len(sample.inputs), 50)
        for each in predictor.predict(sample.inputs[start : start + 50])
    ]
    right = [
        answer.best.label == predictor.card.labels[label]
        for answer, label in zip(answers, sample.labels, strict=True)
    ]
    expected = predictor.card.metrics.accuracy
    standard_error = math.sqrt(expected * (1 - expected) / len(right))
    # One image more, because in a small sample one image is more than three standard errors.
    assert np.mean(right) >= expected - 3 * standard_error - 1 / len(right)


def test_a_picture_of_several_digits_is_unsure_whatever_its_scores_are(
    catalog: Catalog, digit_png: bytes, data_folder: Path
) -> None:
    number = (data_folder / "pictures" / "number.png").read_bytes()
    predictor = catalog.predictor("mnist")

    one, several = predictor.predict([digit_png, number])

    assert (one.reason, several.reason, several.unsure) == (None, "several_digits", True)
    assert several.scores == predictor.classify([predictor.prepare(number)])[0].scores


def test_a_digit_drawn_too_thick_is_unsure_for_that_reason(catalog: Catalog, thick_png: bytes) -> None:
    (prediction,) = catalog.predictor("mnist").predict([thick_png])

    assert (prediction.reason, prediction.unsure) == ("stroke_too_thick", True)


@pytest.mark.parametrize(("name", "share"), [("cats_vs_dogs", 1.0), ("cifar10", 0.7)])
@pytest.mark.parametrize("upright", [False, True])
def test_the_subject_of_a_long_photo_is_found_at_its_ends(
    catalog: Catalog, samples: Callable[[str], Any], name: str, share: float, upright: bool
) -> None:
    """Small squares of grass and sky look like a subject to the network of small photos now and then."""
    predictor, pictures = catalog.predictor(name), samples(name)
    predictions = [(value, predictor.predict([value])[0]) for value in pictures.inputs[:30]]
    plain = [(value, prediction) for value, prediction in predictions if not prediction.unsure][:12]
    found = []
    for number, (value, prediction) in enumerate(plain):
        photo = _long_photo(decode_image(value), at_the_end=bool(number % 2), upright=upright)
        row = predictor.probabilities(predictor.prepare_image(photo)[np.newaxis])[0]
        found.append(predictor.answer(row).best.label == prediction.best.label)
    assert np.mean(found) >= share


@pytest.mark.parametrize("size", [(270, 180), (180, 180), (240, 180)])
def test_ordinary_photos_are_prepared_without_a_run(
    catalog: Catalog, samples: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    predictor = catalog.predictor("cats_vs_dogs")
    photo = decode_image(samples("cats_vs_dogs").inputs[0]).resize(size)

    monkeypatch.setattr(predictor, "probabilities", None)

    assert np.array_equal(predictor.prepare_image(photo), prepare_photo(photo, size=180))


def test_long_photos_are_not_searched_for_several_labels(catalog: Catalog) -> None:
    card = catalog.card("cats_vs_dogs")
    predictor = Predictor.load(catalog.folder(card), replace(card, task="multi-label-classification"))
    photo = Image.effect_noise((400, 100), 40).convert("RGB")

    assert np.array_equal(
        predictor.examine_image(photo, may_search=False).array, prepare_photo(photo, size=180)
    )


def test_a_long_photo_is_refused_if_it_may_not_be_searched(catalog: Catalog) -> None:
    photo = Image.new("RGB", (400, 100))
    with pytest.raises(InputTooLarge):
        catalog.predictor("cifar10").examine_image(photo, may_search=False)


def _long_photo(picture: Image.Image, *, at_the_end: bool, upright: bool) -> Image.Image:
    """Put a square picture at an end of a photo of 4:1 or 1:4 with grass and sky."""
    side = picture.width
    size = (side, 4 * side) if upright else (4 * side, side)
    rows = np.linspace((150, 190, 230), (90, 130, 60), size[1])
    grain = np.random.default_rng(0).normal(0, 6, (size[1], size[0], 1))
    photo = Image.fromarray(np.clip(rows[:, np.newaxis] + grain, 0, 255).astype(np.uint8))
    end = 3 * side if at_the_end else 0
    photo.paste(picture, (0, end) if upright else (end, 0))
    return photo
