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
        "The smaller the network, the later its validation loss is lowest.",
        "The small network's validation loss also rises more slowly afterwards.",
        "The larger network brings its training loss to nearly zero within a few epochs.",
        "The best validation accuracy is nearly the same for all three sizes.",
        "A network that is too large is not worse at its best, but it overfits sooner and has to be "
        "stopped in time.",
    ),
)
