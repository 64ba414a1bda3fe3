"""Defines the base class of a card and its parts, and the constraints of their fields."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

LARGEST = 1.7976931348623157e308
Finite = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]  # neither NaN nor infinite
Share = Annotated[float, Meta(ge=0, le=1)]
Milliseconds = Annotated[float, Meta(gt=0, le=LARGEST)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]


class CardPart(Struct, frozen=True, kw_only=True):
    """Base of the card and of each object in it; ``extra`` holds the fields that Lectern does not know."""

    extra: Mapping[str, Any] = msgspec.field(default_factory=dict)
