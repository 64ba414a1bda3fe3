"""Reads whole numbers of options and settings, in plain digits."""

from typing import Any

import click


def is_whole_number(text: str) -> bool:
    """Return whether a text is an integer in the digits 0 to 9; Python would read ``1_0`` and ``+1`` too."""
    return text.isascii() and text.removeprefix("-").isdecimal()


class WholeNumber(click.IntRange):
    """An integer as :func:`is_whole_number` describes it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or report that the value is none."""
        text = str(value)
        if not is_whole_number(text):
            self.fail(f"{text!r} is not a whole number; use the digits 0 to 9 only", param, ctx)
        return int(super().convert(value, param, ctx))
