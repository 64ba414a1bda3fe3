"""augmentation: random changes to the training images, for cats and dogs; the whole form takes an hour."""

from training.experiments.experiment import Experiment, Extent, Variant
from training.hyperparameters import Augmentation

SETTINGS = {"batch_size": 16}  # gives few examples enough steps

EXPERIMENT = Experiment(
    name="augmentation",
    title="Augmentation: a network for cats and dogs with and without it",
    variants=(
        Variant(
            name="none",
            recipe="cats-dogs-scratch",
            lecture=False,
            settings={"augmentation": Augmentation(), **SETTINGS},
        ),
        Variant(name="augmented", recipe="cats-dogs-scratch", lecture=False, settings=SETTINGS),
    ),
    observations=(
        "Without augmentation the training accuracy leaves the validation accuracy behind, 0.93 to 0.66.",
        "With it the two curves stay together to the end, and the validation loss falls instead of rising.",
        "The augmented run learns more slowly and is unfinished after 15 epochs of 600 photos: on 500 test "
        "photos neither is ahead by more than chance.",
        "The page of augmented images shows that every cat is still a cat; larger changes would hurt.",
        "Validation and test images are never changed.",
    ),
    usual=Extent(examples=600, held_out=500, epochs=15),
    quick_examples=600,
    shows_augmentation=True,
)
