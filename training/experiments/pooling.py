"""pooling: no pooling, maximum and average pooling, for digits."""

from training.experiments.experiment import Experiment, Extent, Variant

EXPERIMENT = Experiment(
    name="pooling",
    title="Pooling: none, maximum, average",
    variants=(
        Variant(name="none", recipe="mnist-convnet", settings={"pooling": "none"}),
        Variant(name="maximum", recipe="mnist-convnet"),
        Variant(name="average", recipe="mnist-convnet", settings={"pooling": "average"}),
    ),
    observations=(
        "Without pooling the network has about twenty times as many parameters, nearly all in the "
        "first dense layer.",
        "Its receptive field is smaller: three 3 x 3 convolutions see 7 x 7 pixels, with two poolings "
        "18 x 18.",
        "Its training accuracy is the highest and its validation accuracy is not: it overfits.",
        "Maximum and average pooling have equal numbers of parameters and receptive fields.",
        "Pooling leaves later layers a quarter of the places to compute, so epochs are faster, too.",
    ),
    usual=Extent(examples=3_000, held_out=1_000),
    quick_examples=1_000,
)
