"""Finds the experiments: every other module of this package is one."""

import sys
from typing import TYPE_CHECKING

from training.modules import declared_names, load_declared

if TYPE_CHECKING:
    from training.experiments.experiment import Experiment

__all__ = ["experiment_names", "load_experiment"]

_FORM = "experiment"


def experiment_names() -> tuple[str, ...]:
    """Return the names of all experiments in alphabetical order, without importing them."""
    return declared_names(sys.modules[__name__], form=_FORM)


def load_experiment(name: str) -> "Experiment":
    """Import an experiment.

    Args:
        name: One of :func:`experiment_names`.

    Raises:
        RecipeError: There is no such experiment.
    """
    experiment: Experiment = load_declared(sys.modules[__name__], name, form=_FORM)
    return experiment
