"""mnist-convnet: the convolutional network for digits, as the slide and as the recipe train it."""

from training.experiments.experiment import Experiment, PublishedFigure, Variant

EXPERIMENT = Experiment(
    name="mnist-convnet",
    title="The convolutional network for digits",
    variants=(
        Variant(
            name="slide",
            recipe="mnist-convnet",
            published=PublishedFigure(value=0.9913, measure="test accuracy"),
        ),
        Variant(name="recipe, 5 epochs", recipe="mnist-convnet", lecture=False, settings={"epochs": 5}),
    ),
    observations=(
        "The slide's five epochs with RMSprop reach about the slide's test accuracy.",
        "The recipe trains the same network with augmentation and a falling learning rate.",
        "Its training accuracy is lower than its validation accuracy, since only the training images "
        "are augmented.",
        "Without augmentation the training accuracy passes the validation accuracy in the second epoch, and "
        "the validation loss rises from the third one.",
        "The recipe errs on a third fewer test images with as many parameters: the gain comes from the "
        "training alone.",
    ),
)
