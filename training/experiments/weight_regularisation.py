"""weight-regularisation: penalties on the weights against overfitting, on film reviews."""

from training.experiments.experiment import Experiment, Extent, PublishedFigure, Variant

EXPERIMENT = Experiment(
    name="weight-regularisation",
    title="Weight regularisation: L1, L2 and both",
    usual=Extent(examples=15_000),  # as many as the slide's run has
    variants=(
        Variant(
            name="none",
            recipe="imdb-dense",
            published=PublishedFigure(value=0.578, measure="last validation loss"),
        ),
        Variant(
            name="L2 0.001",
            recipe="imdb-dense",
            settings={"l2": 0.001},
            published=PublishedFigure(value=0.428, measure="last validation loss"),
        ),
        Variant(name="L1 0.001", recipe="imdb-dense", settings={"l1": 0.001}),
        Variant(name="L1 and L2 0.001", recipe="imdb-dense", settings={"l1": 0.001, "l2": 0.001}),
    ),
    observations=(
        "Without a penalty the validation loss is lowest in epoch 5 and then more than doubles.",
        "The validation loss of regularised runs contains the penalty, so compare the accuracies as well.",
        "With L2 the validation loss begins higher, rises less and ends lower, as on the slide.",
        "With L1 it falls to the end, and the training accuracy stays close to the validation accuracy.",
        "After 20 epochs every penalty has helped on the test set; L1 and L2 together act like L1 alone.",
    ),
)
