"""cats-dogs: from a small network to a fine-tuned pretrained one; the whole form takes hours."""

from training.experiments.experiment import Experiment, Extent, Variant
from training.hyperparameters import Augmentation

SCRATCH = {"batch_size": 16}  # gives few examples enough steps; so the runs are those of augmentation

EXPERIMENT = Experiment(
    name="cats-dogs",
    title="Cats and dogs: from scratch, frozen features, fine-tuning",
    variants=(
        Variant(
            name="scratch",
            recipe="cats-dogs-scratch",
            lecture=False,
            settings={"augmentation": Augmentation(), **SCRATCH},
        ),
        Variant(name="scratch, augmented", recipe="cats-dogs-scratch", lecture=False, settings=SCRATCH),
        Variant(
            name="frozen features",
            recipe="cats-dogs-features",
            lecture=False,
            settings={"augmentation": Augmentation()},
        ),
        Variant(name="frozen, augmented", recipe="cats-dogs-features", lecture=False),
        Variant(name="fine-tuned", recipe="cats-dogs-finetune", lecture=False),
        Variant(
            name="whole base unfrozen",
            recipe="cats-dogs-finetune",
            lecture=False,
            settings={"unfreeze": "all"},
        ),
    ),
    observations=(
        "After one epoch, the classifier on a pretrained base is far above the best epoch of the small "
        "network from scratch.",
        "Its features are computed once and kept on the disk, so an epoch of the classifier takes "
        "about a second.",
        "Augmentation stops the overfitting of the network from scratch, and hardly changes the classifier "
        "on frozen features.",
        "Fine-tuning trains the upper layers at a rate a hundredth as large, after the classifier is "
        "trained; of 500 test photos it classifies five more correctly.",
        "An epoch with the whole base unfrozen takes several times as long; the difference of one in 500 "
        "photos is within chance.",
    ),
    usual=Extent(examples=600, held_out=500, epochs=15),
    quick_examples=200,
)
