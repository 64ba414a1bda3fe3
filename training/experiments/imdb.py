"""imdb: the lecture's network for film reviews, which overfits from the fourth epoch."""

from training.experiments.experiment import Experiment, SlideFigure, Variant

EXPERIMENT = Experiment(
    name="imdb",
    title="Film reviews: overfitting, and when to stop",
    variants=(
        Variant(
            name="slide",
            recipe="imdb-dense",
            slide=SlideFigure(value=0.8863, measure="best validation accuracy"),
        ),
        Variant(
            name="to the end",
            recipe="imdb-dense",
            settings={"seed": 2},
            slide=SlideFigure(value=0.8524, measure="last validation accuracy"),
        ),
        Variant(name="early stopping", recipe="imdb-dense", settings={"early_stopping": 3}),
        Variant(name="recipe", recipe="imdb-dense", lecture=False),
    ),
    observations=(
        "The validation loss is lowest after a few epochs and rises from then on, while the training "
        "loss falls to nearly zero.",
        "The validation accuracy falls more slowly than the loss rises: the network becomes sure of "
        "its mistakes.",
        "Two seeds give the same curves, so the overfitting is no accident.",
        "Early stopping keeps the weights of the lowest validation loss, and saves most of the epochs.",
        "Dropout in the recipe delays the overfitting, and the lowest validation loss comes later.",
    ),
)
