"""Owns what can be changed about a recipe from outside, apart from how it is asked for."""

from dataclasses import dataclass, fields, replace

from training.settings import Augmentation, Optimizer, Scaling, Settings


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings to use in place of a recipe's own; None keeps the recipe's.

    The names and meanings are those of :class:`training.settings.Settings`.
    """

    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    optimizer: Optimizer | None = None
    l1: float | None = None
    l2: float | None = None
    dropout: float | None = None
    batch_norm: bool | None = None
    width: float | None = None
    scaling: Scaling | None = None
    augmentation: Augmentation | None = None
    early_stopping: int | None = None
    seed: int | None = None

    def apply(self, settings: Settings) -> Settings:
        """Return the settings with these changes.

        Raises:
            RecipeError: A value makes no sense.
        """
        values = {spec.name: getattr(self, spec.name) for spec in fields(self)}
        return replace(settings, **{name: value for name, value in values.items() if value is not None})
