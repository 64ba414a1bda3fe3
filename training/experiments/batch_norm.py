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
        "At a rate thirty times as large, both networks lose accuracy; with normalisation about one point.",
        "Without it, the large rate costs more than two percentage points on the test set.",
        "The validation curves jump more with it, since they use running means instead of those of a batch.",
        "In so shallow a network the gain at the usual rate is small.",
    ),
)
