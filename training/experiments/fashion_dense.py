"""fashion-dense: the lecture's dense network for garments, as the slide trains it and as the recipe does."""

from training.experiments.experiment import Experiment, PublishedFigure, Variant

EXPERIMENT = Experiment(
    name="fashion-dense",
    title="The dense network for garments",
    variants=(
        Variant(
            name="slide",
            recipe="fashion-dense",
            published=PublishedFigure(value=0.8761, measure="test accuracy"),
        ),
        Variant(name="recipe", recipe="fashion-dense", lecture=False),
    ),
    observations=(
        "The slide's five epochs of Adam end while the validation accuracy still rises.",
        "Our test accuracy after these five epochs is about a percentage point below the slide's.",
        "The recipe's fifteen epochs with a falling learning rate gain almost two percentage points.",
        "With the falling rate, the last epochs hardly change the validation loss.",
        "The training accuracy ends higher than the validation accuracy: the network begins to overfit.",
    ),
)
