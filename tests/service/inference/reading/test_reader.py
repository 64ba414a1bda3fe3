"""Pictures of several digits are read with the committed model, and boxes say where each digit is."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from service.inference.catalog import Catalog
from service.inference.errors import BlankImage, InputTooLarge, InvalidInput
from service.inference.reading.reader import Reader

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def reader(models_folder: Path) -> Reader:
    return Reader(Catalog(models_folder).predictor("mnist"))


@pytest.fixture(scope="module")
def number(data_folder: Path) -> bytes:
    """The picture that the README reads: 2026."""
    return (data_folder / "pictures" / "number.png").read_bytes()


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def test_boxes_enclose_the_ink_of_each_digit(reader: Reader, number: bytes) -> None:
    reading = reader.read(number)

    assert (reading.text, reading.texts, reading.unsure) == ("2026", ("2026",), False)
    ink = 255 - np.asarray(Image.open(io.BytesIO(number)).convert("L"))
    for digit in reading.digits:
        left, top, width, height = digit.box
        inside = ink[top : top + height, left : left + width]
        assert min(side.max() for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1])) > 5
        ink[top : top + height, left : left + width] = 0
    assert ink.max() <= 5


@pytest.mark.parametrize("factor", [2, 8])
def test_boxes_refer_to_the_picture_that_was_sent_however_large(
    reader: Reader, number: bytes, factor: int
) -> None:
    picture = Image.open(io.BytesIO(number)).convert("L")
    large = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)

    digits, expected = reader.read(_png(large)).digits, reader.read(number).digits

    assert [digit.label for digit in digits] == ["2", "0", "2", "6"]
    for digit, small in zip(digits, expected, strict=True):
        assert np.allclose(digit.box, np.multiply(small.box, factor), atol=2 * factor)


@pytest.mark.parametrize("width", [140, 480], ids=["as small as a thumbnail", "usual"])
def test_a_number_on_a_sheet_is_read_and_boxes_refer_to_the_photo(
    reader: Reader, number: bytes, width: int
) -> None:
    written = Image.open(io.BytesIO(number)).convert("RGB")
    desk = Image.fromarray(np.uint8(90 + 30 * np.sin(np.indices((900, 1400))[0] / 9))).convert("RGB")
    place = ((desk.width - written.width) // 2, (desk.height - written.height) // 2)
    margin = 60
    corners = [(-margin, -margin), (written.width + 90, -20), (written.width + 20, written.height + margin)]
    corners.append((-margin - 40, written.height + 20))
    ImageDraw.Draw(desk).polygon([(place[0] + x, place[1] + y) for x, y in corners], fill="white")
    desk.paste(written, place)
    photo = desk.resize((width, round(desk.height * width / desk.width)), Image.Resampling.BOX)

    reading, expected = reader.read(_png(photo)), reader.read(number)

    assert reading.text == "2026"
    for digit, original in zip(reading.digits, expected.digits, strict=True):
        box = np.add(original.box, (*place, 0, 0)) * width / desk.width
        assert np.allclose(digit.box, box, atol=3)


def test_boxes_refer_to_the_whole_of_a_photo_that_is_decoded_at_a_reduced_scale(
    reader: Reader, number: bytes
) -> None:
    picture = Image.open(io.BytesIO(number)).convert("L")
    stream = io.BytesIO()
    picture.resize((picture.width * 4, picture.height * 4)).save(stream, "JPEG", quality=95)

    segmented = reader.segment(stream.getvalue(), max_pixels=5 * picture.width * picture.height)

    last = max(candidate.box.right for candidate in segmented.segmentation.candidates) * segmented.scale
    left, _, width, _ = reader.read(number).digits[-1].box
    assert last == pytest.approx(4 * (left + width), abs=8)


def test_a_sideways_photo_is_read_upright(reader: Reader, number: bytes) -> None:
    picture = Image.open(io.BytesIO(number)).convert("L")
    exif, stream = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    picture.transpose(Image.Transpose.ROTATE_90).save(stream, "JPEG", quality=95, exif=exif)

    reading = reader.read(stream.getvalue())

    assert reading.text == "2026"
    assert np.allclose(reading.digits[0].box, reader.read(number).digits[0].box, atol=3)


def test_two_sloping_lines_and_specks(reader: Reader, mnist_digits: Pixels) -> None:
    page = np.zeros((500, 700), np.uint8)
    for position, digit in enumerate(mnist_digits[:10]):
        line, column = divmod(position, 5)
        top, left = 40 + 180 * line + 12 * column, 40 + 110 * column
        page[top : top + 84, left : left + 84] = digit.repeat(3, 0).repeat(3, 1)
    expected = reader.read(Image.fromarray(page))
    page[::97, 20] = 255  # specks

    reading = reader.read(Image.fromarray(page))

    assert [len(line) for line in reading.lines] == [5, 5]
    assert reading.text == expected.text
    boxes = [digit.box for digit in reading.digits]
    assert np.allclose(boxes, [digit.box for digit in expected.digits], atol=4)


def _five(pen: ImageDraw.ImageDraw) -> None:
    """Draw a 5 whose bar is a stroke of its own."""
    pen.line([(70, 58), (118, 54)], fill=0, width=9)
    pen.line([(66, 70), (64, 104)], fill=0, width=9)
    pen.arc([(40, 98), (108, 168)], start=-115, end=130, fill=0, width=9)


def _eight(pen: ImageDraw.ImageDraw) -> None:
    """Draw an 8 of two loops that do not touch."""
    pen.ellipse([(52, 50), (102, 104)], outline=0, width=9)
    pen.ellipse([(46, 108), (108, 170)], outline=0, width=9)


@pytest.mark.parametrize(("draw", "label"), [(_five, "5"), (_eight, "8")])
def test_a_digit_of_loose_parts_is_one(
    reader: Reader, draw: Callable[[ImageDraw.ImageDraw], None], label: str
) -> None:
    page = Image.new("L", (420, 220), 255)
    pen = ImageDraw.Draw(page)
    draw(pen)
    for left in (200, 300):
        pen.line([(left, 50), (left - 6, 170)], fill=0, width=9)

    assert reader.read(page).text == label + "11"


def test_what_cannot_be_read_is_an_error(
    reader: Reader, models_folder: Path, number: bytes, encode: Callable[..., bytes]
) -> None:
    with pytest.raises(BlankImage, match="blank"):
        reader.read(encode(Image.new("L", (200, 100), 255)))
    with pytest.raises(InputTooLarge):
        reader.segment(number, max_pixels=1000)
    with pytest.raises(InvalidInput, match="in picture files only"):
        reader.read("2026")
    for name in ("cifar10", "imdb"):
        with pytest.raises(InvalidInput, match=f"{name} .* cannot read several digits"):
            Reader(Catalog(models_folder).predictor(name))
