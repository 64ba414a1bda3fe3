"""Makes the small inputs that the examples send: one for each kind of preprocessing, and a row of a table.

The digit comes from the UCI Pen-Based Recognition of Handwritten Digits set (CC BY 4.0), the boot from
Fashion-MNIST (MIT), each with fewer grey levels; the cat is a drawing of the project.
"""

import base64
import functools
from pathlib import Path

from service.inference.card import Card
from service.inference.preprocessing import decode_image, picture_preparation
from service.inference.repository.checks import read_table
from service.server.protocols.common import api

_FOLDER = Path(__file__).parent / "samples"
_REVIEW = "A wonderful film: funny, warm and very well acted."


def make_sample(card: Card) -> api.Sample:
    """Return an input for a model; networks of colour pictures have too many pixels for an example."""
    if card.reads == "texts":
        return api.Sample(card, _REVIEW, None)
    if card.reads == "tables":
        row = read_table(card).sample()
        return api.Sample(card, row, list(row.values()))
    return api.Sample(card, *_picture(card.input.preprocessing))


@functools.cache
def _picture(kind: str) -> tuple[str, list[int] | None]:
    """Return a picture file in base64, and the grey levels of the network's tensor if it is grey."""
    content = (_FOLDER / f"{kind}.png").read_bytes()
    pixels: list[int] | None = None
    if kind != "photo":
        pixels = picture_preparation(kind, size=None)(decode_image(content)).ravel().tolist()
    return base64.b64encode(content).decode(), pixels
