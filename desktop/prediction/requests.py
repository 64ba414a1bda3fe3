"""Defines prediction requests, their responses, and the input that a network gets."""

from dataclasses import dataclass
from typing import TypeAlias

from PySide6.QtGui import QImage

from desktop.pictures.images import Pixels
from desktop.prediction.backends import PredictionResult

Value: TypeAlias = QImage | bytes | str


@dataclass(frozen=True)
class PredictionRequest:
    """An input for a model.

    Attributes:
        model: Name of the model.
        version: Version of the model; the default version if None.
        value: A drawing (8-bit grey), the bytes of a picture file, or a text.
        settled: False while the user is still drawing or typing.
        origin: Passed on unchanged to the response.
    """

    model: str
    version: int | None
    value: Value
    settled: bool = True
    origin: object = None


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
