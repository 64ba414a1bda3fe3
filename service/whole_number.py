"""Defines the type of the command-line options that are whole numbers."""

from typing import Any

import click


class WholeNumber(click.IntRange):
    """An integer in decimal digits; Python would also read ``1_0``, ``+1`` and digits of other scripts."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or report that the value is none."""
        text = str(value)
        if not (text.isascii() and text.removeprefix("-").isdecimal()):
            self.fail(f"{text!r} is not a whole number; use the digits 0 to 9 only", param, ctx)
        return int(super().convert(value, param, ctx))
