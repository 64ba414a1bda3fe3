"""network-size: networks of four, sixteen and more units for film reviews."""

from training.experiments.experiment import Experiment, Variant

EXPERIMENT = Experiment(
    name="network-size",
    title="The size of a network: 4-4-1, 16-16-1 and larger",
    variants=(
        Variant(name="4-4-1", recipe="imdb-dense", settings={"width": 0.25}),
        Variant(name="16-16-1", recipe="imdb-dense"),
        Variant(name="128-128-1", recipe="imdb-dense", settings={"width": 8.0}),
    ),
    observations=(
        "The validation loss of 4-4-1 is lowest in epoch 15, that of the other two networks in epoch 5.",
        "The small network's validation loss stays near its lowest value; the other two rise well above it.",
        "The largest network's training loss ends near zero; its validation loss and that of 16-16-1 jump.",
        "The best validation accuracy is nearly the same for all three sizes.",
        "The largest has the best test accuracy, although its validation loss is the worst after 20 epochs.",
    ),
)
