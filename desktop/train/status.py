"""Writes what happens in a training as texts for people."""

from PySide6.QtCore import QCoreApplication, QLocale

from service.inference.training_events import (
    Downloading,
    ModelExported,
    PicturesRead,
    TrainingFinished,
    TrainingStarted,
)

_MEGABYTE = 1_000_000


def started_text(event: TrainingStarted) -> str:
    """Return the size of the network and of its data."""
    text = QCoreApplication.translate("Training", "{0} parameters, {1} training examples")
    locale = QLocale()
    return text.format(locale.toString(event.parameters), locale.toString(event.splits.get("train", 0)))


def downloading_text(event: Downloading) -> str:
    """Return how much of a data set has arrived."""
    text = QCoreApplication.translate("Training", "Downloading the data set: {0} of {1} MB")
    size = "?" if event.total is None else str(event.total // _MEGABYTE)
    return text.format(event.received // _MEGABYTE, size)


def pictures_text(event: PicturesRead) -> str:
    """Return how many pictures a pretrained network has read."""
    text = QCoreApplication.translate(
        "Training", "{0} of {1} pictures have gone through the pretrained network"
    )
    return text.format(event.done, event.total)


def stopped_text(epochs: int) -> str:
    """Return how many epochs a stopped training has finished."""
    return QCoreApplication.translate("Training", "Stopped after {0} epochs").format(epochs)


def finished_text(event: TrainingFinished) -> str:
    """Return duration and accuracy of a complete run."""
    text = QCoreApplication.translate("Training", "{0} epochs in {1} s. Validation accuracy {2} %")
    locale = QLocale()
    percent = locale.toString(event.validation_accuracy * 100, "f", 1)
    return text.format(event.epochs, locale.toString(event.seconds, "f", 1), percent)


def exported_text(event: ModelExported) -> str:
    """Return name and accuracy of the model that was made of a run."""
    text = QCoreApplication.translate("Training", "{0} is a model now: {1} % of {2} test examples are right.")
    locale = QLocale()
    return text.format(
        event.model, locale.toString(event.accuracy * 100, "f", 1), locale.toString(event.count)
    )
