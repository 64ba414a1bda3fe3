"""Defines prediction requests, their responses, and the input that a network gets."""

from dataclasses import dataclass
from typing import TypeAlias

from PySide6.QtGui import QImage

from desktop.pictures.images import Pixels
from desktop.prediction.backends import PredictionResult

Value: TypeAlias = QImage | bytes | str


@dataclass(frozen=True, eq=False)
class Origin:
    """The content that a request was made for, with what is needed to restore it.

    Attributes:
        page: Key of the page.
        document: Identifies the page's document; edits keep it, as long as they only add to the document.
        snapshot: Argument for the page's ``restore``.
        thumbnail: Small image of the content.
    """

    page: str
    document: tuple[int, ...]
    snapshot: object
    thumbnail: QImage


@dataclass(frozen=True)
class PredictionRequest:
    """An input for a model.

    Attributes:
        model: Name of the model.
        version: Version of the model; the default version if None.
        value: A drawing (8-bit grey), the bytes of a picture file, or a text.
        settled: False while the user is still drawing or typing.
        origin: What the history needs to restore the content; None for content that it does not list.
        is_comparison: Whether the prediction is the one to compare with.
    """

    model: str
    version: int | None
    value: Value
    settled: bool = True
    origin: Origin | None = None
    is_comparison: bool = False


@dataclass(frozen=True)
class PredictionResponse:
    """The result of a request."""

    request: PredictionRequest
    result: PredictionResult


@dataclass(frozen=True, eq=False)
class NetworkInput:
    """The preprocessed picture of a request: uint8 (height, width) or (height, width, 3)."""

    request: PredictionRequest
    pixels: Pixels
