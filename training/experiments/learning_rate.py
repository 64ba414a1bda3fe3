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
        "With the small rate all curves are smooth and still far from their end after five epochs.",
        "With the right rate most of the learning happens in the first epoch.",
        "With the large rate the loss jumps and never becomes small: each step goes beyond the minimum.",
        "Too large a rate ends worse than too small a one, and more epochs would not help it.",
        "A rate that falls, as in the recipe, takes the large steps first and the small ones last.",
    ),
)
