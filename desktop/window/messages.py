"""Writes the texts that users see: errors, probabilities, durations and announcements."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QLocale
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from desktop.prediction.backends import Location, PredictionResult
from service.client import ConnectionFailed, RequestRefused, UnexpectedAnswer
from service.inference import LecternError
from service.inference.files import printable
from service.inference.prediction import Reason

# More names of files would fill the window.
_MAX_NAMES = 3


def error_message(error: LecternError) -> str:
    """Return the cause of an error and the way out, in the language of the window."""
    translate = QCoreApplication.translate
    messages = {
        "blank_image": translate(
            "Messages", "Nothing stands out on this picture. Choose one with visible content."
        ),
        "faint_ink": translate("Messages", "This is too faint. Use a darker pen or more light."),
        "damaged_image": translate(
            "Messages",
            "This file is damaged or not a picture. Use PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC.",
        ),
        "no_words": translate("Messages", "The network knows none of these words. Write in English."),
        "too_large": translate("Messages", "This is too large. Use a smaller picture or a shorter text."),
        "model_not_found": translate("Messages", "This model no longer exists. Choose another one."),
    }
    return messages.get(error.code, str(error))


def reason_message(reason: Reason) -> str:
    """Return why a prediction is unsure and the way out, in the language of the window; may be empty."""
    translate = QCoreApplication.translate
    messages: dict[str, str] = {
        "stroke_too_thick": translate(
            "Messages",
            "The lines are too thick for the size of this digit. Write it larger, or with a thinner pen.",
        ),
        "several_digits": translate(
            "Messages", "This picture shows several marks that are no number. Cut one digit out of it."
        ),
    }
    return messages.get(reason, "")


def left_out_message(names: Sequence[str]) -> str:
    """Return which files were left out because they are no pictures, in the language of the window."""
    translate = QCoreApplication.translate
    shown = ", ".join(printable(name) for name in names[:_MAX_NAMES])
    if len(names) > _MAX_NAMES:
        shown = translate("Messages", "{0} and {1} more").format(shown, len(names) - _MAX_NAMES)
    return translate("Messages", "Left out, because only pictures can be loaded: {0}").format(shown)


def connection_message(error: LecternError, server: str) -> str:
    """Return why a server, given by its URL, is not used, as sentences in the language of the window."""
    translate = QCoreApplication.translate
    name = server.partition("://")[2].rstrip("/") or server
    if isinstance(error, RequestRefused) and error.status == 401:
        text = translate("Messages", "{server} requires a valid API key. Set it in Preferences.")
        return text.format(server=name)
    if isinstance(error, RequestRefused):
        text = translate("Messages", "{server} returned an error: {cause}.")
        return text.format(server=name, cause=str(error).rstrip("."))
    if isinstance(error, UnexpectedAnswer):
        text = translate("Messages", "The response of {server} is invalid. Is it a Lectern server?")
        return text.format(server=name)
    if isinstance(error, ConnectionFailed):
        return translate("Messages", "{server} does not respond.").format(server=name)
    return str(error).rstrip(".") + "."


def format_percent(score: float) -> str:
    """Return a probability in percent; only exactly 0 and 1 are shown as 0 % and 100 %."""
    rounded = round(score * 100, 1)
    if rounded == 0.0 and score > 0:
        return f"< {QLocale().toString(0.1, 'f', 1)} %"
    if rounded == 100.0 and score < 1:
        return f"> {QLocale().toString(99.9, 'f', 1)} %"
    return f"{QLocale().toString(float(rounded), 'f', 1)} %"


def timing_text(result: PredictionResult) -> str:
    """Return where a prediction was computed and how long it took."""
    names = {
        Location.SERVER: QCoreApplication.translate("Messages", "Server"),
        Location.LOCAL: QCoreApplication.translate("Messages", "This computer"),
    }
    return f"{names[result.location]} {milliseconds_text(result)}"


def milliseconds_text(result: PredictionResult) -> str:
    """Return how long a prediction took."""
    return f"{QLocale().toString(result.milliseconds, 'f', 1)} ms"


def keep_sizes_whole(text: str) -> str:
    """Return a text of which no line ends within a size such as 28 × 28."""
    return text.replace(" × ", "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}")


def announce(widget: QWidget, text: str) -> None:
    """Let a screen reader, if there is one, speak a text about a widget."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))
