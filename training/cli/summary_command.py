"""Defines the command ``summary``."""

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from training.backend import load_keras
from training.cli.recipe_help import RecipeCommand
from training.cli.shared import (
    RECIPES_EPILOG,
    find_recipe,
    own_recipe_option,
    reports_memory,
    require_recipe,
    table_console,
)
from training.hyperparameters import OPTIONS
from training.options import hyperparameter_options


@click.command(epilog=RECIPES_EPILOG, cls=RecipeCommand)
@click.argument("recipe", callback=find_recipe, required=False)
@own_recipe_option
@click.option(
    "--lecture", is_flag=True, help="Begin with the settings of the lecture's run; other options change them."
)
@hyperparameter_options
def summary(recipe: str | None, own_recipe: Path | None, lecture: bool, **options: Any) -> None:
    """Print the layers of a recipe's network before it is trained.

    \b
    Examples:
      lectern summary mnist-convnet
      lectern summary mnist-convnet --pooling none --width 0.5
    """
    load_keras(converts=False)
    from training.workflows.network_summary import summarise_network

    chosen = require_recipe(recipe, own_recipe)
    overrides = {name: options[name] for name in OPTIONS}
    with reports_memory():
        network = summarise_network(chosen, lecture=lecture, overrides=overrides)
    table = Table(box=None, pad_edge=False)
    for column in ("layer", "type"):
        table.add_column(column, no_wrap=True)
    for column in ("output shape", "parameters", "receptive field"):
        table.add_column(column, no_wrap=True, justify="right")
    for row in network.layers:
        shape = " × ".join("n" if size is None else str(size) for size in row.output_shape) or "1"
        field = f"{row.receptive_field} × {row.receptive_field}" if row.receptive_field else ""
        table.add_row(row.name, row.type, shape, f"{row.parameters:,}", field)
    console = table_console()
    console.print(table)
    fixed = network.parameters - network.trainable
    console.print(
        f"\n{network.parameters:,} parameters, of which training changes {network.trainable:,}"
        + (f" and leaves {fixed:,}" if fixed else "")
    )
