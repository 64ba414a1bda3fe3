"""A sheet of paper is told from the desk on which it lies, and a digit on it is found."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFilter

from service.inference.errors import BlankImage
from service.inference.preprocessing.desk import find_sheet
from service.inference.preprocessing.ink import find_ink

Floats = npt.NDArray[np.float64]
Corners = list[tuple[float, float]]

# In shares of the picture's width and height.
AT_AN_ANGLE: Corners = [(0.3, 0.15), (0.85, 0.3), (0.7, 0.9), (0.12, 0.7)]
UPRIGHT: Corners = [(0.2, 0.25), (0.7, 0.25), (0.7, 0.85), (0.2, 0.85)]
OVER_THE_EDGE: Corners = [(0.4, -0.2), (1.2, 0.1), (0.9, 0.8), (0.2, 0.55)]
SEVEN: Corners = [(0.42, 0.45), (0.54, 0.45), (0.47, 0.62)]


def _coverage(corners: Corners, size: tuple[int, int]) -> Floats:
    mask = Image.new("L", (size[0] * 4, size[1] * 4))
    ImageDraw.Draw(mask).polygon([(x * mask.width, y * mask.height) for x, y in corners], fill=255)
    return np.asarray(mask.reduce(4), dtype=np.float64) / 255


def _strokes(points: Corners, size: tuple[int, int]) -> Floats:
    mask = Image.new("L", (size[0] * 4, size[1] * 4))
    line = [(x * mask.width, y * mask.height) for x, y in points]
    ImageDraw.Draw(mask).line(line, fill=255, width=round(0.02 * mask.width), joint="curve")
    return np.asarray(mask.reduce(4), dtype=np.float64) / 255


def _photo(
    *sheets: Corners, size: tuple[int, int] = (600, 450), written: bool = True, shade: float = 0.3
) -> Image.Image:
    """Take a photo of sheets on a table of wood, on which the light decreases from left to right."""
    chance = np.random.default_rng(4)
    rows, columns = np.indices(size[::-1]) / max(size)
    wood = 0.4 + 0.08 * np.sin(150 * rows + 4 * np.sin(6 * columns))
    picture = wood
    for corners in sheets:
        inside = _coverage(corners, size)
        picture = picture * (1 - inside) + 0.95 * inside
    if written:
        ink = _strokes(SEVEN, size)
        picture = picture * (1 - ink) + 0.3 * ink
    picture = picture * (1 - shade * columns) + chance.normal(0, 0.01, picture.shape)
    return Image.fromarray(np.clip(np.rint(255 * picture), 0, 255).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize("size", [(600, 450), (200, 260), (1280, 960)], ids=str)
@pytest.mark.parametrize("corners", [AT_AN_ANGLE, UPRIGHT, OVER_THE_EDGE], ids=["angle", "upright", "edge"])
def test_a_sheet_is_found_up_to_its_outline(corners: Corners, size: tuple[int, int]) -> None:
    covered = _coverage(corners, size)

    sheet = find_sheet(_photo(corners, size=size))

    assert sheet is not None
    height, width = sheet.inside.shape
    assert sheet.picture.size == (width, height)
    inside = np.zeros(size[::-1], np.bool_)
    inside[sheet.top : sheet.top + height, sheet.left : sheet.left + width] = sheet.inside
    assert not inside[covered < 1].any()
    assert np.count_nonzero(inside) > 0.85 * covered.sum()


def test_the_paper_continues_where_the_desk_was() -> None:
    sheet = find_sheet(_photo(AT_AN_ANGLE, written=False, shade=0.5))

    assert sheet is not None
    columns = (sheet.left + np.arange(sheet.picture.width)) / 600
    paper = np.broadcast_to(255 * 0.95 * (1 - 0.5 * columns), sheet.inside.shape)
    levels = np.asarray(sheet.picture.convert("L"), dtype=np.float64)
    assert np.abs(levels - paper)[~sheet.inside].max() < 25
    assert np.abs(levels - paper)[~sheet.inside].mean() < 8


@pytest.mark.parametrize("corners", [AT_AN_ANGLE, UPRIGHT, OVER_THE_EDGE], ids=["angle", "upright", "edge"])
def test_only_what_is_written_on_the_sheet_is_ink(corners: Corners) -> None:
    written = _strokes(SEVEN, (600, 450)) > 0.5

    found = find_ink(_photo(corners)) > 64

    assert found.shape == written.shape
    assert (found & written).sum() > 0.9 * written.sum()
    assert (found & ~written).sum() < 0.25 * written.sum()


@pytest.mark.parametrize("corners", [AT_AN_ANGLE, UPRIGHT], ids=["angle", "upright"])
def test_an_empty_sheet_is_blank(corners: Corners) -> None:
    with pytest.raises(BlankImage):
        find_ink(_photo(corners, written=False))


def _lit(levels: Floats) -> Image.Image:
    """Return a white page with a digit, under a light of 0 to 1."""
    page = 240 * (1 - 0.8 * _strokes(SEVEN, levels.shape[::-1]))
    return Image.fromarray(np.rint(page * levels).astype(np.uint8)).convert("RGB")


def _pages_without_a_desk() -> dict[str, Image.Image]:
    rows, columns = np.indices((450, 600))
    spot = np.hypot(rows - 225, columns - 300) < 180
    window = Image.fromarray(
        np.where((abs(rows - 225) < 130) & (abs(columns - 330) < 170), 255, 100).astype("u1")
    )
    light = np.asarray(window.filter(ImageFilter.GaussianBlur(14)), dtype=np.float64) / 255
    stroke = _strokes([(0.3, 0.3), (0.7, 0.3), (0.4, 0.8)], (600, 450))
    return {
        "page": _lit(np.ones((450, 600))),
        "sharp shadow over a part": _lit(np.where(columns + 0.2 * rows < 400, 1.0, 0.5)),
        "soft shadow": _lit(1 - 0.6 * np.clip((columns - 200) / 200, 0, 1)),
        "spot of light": _lit(np.where(spot, 1.0, 0.3)),
        "light of a window": _lit(light),
        "two sheets": _photo(
            [(0.05, 0.1), (0.45, 0.1), (0.45, 0.8), (0.05, 0.8)],
            [(0.55, 0.2), (0.95, 0.2), (0.95, 0.9), (0.55, 0.9)],
        ),
        "ruler": _photo([(0.05, 0.7), (0.95, 0.5), (0.96, 0.6), (0.06, 0.8)]),
        "thick one": _photo([(0.4, 0.1), (0.6, 0.1), (0.56, 0.9), (0.36, 0.9)], written=False),
        "desk alone": _photo(written=False),
        "light strokes": Image.fromarray(np.rint(30 + 200 * stroke).astype(np.uint8)).convert("RGB"),
        "one colour": Image.new("RGB", (300, 200), "#fff8d0"),
        "a few pixels": _photo(UPRIGHT, size=(60, 45)),
        "narrow": Image.new("RGB", (2000, 3), "white"),
    }


@pytest.mark.parametrize("name", _pages_without_a_desk())
def test_other_pictures_show_no_sheet_on_a_desk(name: str) -> None:
    assert find_sheet(_pages_without_a_desk()[name]) is None


def test_a_note_on_an_even_desk_is_no_stroke() -> None:
    desk = Image.new("RGB", (400, 300), "#204060")
    ImageDraw.Draw(desk).polygon([(120, 60), (270, 90), (250, 240), (90, 210)], fill="#ffffa0")
    ImageDraw.Draw(desk).line([(150, 110), (210, 110), (170, 190)], fill="#202030", width=9)
    written = Image.new("L", (400, 300))
    ImageDraw.Draw(written).line([(150, 110), (210, 110), (170, 190)], fill=255, width=9)

    for picture in (desk, desk.filter(ImageFilter.GaussianBlur(0.7))):
        found = find_ink(picture) > 64
        assert (found & (np.asarray(written) > 0)).sum() > 0.9 * np.count_nonzero(written)
        assert found.sum() < 1.5 * np.count_nonzero(written)
