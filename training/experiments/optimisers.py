"""optimisers: five optimizers at Keras's own learning rates, for garments."""

from training.experiments.experiment import Experiment, Variant

EXPERIMENT = Experiment(
    name="optimisers",
    title="Optimizers: SGD, momentum, RMSprop, Adam, Adadelta",
    variants=(
        Variant(
            name="SGD",
            recipe="fashion-dense",
            settings={"optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.0},
        ),
        Variant(
            name="momentum", recipe="fashion-dense", settings={"optimizer": "sgd", "learning_rate": 0.01}
        ),
        Variant(name="RMSprop", recipe="fashion-dense", settings={"optimizer": "rmsprop"}),
        Variant(name="Adam", recipe="fashion-dense"),
        Variant(name="Adadelta", recipe="fashion-dense", settings={"optimizer": "adadelta"}),
        Variant(
            name="Adadelta 1.0",
            recipe="fashion-dense",
            settings={"optimizer": "adadelta", "learning_rate": 1.0},
        ),
    ),
    observations=(
        "Momentum makes SGD at the same rate much faster: ten steps in one direction add up.",
        "RMSprop and Adam adapt the step to each weight, and are fast with their default rates.",
        "With Adadelta at Keras's default rate of 0.001, little more than half of the images are right.",
        "At its published rate of 1.0, Adadelta is as good as the others.",
        "An optimizer and its learning rate belong together: comparing optimizers at one rate "
        "compares rates.",
    ),
)
