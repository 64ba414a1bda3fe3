"""mnist-convnet: the convolutional network for digits, as the slide and as the recipe train it."""

from training.experiments.experiment import Experiment, Extent, SlideFigure, Variant

EXPERIMENT = Experiment(
    name="mnist-convnet",
    title="The convolutional network for digits",
    variants=(
        Variant(
            name="slide", recipe="mnist-convnet", slide=SlideFigure(value=0.9913, measure="test accuracy")
        ),
        Variant(name="recipe", recipe="mnist-convnet", lecture=False),
    ),
    observations=(
        "The slide's five epochs with RMSprop reach about the slide's test accuracy.",
        "The recipe trains the same network with augmentation and a falling learning rate.",
        "Its training accuracy is lower than its validation accuracy, since only the training images "
        "are augmented.",
        "Without augmentation the training accuracy passes the validation accuracy within a few epochs.",
        "Both runs have the same number of parameters: the gain comes from the training alone.",
    ),
    usual=Extent(epochs=5),
)
