"""cats-dogs-finetune: cats-dogs-features, then the top layers of the base at a small learning rate.

Reached: test accuracy 0.9880 with seed 1, and 0.9862 as the mean of five folds of the other pictures.
Time: 7 min for 19 epochs on two CPU cores, the features included.
"""

from dataclasses import replace

from training.hyperparameters import Hyperparameters
from training.recipes import cats_dogs_features

HYPERPARAMETERS = replace(cats_dogs_features.HYPERPARAMETERS, epochs=15, early_stopping=0)
# Larger steps would destroy the pretrained weights.
FINE_TUNING = Hyperparameters(
    epochs=4,
    batch_size=64,
    optimizer="adamw",
    learning_rate=3e-5,
    weight_decay=0.01,
    schedule="cosine",
)

RECIPE = replace(
    cats_dogs_features.RECIPE,
    name="cats-dogs-finetune",
    title="Cats and dogs: a pretrained MobileNetV2, its top layers fine-tuned",
    hyperparameters=HYPERPARAMETERS,
    fine_tuning=FINE_TUNING,
    sure_accuracy=1.0,  # at 0.997, half of the landscapes would be sure
    default=True,
)
