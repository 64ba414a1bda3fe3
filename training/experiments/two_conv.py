"""two-conv: why two convolutions in a row reached 0.6705 on the slide, one change at a time."""

from training.experiments.experiment import Experiment, SlideFigure, Variant

EXPERIMENT = Experiment(
    name="two-conv",
    title="Two convolutions in a row, and what was wrong with their training",
    variants=(
        Variant(
            name="slide", recipe="mnist-two-conv", slide=SlideFigure(value=0.6705, measure="test accuracy")
        ),
        Variant(name="scaled pixels", recipe="mnist-two-conv", settings={"scaling": "unit"}),
        Variant(name="rate 1.0", recipe="mnist-two-conv", settings={"learning_rate": 1.0}),
        Variant(name="both", recipe="mnist-two-conv", settings={"scaling": "unit", "learning_rate": 1.0}),
    ),
    observations=(
        "Adadelta is published with a learning rate of 1.0; Keras's default is a thousandth of that.",
        "With the small rate, five epochs end long before the network has learnt what it could.",
        "Pixels from 0 to 255 make the first activations large, so the small rate moves the network "
        "further with them than with scaled ones.",
        "With the published rate the same network reads nearly all digits right.",
        "The network was never bad: compare the learning rate before you blame the architecture.",
    ),
)
