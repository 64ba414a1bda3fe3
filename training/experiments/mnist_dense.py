"""mnist-dense: one hidden layer for digits, of several widths."""

from training.experiments.experiment import Experiment, Variant

EXPERIMENT = Experiment(
    name="mnist-dense",
    title="The first network: one hidden layer for digits",
    variants=(
        Variant(name="512 units", recipe="mnist-dense", lecture=False),
        Variant(name="64 units", recipe="mnist-dense", lecture=False, settings={"width": 0.125}),
        Variant(name="8 units", recipe="mnist-dense", lecture=False, settings={"width": 0.015625}),
    ),
    observations=(
        "One hidden layer of 512 units reads most digits right after one epoch.",
        "An eighth of the units costs about a percentage point.",
        "With eight units the network underfits: training and validation accuracy stay low together.",
        "The gap between training and validation accuracy grows with the number of units.",
        "No dense layer of any width reaches the convolutional networks, since each pixel is learnt "
        "separately.",
    ),
)
