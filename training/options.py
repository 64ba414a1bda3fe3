"""Generates the command-line options of the hyperparameters from their declarations."""

import math
from collections.abc import Callable
from dataclasses import fields
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import click

from training.hyperparameters import (
    Augmentation,
    Declaration,
    Hyperparameters,
    declaration_of,
    parse_augmentation,
)

Command = TypeVar("Command", bound=Callable[..., Any])


def hyperparameter_options(command: Command) -> Command:
    """Add an option for each hyperparameter and transformation that the command line can change."""
    for declaring in (Augmentation, Hyperparameters):
        kinds = get_type_hints(declaring)
        for spec in reversed(fields(declaring)):
            declared = declaration_of(spec)
            if declared.option:
                option = click.option(
                    _names(declared.option, kinds[spec.name]),
                    spec.name,
                    help=declared.help,
                    show_default="the recipe's",
                    **_option_type(declared, kinds[spec.name]),
                )
                command = option(command)
    return command


def _names(option: str, kind: Any) -> str:
    """Return the option's name, and that of its opposite if it is a switch."""
    return f"{option}/--no-{option[2:]}" if bool in _members(kind) else option


def _members(kind: Any) -> tuple[Any, ...]:
    """Return the types of a union, or the one type."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _option_type(declared: Declaration, kind: Any) -> dict[str, Any]:
    """Return the arguments of ``click.option`` that follow from a hyperparameter's type and range."""
    member = next(member for member in _members(kind) if member is not type(None))
    if member is bool:
        return {"is_flag": True, "default": None}
    if member is int:
        last = min(declared.maximum, declared.below - 1)
        return {"type": click.IntRange(int(declared.minimum), int(last) if math.isfinite(last) else None)}
    if member is float:
        lowest, highest = max(declared.minimum, declared.above), min(declared.maximum, declared.below)
        return {
            "type": click.FloatRange(
                lowest,
                highest if math.isfinite(highest) else None,
                min_open=lowest == declared.above,
                max_open=highest == declared.below,
            )
        }
    if member is str:
        return {"type": click.STRING}
    if get_origin(member) is Literal:
        return {"type": click.Choice(get_args(member))}
    return {"callback": lambda ctx, param, value: None if value is None else parse_augmentation(value)}
