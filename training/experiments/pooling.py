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
        "Its receptive field is smaller: 7 x 7 pixels after three 3 x 3 convolutions, and 18 x 18 with two "
        "poolings between them.",
        "It learns fastest on these few digits, and its training accuracy runs furthest from its validation "
        "accuracy.",
        "Maximum pooling has the same validation accuracy after five epochs; average pooling is behind.",
        "Each pooling leaves a quarter of the places to the later layers: an epoch takes about a sixth of "
        "the time.",
    ),
    usual=Extent(examples=3_000, held_out=1_000),
    quick_examples=1_000,
)
