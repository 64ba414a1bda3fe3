"""Owns the sentences that people read in place of a LecternError."""

from PySide6.QtCore import QCoreApplication, QLocale

from desktop.prediction.backends import Place, PredictionResult
from service.client import ConnectionFailed, RequestRefused, UnexpectedAnswer
from service.inference import LecternError

NOTHING_THERE = ("blank_image", "no_words")


def sentence(error: LecternError) -> str:
    """Say what went wrong and what to do about it, in the language of the window."""
    translate = QCoreApplication.translate
    known = {
        "blank_image": translate("Sentences", "There is nothing to be seen on this picture."),
        "damaged_image": translate(
            "Sentences",
            "This file is damaged, or is no picture. PNG, JPEG, WebP, GIF, BMP and TIFF can be read.",
        ),
        "no_words": translate("Sentences", "The network knows none of these words. It reads English."),
        "too_large": translate("Sentences", "This picture has too many pixels. Make it smaller first."),
        "model_not_found": translate("Sentences", "This model is not there any more. Choose another one."),
    }
    return known.get(error.code, str(error))


def absence(error: LecternError) -> str:
    """Say why the server does not answer, in the language of the window."""
    translate = QCoreApplication.translate
    if isinstance(error, RequestRefused) and error.status == 401:
        return translate("Sentences", "The server wants a valid API key. Set one in Preferences.")
    if isinstance(error, RequestRefused):
        return translate("Sentences", "The server refuses to answer: {cause}").format(cause=error)
    if isinstance(error, UnexpectedAnswer):
        return translate("Sentences", "The server's answer makes no sense. Is it a Lectern server?")
    if isinstance(error, ConnectionFailed):
        return translate("Sentences", "The server does not answer.")
    return str(error)


def percent(score: float) -> str:
    """Return a probability as people read it, never rounded to certainty or to nothing."""
    rounded = round(score * 100, 1)
    if rounded == 0.0 and score > 0:
        return f"< {QLocale().toString(0.1, 'f', 1)} %"
    if rounded == 100.0 and score < 1:
        return f"> {QLocale().toString(99.9, 'f', 1)} %"
    return f"{QLocale().toString(float(rounded), 'f', 1)} %"


def whereabouts(reading: PredictionResult) -> str:
    """Say where a reading was computed and how long that took."""
    names = {
        Place.SERVER: QCoreApplication.translate("Sentences", "Server"),
        Place.HERE: QCoreApplication.translate("Sentences", "This computer"),
    }
    return f"{names[reading.place]} {QLocale().toString(reading.milliseconds, 'f', 1)} ms"
