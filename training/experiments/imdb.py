"""imdb: the lecture's network for film reviews, which overfits from the fourth epoch."""

from training.experiments.experiment import Experiment, PublishedFigure, Variant

EXPERIMENT = Experiment(
    name="imdb",
    title="Film reviews: overfitting, and when to stop",
    variants=(
        Variant(
            name="slide",
            recipe="imdb-dense",
            published=PublishedFigure(value=0.8863, measure="best validation accuracy"),
        ),
        Variant(
            name="to the end",
            recipe="imdb-dense",
            settings={"seed": 2},
            published=PublishedFigure(value=0.8524, measure="last validation accuracy"),
        ),
        Variant(name="early stopping", recipe="imdb-dense", settings={"early_stopping": 3}),
        Variant(name="recipe", recipe="imdb-dense", lecture=False),
    ),
    observations=(
        "The validation loss is lowest after three or four epochs, while the training loss goes on falling.",
        "Our best validation accuracy is near the slide's; after twenty epochs it has fallen by two points.",
        "A second seed ends with nearly the same figures, so the overfitting is no accident.",
        "Early stopping ends after six epochs and keeps the third, which has the best test accuracy.",
        "The recipe has dropout: its validation loss is lower, its test accuracy about the same.",
    ),
)
