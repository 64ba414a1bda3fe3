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
        "The validation loss is lowest in epoch 3 without dropout, 4 with rate 0.2, and 6 with rate 0.5.",
        "Rate 0.5 gives the best validation and test accuracy; rate 0.2 gives a little more than none.",
        "The training loss is measured with dropout, so it is higher than the network's own.",
        "With rate 0.5 the training accuracy ends lower: memorising takes longer.",
        "No rate removes the overfitting: each validation loss ends far above its lowest value.",
    ),
)
