"""Creates optimizers and their learning-rate schedules."""

import keras

from training.hyperparameters import Hyperparameters

_WARM_UP_SHARE = 0.05


def make_optimizer(hyperparameters: Hyperparameters, *, steps: int) -> keras.optimizers.Optimizer:
    """Create an optimizer whose learning rate depends only on its own step count.

    Args:
        hyperparameters: Optimizer, learning rate, schedule and weight decay.
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
    decay = hyperparameters.weight_decay
    match hyperparameters.optimizer:
        case "adam":
            return keras.optimizers.Adam(rate)
        case "rmsprop":
            return keras.optimizers.RMSprop(rate)
        case "adadelta":
            return keras.optimizers.Adadelta(rate)
        case "adamw":
            return keras.optimizers.AdamW(rate, weight_decay=decay)
        case "sgd":
            sgd = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=decay or None)
            sgd.exclude_from_weight_decay(var_names=["bias", "beta"])
            return sgd
