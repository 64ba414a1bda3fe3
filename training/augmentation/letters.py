"""Draws letters, signs and symbols that are no digit, in many hands and fonts, to train on as outliers.

A network that knows digits only takes an A for a 4. Two fifths of the pictures are drawn with a pen from the
templates in ``letter_templates.txt``; the others are glyphs of fonts that come with Matplotlib, printed or
drawn along their centre line. The evaluation uses other fonts and other shapes.
"""

import itertools
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from service.inference.preprocessing import prepare_digit
from service.inference.preprocessing.edges import soften_drawing
from training.augmentation.drawing_cache import draw_randomly
from training.augmentation.rasterizer import trace_centre_line
from training.augmentation.stroke_templates import Template, read_templates, vary_template
from training.augmentation.strokes import DrawingStyle, draw_template

Pictures = npt.NDArray[np.uint8]
Value = TypeVar("Value")
_VERSION = 7  # increase it when the drawings change, so that cached ones are not used
_CHUNK = 500  # pictures that a worker process draws at a time
_TEMPLATE_SHARE, _SYMBOL_SHARE = 0.4, 0.2
_SLANT = (-0.2, 0.2)
# Width of the pen as a share of the height; its logarithm is uniform.
_PEN_WIDTH = (0.035, 0.2)
_GLYPH_HEIGHT = 80  # pixels
_DEGREES = 8.0  # largest rotation of a glyph
_PRINTED_SHARE = 0.4  # of the glyphs; the others are drawn along their centre line

# Characters that no one takes for a digit.
_LATIN = "ACDEFGHJKLMNPQRTUVWXYacdefhkmnprtuvwx#%&?@+=<{}~"
_OTHER_SCRIPTS = "ΓΔΠΨΩκμπωψχДЖИПФЦШЩЫЮЯжкмшщюя"
FONTS = {
    **dict.fromkeys(
        (
            *(
                "DejaVuSans",
                "DejaVuSans-Bold",
                "DejaVuSans-Oblique",
                "DejaVuSansMono",
                "DejaVuSansMono-Oblique",
            ),
            *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
        ),
        _LATIN + _OTHER_SCRIPTS,
    ),
    **dict.fromkeys(("cmr10", "cmb10", "cmss10", "cmti10", "cmtt10"), _LATIN[:37]),
}
# No star, heart, arrow or face, which the evaluation draws.
SYMBOLS = (
    "☁☂☎☯☮☢☣☤☥☦☧☨☩☫☭☸☿♁♅♆♇♊♌♍♔♕♖♗♙♚♛♜♝♞♟♠♣♦♧♢♫♬♮♯✂✇✉✎✔✕✖✘✙✚✛✝❀❁❃⌂⌘⏏∀∐∏√∞∩≈≠≡⊕⊗⊞⊿▲▼◆■▶◀⚀⚓⚔⚙⚛⚠⚒№¶‡€£¥₪₩Æ"
)
_SYMBOL_FONTS = ("DejaVuSans", "DejaVuSans-Bold")


def draw_letters(count: int) -> Pictures:
    """Draw letters and signs; the data cache keeps the result, since this takes a minute.

    Args:
        count: Number of pictures.

    Returns:
        uint8 (count, 28, 28), light on dark, preprocessed like digits; the same ones for each call.
    """
    return draw_randomly("letters", _draw, count=count, version=_VERSION, chunk=_CHUNK)


def _draw(rng: np.random.Generator) -> Pictures:
    low, high = np.log(_PEN_WIDTH)
    style = DrawingStyle(pen_width=float(np.exp(rng.uniform(low, high))), slant=rng.uniform(*_SLANT))
    kind = rng.random()
    if kind < _TEMPLATE_SHARE:
        strokes = vary_template(_choose(_templates(), rng), rng)
        return soften_drawing(draw_template(strokes, style=style, rng=rng))
    if kind < _TEMPLATE_SHARE + _SYMBOL_SHARE:
        font, characters = _choose(_SYMBOL_FONTS, rng), SYMBOLS
    else:
        font, characters = _choose(tuple(FONTS.items()), rng)
    glyph = render_glyph(_load_font(font), _choose(characters, rng))
    glyph = glyph.rotate(rng.uniform(-_DEGREES, _DEGREES), Image.Resampling.BICUBIC)
    if rng.random() < _PRINTED_SHARE:
        return prepare_digit(glyph)
    return prepare_digit(trace_centre_line(glyph, width=style.pen_width * _GLYPH_HEIGHT))


def _choose(values: Sequence[Value], rng: np.random.Generator) -> Value:
    return values[int(rng.integers(len(values)))]


def render_glyph(font: ImageFont.FreeTypeFont, character: str) -> Image.Image:
    """Draw a character of a font with a margin of half a font size, light on black.

    Args:
        font: The font, in the size to draw.
        character: The character.

    Returns:
        A picture of mode ``L``.
    """
    left, top, right, bottom = (round(value) for value in font.getbbox(character))
    margin = round(font.size / 2)
    page = Image.new("L", (right - left + 2 * margin, bottom - top + 2 * margin))
    ImageDraw.Draw(page).text((margin - left, margin - top), character, fill=255, font=font)
    return page


@cache
def _templates() -> Sequence[Template]:
    found = read_templates(Path(__file__).with_name("letter_templates.txt"))
    return tuple(itertools.chain.from_iterable(found.values()))


@cache
def _load_font(name: str) -> ImageFont.FreeTypeFont:
    # Matplotlib is slow to import, and only this function needs it.
    from matplotlib import get_data_path

    return ImageFont.truetype(
        str(Path(get_data_path(), "fonts", "ttf", f"{name}.ttf")), round(_GLYPH_HEIGHT / 0.72)
    )
