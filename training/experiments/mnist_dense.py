"""mnist-dense: one hidden layer for digits, of several widths."""

from training.experiments.experiment import Experiment, Variant

EXPERIMENT = Experiment(
    name="mnist-dense",
    title="The first network: one hidden layer for digits",
    variants=(
        Variant(name="512 units", recipe="mnist-dense", lecture=False),
        Variant(name="64 units", recipe="mnist-dense", lecture=False, settings={"width": 0.125}),
        Variant(name="8 units", recipe="mnist-dense", lecture=False, settings={"width": 0.015625}),
    ),
    observations=(
        "With one hidden layer of 512 units, 89 % of the training digits are right in the first epoch.",
        "An eighth of the units costs one and a half percentage points on the test set.",
        "With eight units the network underfits: training and validation accuracy stay low together.",
        "With eight units the gap between training and validation accuracy is the smallest.",
        "The lecture's convolutional networks do better: 0.991 on its slides.",
    ),
)
