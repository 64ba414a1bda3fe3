"""fashion-dense: the lecture's dense network for garments, as the slide trains it and as the recipe does."""

from training.experiments.experiment import Experiment, SlideFigure, Variant

EXPERIMENT = Experiment(
    name="fashion-dense",
    title="The dense network for garments",
    variants=(
        Variant(
            name="slide", recipe="fashion-dense", slide=SlideFigure(value=0.8761, measure="test accuracy")
        ),
        Variant(name="recipe", recipe="fashion-dense", lecture=False),
    ),
    observations=(
        "Garments are harder than digits for a dense network of about the same size.",
        "The slide's five epochs of Adam end while the validation accuracy still rises.",
        "The recipe's fifteen epochs with a falling learning rate gain about a percentage point.",
        "The falling rate makes the last epochs smooth, while a constant one makes the validation "
        "curve jump.",
        "The training loss goes on falling after the validation loss has stopped: the network begins "
        "to overfit.",
    ),
)
