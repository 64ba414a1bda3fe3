"""Ink becomes candidates, and scores choose among them."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from service.inference.errors import InputTooLarge
from service.inference.preprocessing.digit import prepare_digit
from service.inference.preprocessing.marks import Box, find_marks
from service.inference.reading.segmentation import MAX_DIGITS, Segmentation, segment

Ink = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


def _page(*digits: Pixels, overlap: int = 0) -> Ink:
    """Return digits of 28 x 28 pixels, enlarged 3 times, side by side; without margins if they overlap."""
    enlarged = [digit.repeat(3, 0).repeat(3, 1) for digit in digits]
    cropped = [digit[:, np.flatnonzero(digit.any(axis=0))] for digit in enlarged]
    width = sum(digit.shape[1] - overlap for digit in cropped) + 80
    page = np.zeros((200, width), dtype=np.float32)
    left = 40
    for digit in cropped:
        place = page[40 : 40 + 84, left : left + digit.shape[1]]
        np.maximum(place, digit, out=place)
        left += digit.shape[1] - overlap
    return page


def _scores(segmentation: Segmentation, *boxes: Box) -> npt.NDArray[np.float32]:
    """Return probabilities of a network that is sure of the candidates with these boxes alone."""
    is_known = [candidate.box in boxes for candidate in segmentation.candidates]
    best = np.where(is_known, 0.99, 0.2)[:, np.newaxis]
    return np.hstack([best, np.repeat((1 - best) / 9, 9, axis=1)]).astype(np.float32)


def _runs(segmentation: Segmentation) -> list[tuple[int, int]]:
    return [(candidate.first, candidate.end) for candidate in segmentation.candidates]


def test_a_digit_alone_has_the_pixels_of_the_plain_route(mnist_digits: Pixels) -> None:
    page = _page(mnist_digits[0])
    segmentation = segment(page)
    pixels = segmentation.batch[_runs(segmentation).index((0, len(segmentation.lines[0])))]
    expected = prepare_digit(Image.fromarray(page.astype(np.uint8)))
    # Marks have no ink that is fainter than 2 % of the strongest.
    assert np.abs(pixels.astype(int) - expected).max() <= 0.02 * 255


def test_every_mark_is_a_candidate_and_the_scores_choose(mnist_digits: Pixels) -> None:
    page = _page(*mnist_digits[:3], overlap=-12)
    segmentation = segment(page)
    boxes = [mark.box for mark in find_marks(page).marks]
    assert len(boxes) == 3

    (line,) = segmentation.choose(_scores(segmentation, *boxes))

    assert [segmentation.candidates[number].box for number in line] == boxes


def test_touching_digits_are_cut_where_the_network_is_sure(mnist_digits: Pixels) -> None:
    segmentation = segment(_page(*mnist_digits[:2], overlap=3))
    halves = [
        (a.box, b.box)
        for a in segmentation.candidates
        for b in segmentation.candidates
        if a.first == 0 and a.end == b.first and b.end == len(segmentation.lines[0])
    ]
    assert halves, "there is a cut between the digits"

    (line,) = segmentation.choose(_scores(segmentation, *halves[-1]))

    assert [segmentation.candidates[number].box for number in line] == list(halves[-1])


def test_digits_stay_whole_where_the_network_knows_nothing(mnist_digits: Pixels) -> None:
    segmentation = segment(_page(mnist_digits[0]))
    assert [len(line) for line in segmentation.choose(_scores(segmentation))] == [1]


def test_small_ink_between_the_lines_is_no_digit(mnist_digits: Pixels) -> None:
    page = _page(*mnist_digits[:2], overlap=-12)
    page[180:195, 60:75] = 255  # lower than a third of a digit
    assert len(segment(page).lines) == 1


@pytest.mark.parametrize("lines", [1, 2])
def test_a_digit_among_many_dashes_is_a_candidate(mnist_digits: Pixels, lines: int) -> None:
    page = np.zeros((200 * lines, 600), dtype=np.float32)
    page[40:124, 20:104] = mnist_digits[0].repeat(3, 0).repeat(3, 1)
    for left in range(160, 560, 80):
        page[75:87, left : left + 40] = 255
    if lines > 1:
        page[240:324, 20:104] = mnist_digits[1].repeat(3, 0).repeat(3, 1)
    segmentation = segment(page)
    digits = [mark.box for mark in find_marks(page).marks if mark.box.height > 40]
    assert len(digits) == lines

    chosen = segmentation.choose(_scores(segmentation, *digits))

    assert [[segmentation.candidates[number].box for number in line] for line in chosen] == [
        [box] for box in sorted(digits, key=lambda box: box.top)
    ]


@pytest.mark.parametrize("count", [MAX_DIGITS, MAX_DIGITS + 1])
def test_the_number_of_digits_is_bounded(count: int) -> None:
    page = np.zeros((400, 400), dtype=np.float32)
    for number in range(count):
        top, left = 10 + number // 13 * 60, 10 + number % 13 * 30
        page[top : top + 40, left : left + 8] = 255
    if count <= MAX_DIGITS:
        assert sum(map(len, segment(page).lines)) == count
    else:
        with pytest.raises(InputTooLarge, match=f"{count} marks .* more than {MAX_DIGITS} are not read"):
            segment(page)


def test_ink_that_could_be_very_many_digits_is_refused() -> None:
    page = np.zeros((1280, 1280), dtype=np.float32)
    for number in range(20):
        page[40 + 60 * number, 10:1270] = 255  # a long thin line
        page[20 + 60 * number : 60 + 60 * number, 10:1270:20] = 255  # with strokes across
    with pytest.raises(InputTooLarge, match="very many digits"):
        segment(page)
