"""Creates the optimizer of a run, with its learning-rate schedule."""

import keras

from training.hyperparameters import Hyperparameters

_WARM_UP_SHARE = 0.05  # of the steps


def make_optimizer(hyperparameters: Hyperparameters, *, steps: int) -> keras.optimizers.Optimizer:
    """Create an optimizer whose learning rate depends only on its own step count.

    Args:
        hyperparameters: Optimizer, momentum, learning rate, schedule and weight decay.
        steps: Steps of the whole run, at whose end the schedule ends.
    """
    rate: float | keras.optimizers.schedules.LearningRateSchedule = hyperparameters.learning_rate
    if hyperparameters.schedule == "cosine":
        warm_up = max(1, round(steps * _WARM_UP_SHARE))
        rate = keras.optimizers.schedules.CosineDecay(
            hyperparameters.learning_rate / 10,
            max(1, steps - warm_up),
            warmup_target=hyperparameters.learning_rate,
            warmup_steps=warm_up,
        )
    decay = hyperparameters.weight_decay or None
    match hyperparameters.optimizer:
        case "adam":
            return keras.optimizers.Adam(rate, weight_decay=decay)
        case "rmsprop":
            return keras.optimizers.RMSprop(rate, weight_decay=decay)
        case "adadelta":
            return keras.optimizers.Adadelta(rate, weight_decay=decay)
        case "adamw":
            return keras.optimizers.AdamW(rate, weight_decay=decay or 0.0)
        case "sgd":
            momentum = hyperparameters.momentum
            sgd = keras.optimizers.SGD(rate, momentum=momentum, nesterov=momentum > 0, weight_decay=decay)
            sgd.exclude_from_weight_decay(var_names=["bias", "beta"])
            return sgd
