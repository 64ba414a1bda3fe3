"""Names the stages of a network in the language of the window."""

from collections import Counter

from PySide6.QtCore import QCoreApplication, QLocale

from desktop.lab.network.stage import Function, Network, Stage, StageKind, Values
from desktop.names import layer_type

# The classes of Keras whose names are translated.
_LAYERS = {
    StageKind.INPUT: "InputLayer",
    StageKind.RESIZING: "Resizing",
    StageKind.CONVOLUTION: "Conv2D",
    StageKind.NORMALIZATION: "BatchNormalization",
    StageKind.ADDITION: "Add",
    StageKind.MULTIPLICATION: "Multiply",
    StageKind.DENSE: "Dense",
}
_POOLINGS = {
    (StageKind.POOLING, Function.MAXIMUM): "MaxPooling2D",
    (StageKind.POOLING, Function.MEAN): "AveragePooling2D",
    (StageKind.GLOBAL_POOLING, Function.MAXIMUM): "GlobalMaxPooling2D",
    (StageKind.GLOBAL_POOLING, Function.MEAN): "GlobalAveragePooling2D",
}


def stage_names(network: Network) -> tuple[str, ...]:
    """Return the names of all stages; those of convolutions and dense layers are numbered."""
    counts: Counter[StageKind] = Counter()
    names = []
    for stage in network.stages:
        name = _name(stage)
        if stage.kind in (StageKind.CONVOLUTION, StageKind.DENSE):
            counts[stage.kind] += 1
            name = f"{name} {counts[stage.kind]}"
        names.append(name)
    return tuple(names)


def size_text(shape: tuple[int, ...]) -> str:
    """Return the size of a stage's values, (maps, height, width) or (units,)."""
    if len(shape) == 1:
        return QCoreApplication.translate("Network", "{0} values").format(shape[0])
    return f"{shape[0]} × {shape[1]} × {shape[2]}"


def best_text(labels: tuple[str, ...], scores: Values) -> str:
    """Return the best label with its probability."""
    best = int(scores.argmax())
    return f"{labels[best]}: {QLocale().toString(float(scores[best]) * 100, 'f', 1)} %"


def _name(stage: Stage) -> str:
    if stage.kind is StageKind.CONVOLUTION and stage.groups > 1:
        return layer_type("DepthwiseConv2D")
    if stage.kind in _LAYERS:
        return layer_type(_LAYERS[stage.kind])
    assert stage.function is not None
    if (stage.kind, stage.function) in _POOLINGS:
        return layer_type(_POOLINGS[stage.kind, stage.function])
    name = stage.function.value
    return name[0].upper() + name[1:]
