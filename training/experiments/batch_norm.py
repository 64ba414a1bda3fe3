"""batch-norm: batch normalisation at two learning rates, for garments."""

from training.experiments.experiment import Experiment, Variant

EXPERIMENT = Experiment(
    name="batch-norm",
    title="Batch normalisation, at a usual and at a large learning rate",
    variants=(
        Variant(name="without, rate 0.001", recipe="fashion-dense", settings={"batch_size": 128}),
        Variant(
            name="with, rate 0.001", recipe="fashion-dense", settings={"batch_size": 128, "batch_norm": True}
        ),
        Variant(
            name="without, rate 0.03",
            recipe="fashion-dense",
            settings={"batch_size": 128, "learning_rate": 0.03},
        ),
        Variant(
            name="with, rate 0.03",
            recipe="fashion-dense",
            settings={"batch_size": 128, "learning_rate": 0.03, "batch_norm": True},
        ),
    ),
    observations=(
        "At the usual rate, batch normalisation makes the first epochs faster.",
        "At a rate thirty times as large, the network without it loses several percentage points.",
        "With it, the large rate costs little: the normalisation keeps the activations in range.",
        "The validation curves with it jump more, since validation uses running means instead of "
        "those of a batch.",
        "In so shallow a network the gain at the usual rate is small; it grows with depth.",
    ),
)
