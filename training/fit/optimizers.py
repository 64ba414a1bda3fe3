"""Owns the optimizers and the learning rate as a function of the step."""

import keras

from training.settings import Settings

_WARM_UP_SHARE = 0.05


def make_optimizer(settings: Settings, *, steps: int) -> keras.optimizers.Optimizer:
    """Make the optimizer that the settings ask for.

    Args:
        settings: Name, rate, schedule.
        steps: Steps of the whole run; the schedule ends there, whether it was interrupted or not.

    Returns:
        A Keras optimizer whose learning rate depends on its own step count only.
    """
    rate: float | keras.optimizers.schedules.LearningRateSchedule = settings.learning_rate
    if settings.schedule == "cosine":
        warm_up = max(1, round(steps * _WARM_UP_SHARE))
        rate = keras.optimizers.schedules.CosineDecay(
            settings.learning_rate / 10,
            max(1, steps - warm_up),
            warmup_target=settings.learning_rate,
            warmup_steps=warm_up,
        )
    kinds = {
        "adam": keras.optimizers.Adam,
        "rmsprop": keras.optimizers.RMSprop,
        "adadelta": keras.optimizers.Adadelta,
    }
    if settings.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay)
    if settings.optimizer == "sgd":
        sgd = keras.optimizers.SGD(
            rate, momentum=0.9, nesterov=True, weight_decay=settings.weight_decay or None
        )
        sgd.exclude_from_weight_decay(var_names=["bias", "beta"])
        return sgd
    return kinds[settings.optimizer](rate)
