"""learning-rate: learning rates that are too small, right and too large, for garments."""

from training.experiments.experiment import Experiment, Variant

EXPERIMENT = Experiment(
    name="learning-rate",
    title="The learning rate: too small, right, too large",
    variants=(
        Variant(name="0.00001", recipe="fashion-dense", settings={"learning_rate": 1e-5}),
        Variant(name="0.001", recipe="fashion-dense", settings={"learning_rate": 1e-3}),
        Variant(name="0.1", recipe="fashion-dense", settings={"learning_rate": 0.1}),
    ),
    observations=(
        "With the small rate the losses fall steadily and are still far from their end after five epochs.",
        "With the right rate most of the learning happens in the first epoch.",
        "With the large rate the loss ends higher than it began, and a fifth of the images is right.",
        "Too large a rate ends worse than too small a one.",
        "A rate that falls, as in the recipe, takes large steps first and small ones last.",
    ),
)
