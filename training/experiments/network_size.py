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
        "The validation loss of 4-4-1 is lowest in epoch 15, that of the other two networks in epoch 3.",
        "The small network's validation loss stays near its lowest value; the others' more than double.",
        "The largest network brings its training loss to nearly zero; its validation loss rises the most.",
        "The best validation accuracies lie within about a point; larger networks are better.",
        "The largest has the best test accuracy, although its last validation loss is the worst.",
    ),
)
