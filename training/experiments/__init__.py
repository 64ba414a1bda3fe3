"""Finds the experiments: every other module of this package is one."""

import difflib
import importlib
import pkgutil
from typing import TYPE_CHECKING

from training.errors import RecipeError

if TYPE_CHECKING:
    from training.experiments.experiment import Experiment

__all__ = ["experiment_names", "load_experiment"]


def experiment_names() -> tuple[str, ...]:
    """Return the names of all experiments in alphabetical order, without importing them."""
    modules = {module.name for module in pkgutil.iter_modules(__path__)} - {"experiment"}
    return tuple(sorted(name.replace("_", "-") for name in modules))


def load_experiment(name: str) -> "Experiment":
    """Import an experiment.

    Args:
        name: One of :func:`experiment_names`.

    Raises:
        RecipeError: There is no such experiment.
    """
    names = experiment_names()
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]}?" if close else f"choose from {', '.join(names)}"
        raise RecipeError(f"there is no experiment {name!r}; {hint}")
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    experiment: Experiment = module.EXPERIMENT
    return experiment
