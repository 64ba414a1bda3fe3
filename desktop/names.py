"""Translates the names that models and their cards bring: labels, titles and types of layers."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from service.client import ModelSummary

# The translation tools find these texts here; other names are shown as they are.
_LABELS = (
    QT_TRANSLATE_NOOP("Labels", "airplane"),
    QT_TRANSLATE_NOOP("Labels", "automobile"),
    QT_TRANSLATE_NOOP("Labels", "bird"),
    QT_TRANSLATE_NOOP("Labels", "cat"),
    QT_TRANSLATE_NOOP("Labels", "deer"),
    QT_TRANSLATE_NOOP("Labels", "dog"),
    QT_TRANSLATE_NOOP("Labels", "frog"),
    QT_TRANSLATE_NOOP("Labels", "horse"),
    QT_TRANSLATE_NOOP("Labels", "ship"),
    QT_TRANSLATE_NOOP("Labels", "truck"),
    QT_TRANSLATE_NOOP("Labels", "T-shirt/top"),
    QT_TRANSLATE_NOOP("Labels", "Trouser"),
    QT_TRANSLATE_NOOP("Labels", "Pullover"),
    QT_TRANSLATE_NOOP("Labels", "Dress"),
    QT_TRANSLATE_NOOP("Labels", "Coat"),
    QT_TRANSLATE_NOOP("Labels", "Sandal"),
    QT_TRANSLATE_NOOP("Labels", "Shirt"),
    QT_TRANSLATE_NOOP("Labels", "Sneaker"),
    QT_TRANSLATE_NOOP("Labels", "Bag"),
    QT_TRANSLATE_NOOP("Labels", "Ankle boot"),
    QT_TRANSLATE_NOOP("Labels", "negative"),
    QT_TRANSLATE_NOOP("Labels", "positive"),
)
_TITLES = (
    QT_TRANSLATE_NOOP("Titles", "Handwritten digits"),
    QT_TRANSLATE_NOOP("Titles", "Garments"),
    QT_TRANSLATE_NOOP("Titles", "Ten kinds of small photos"),
    QT_TRANSLATE_NOOP("Titles", "Cats and dogs"),
    QT_TRANSLATE_NOOP("Titles", "Film reviews"),
    QT_TRANSLATE_NOOP("Titles", "the lecture's convolutional network"),
    QT_TRANSLATE_NOOP("Titles", "the lecture's dense network"),
    QT_TRANSLATE_NOOP("Titles", "the lecture's dense network on 10,000 words"),
    QT_TRANSLATE_NOOP("Titles", "a deep convolutional network that begins by whitening"),
    QT_TRANSLATE_NOOP("Titles", "a deep convolutional network that doubts letters and shapes"),
    QT_TRANSLATE_NOOP("Titles", "a small convolutional network trained from scratch"),
    QT_TRANSLATE_NOOP("Titles", "a pretrained MobileNetV2, fine-tuned"),
    QT_TRANSLATE_NOOP("Titles", "a pretrained MobileNetV2, its top layers fine-tuned"),
    QT_TRANSLATE_NOOP("Titles", "convolutions with batch normalisation and ELU"),
    QT_TRANSLATE_NOOP("Titles", "logistic regression on words and pairs of words, begun at naive Bayes"),
    QT_TRANSLATE_NOOP("Titles", "logistic regressions on words and phrases of reviews and of sentences"),
    QT_TRANSLATE_NOOP("Titles", "convolutions over the first 400 words"),
    QT_TRANSLATE_NOOP("Titles", "a bidirectional recurrent network over the first 400 words"),
)
_LAYER_TYPES: Mapping[str, Any] = {
    "Activation": QT_TRANSLATE_NOOP("LayerTypes", "Activation"),
    "Add": QT_TRANSLATE_NOOP("LayerTypes", "Add"),
    "AveragePooling2D": QT_TRANSLATE_NOOP("LayerTypes", "Average pooling"),
    "BatchNormalization": QT_TRANSLATE_NOOP("LayerTypes", "Batch normalization"),
    "BidirectionalGRU": QT_TRANSLATE_NOOP("LayerTypes", "Bidirectional GRU"),
    "Concatenate": QT_TRANSLATE_NOOP("LayerTypes", "Concatenate"),
    "Conv1D": QT_TRANSLATE_NOOP("LayerTypes", "Convolution"),
    "Conv2D": QT_TRANSLATE_NOOP("LayerTypes", "Convolution"),
    "Dense": QT_TRANSLATE_NOOP("LayerTypes", "Dense"),
    "DepthwiseConv2D": QT_TRANSLATE_NOOP("LayerTypes", "Depthwise convolution"),
    "Dropout": QT_TRANSLATE_NOOP("LayerTypes", "Dropout"),
    "Flatten": QT_TRANSLATE_NOOP("LayerTypes", "Flatten"),
    "GlobalAveragePooling2D": QT_TRANSLATE_NOOP("LayerTypes", "Global average pooling"),
    "GlobalMaxPooling2D": QT_TRANSLATE_NOOP("LayerTypes", "Global max pooling"),
    "InputLayer": QT_TRANSLATE_NOOP("LayerTypes", "Input"),
    "LengthMixture": QT_TRANSLATE_NOOP("LayerTypes", "Mixture by length"),
    "MaxOverWords": QT_TRANSLATE_NOOP("LayerTypes", "Max pooling of words"),
    "MaxPooling2D": QT_TRANSLATE_NOOP("LayerTypes", "Max pooling"),
    "MeanOverWords": QT_TRANSLATE_NOOP("LayerTypes", "Mean over words"),
    "Multiply": QT_TRANSLATE_NOOP("LayerTypes", "Multiply"),
    "ReLU": QT_TRANSLATE_NOOP("LayerTypes", "ReLU"),
    "Rescaling": QT_TRANSLATE_NOOP("LayerTypes", "Rescaling"),
    "Reshape": QT_TRANSLATE_NOOP("LayerTypes", "Reshape"),
    "Resizing": QT_TRANSLATE_NOOP("LayerTypes", "Resizing"),
    "Softmax": QT_TRANSLATE_NOOP("LayerTypes", "Softmax"),
    "WordEmbedding": QT_TRANSLATE_NOOP("LayerTypes", "Word embedding"),
    "WordSum": QT_TRANSLATE_NOOP("LayerTypes", "Word sum"),
    "ZeroPadding2D": QT_TRANSLATE_NOOP("LayerTypes", "Zero padding"),
}


def label_name(label: str) -> str:
    """Return a label in the language of the window."""
    return QCoreApplication.translate("Labels", label)


def model_name(title: str) -> str:
    """Return the part of a model's title before the colon, which all of its versions share."""
    return QCoreApplication.translate("Titles", title.partition(":")[0])


def distinct_names(models: Sequence[ModelSummary]) -> list[str]:
    """Return the names of models for people; those that share one get the name of their folder too."""
    names = [model_name(model.title) for model in models]
    return [
        name if names.count(name) == 1 else f"{name} ({model.name})"
        for name, model in zip(names, models, strict=True)
    ]


def model_title(title: str) -> str:
    """Return the title of a version of a model in the language of the window."""
    name, colon, description = title.partition(": ")
    translate = QCoreApplication.translate
    return translate("Titles", name) + colon + translate("Titles", description)


def layer_type(kind: str) -> str:
    """Return the type of a layer, one of Keras' class names, in the language of the window."""
    return QCoreApplication.translate("LayerTypes", _LAYER_TYPES.get(kind, kind))
