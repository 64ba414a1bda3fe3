"""dropout: dropout rates against overfitting, on film reviews."""

from training.experiments.experiment import Experiment, Variant

EXPERIMENT = Experiment(
    name="dropout",
    title="Dropout: none, 0.2 and 0.5",
    variants=(
        Variant(name="none", recipe="imdb-dense"),
        Variant(name="dropout 0.2", recipe="imdb-dense", settings={"dropout": 0.2}),
        Variant(name="dropout 0.5", recipe="imdb-dense", settings={"dropout": 0.5}),
    ),
    observations=(
        "The higher the rate, the later the validation loss is lowest, and the lower it stays.",
        "The training loss is measured with dropout, so it is higher than the network's own.",
        "Rate 0.2 delays the overfitting by an epoch or two; rate 0.5 by more.",
        "The best validation accuracy hardly changes: dropout helps most where training goes on too long.",
        "No rate removes the overfitting of twenty epochs altogether.",
    ),
)
