"""weight-regularisation: penalties on the weights against overfitting, on film reviews."""

from training.experiments.experiment import Experiment, SlideFigure, Variant

EXPERIMENT = Experiment(
    name="weight-regularisation",
    title="Weight regularisation: L1, L2 and both",
    variants=(
        Variant(
            name="none", recipe="imdb-dense", slide=SlideFigure(value=0.578, measure="last validation loss")
        ),
        Variant(
            name="L2 0.001",
            recipe="imdb-dense",
            settings={"l2": 0.001},
            slide=SlideFigure(value=0.428, measure="last validation loss"),
        ),
        Variant(name="L1 0.001", recipe="imdb-dense", settings={"l1": 0.001}),
        Variant(name="L1 and L2 0.001", recipe="imdb-dense", settings={"l1": 0.001, "l2": 0.001}),
    ),
    observations=(
        "Without a penalty the validation loss rises from the fourth epoch on.",
        "With L2 it stays nearly flat, although the training loss contains the penalty and is "
        "therefore higher.",
        "L1 pushes most weights to zero, so its penalty is large at first and the network learns later.",
        "Both together act nearly as L1 alone, which is the stronger of the two at equal weights.",
        "The validation loss of the regularised runs contains the penalty too, so compare the "
        "accuracies as well.",
    ),
)
