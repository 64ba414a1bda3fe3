"""Generates the command-line options of the hyperparameters from their declarations."""

import math
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import click

from training.hyperparameters import Hyperparameters, declaration_of, parse_augmentation

Command = TypeVar("Command", bound=Callable[..., Any])


def hyperparameter_options(command: Command) -> Command:
    """Add an option for each hyperparameter that the command line can change."""
    for spec in reversed(fields(Hyperparameters)):
        declared = declaration_of(spec)
        if declared.option:
            option = click.option(
                declared.option,
                spec.name,
                help=declared.help,
                show_default="the recipe's",
                **_option_type(spec),
            )
            command = option(command)
    return command


def _option_type(spec: "Field[Any]") -> dict[str, Any]:
    """Return the arguments of ``click.option`` that follow from a hyperparameter's type and range."""
    declared, kind = declaration_of(spec), get_type_hints(Hyperparameters)[spec.name]
    if kind is bool:
        return {"is_flag": True, "default": None}
    if kind is int:
        last = int(declared.below) - 1 if math.isfinite(declared.below) else None
        return {"type": click.IntRange(int(declared.minimum), last)}
    if float in (kind, *get_args(kind)):
        lowest = max(declared.minimum, declared.above)
        highest = declared.below if math.isfinite(declared.below) else None
        return {"type": click.FloatRange(lowest, highest, min_open=lowest == declared.above, max_open=True)}
    if get_origin(kind) is Literal:
        return {"type": click.Choice(get_args(kind))}
    return {"callback": lambda ctx, param, value: None if value is None else parse_augmentation(value)}
