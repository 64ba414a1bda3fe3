"""cifar10-bn-elu: the network for small photos, as slide and recipe train it; the whole form takes hours."""

from training.experiments.experiment import Experiment, Extent, PublishedFigure, Variant

EXPERIMENT = Experiment(
    name="cifar10-bn-elu",
    title="Batch normalisation and ELU for small photos",
    variants=(
        Variant(
            name="slide",
            recipe="cifar10-bn-elu",
            published=PublishedFigure(value=0.7846, measure="test accuracy"),
        ),
        Variant(name="recipe", recipe="cifar10-bn-elu", lecture=False),
    ),
    observations=(
        "The slide trains for 100 epochs at a constant rate.",
        "The recipe needs a sixth of the epochs, since its learning rate falls to zero.",
        "With a constant rate the validation curve jumps from epoch to epoch.",
        "Dropout and augmentation keep training and validation accuracy close.",
        "Convolutions, not dense layers, make photos of ten kinds readable at all.",
    ),
    usual=Extent(examples=5_000, held_out=1_000, epochs=12),
    quick_examples=1_000,
)
