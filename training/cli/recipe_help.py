"""Shows the defaults of a recipe in the help of a command."""

import contextlib
from dataclasses import asdict
from typing import Any

import click

from training.backend import silence_libraries
from training.cli.shared import find_recipe
from training.errors import RecipeError
from training.hyperparameters import Augmentation
from training.recipes import load_recipe

_RECIPE = "training.recipe"
TYPED = "training.typed"  # key of a context's ``meta``: all words of the command line


class RecipeCommand(click.Command):
    """A command whose ``--help`` has the defaults of the recipe that is named on the command line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Store the words, and the name of the recipe; ``--help`` is answered before arguments are read."""
        ctx.meta[TYPED] = tuple(args)
        with contextlib.suppress(click.UsageError):  # is reported below
            ctx.meta[_RECIPE] = self.make_parser(ctx).parse_args(list(args))[0].get("recipe")
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options with the recipe's defaults."""
        name = self._named_recipe(ctx)
        if name is None:
            super().format_options(ctx, formatter)
            return
        silence_libraries()
        values = asdict(load_recipe(name).hyperparameters)
        values |= values["augmentation"]
        options = [
            option for option in self.params if isinstance(option, click.Option) and option.name in values
        ]
        before = {id(option): option.show_default for option in options}
        try:
            for option in options:
                option.show_default = describe_value(values[option.name or ""])
            super().format_options(ctx, formatter)
        finally:
            for option in options:
                option.show_default = before[id(option)]

    def _named_recipe(self, ctx: click.Context) -> str | None:
        """Return the recipe that the command line names, perhaps by its data set."""
        word = ctx.meta.get(_RECIPE)
        if isinstance(word, str):
            with contextlib.suppress(RecipeError):
                return find_recipe(ctx, self.params[0], word)
        return None


def describe_value(value: Any) -> str:
    """Return a hyperparameter's value for people."""
    if isinstance(value, Augmentation):
        value = asdict(value)
    if isinstance(value, dict):
        return ", ".join(
            f"{name} {size:g}" if size is not True else name for name, size in value.items() if size
        )
    if value is None:
        return "as in the network"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
