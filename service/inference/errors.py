"""Defines the error classes of Lectern.

LecternError
├── InputError            an input is invalid
│   ├── InvalidInput      wrong type or value
│   ├── InvalidTensor     an array of the wrong shape, type or scale
│   ├── DamagedImage      the bytes are not a readable picture
│   ├── BlankImage        nothing is drawn on the picture
│   │   └── FaintInk      something is, but its contrast is too low
│   ├── NoWords           the text has no word that the network knows
│   └── InputTooLarge     too many pixels, characters or inputs
├── ModelNotFound         there is no such model or version
├── ModelError            the files of a model are invalid
│   ├── CardError         a field of card.json is missing or wrong
│   └── ChecksumMismatch  a file is not the one that its card describes
├── ProviderError         a requested hardware provider is not available
├── SettingsError         a LECTERN_* variable has an invalid value
├── OutputError           an output file cannot be written
└── MissingExtra          a command needs packages that are not installed

``training`` and ``service.client`` add their own branches. Each class has a ``code``, a stable ``snake_case``
word for programs; the message is for people.
"""

import reprlib

_brief = reprlib.Repr()
_brief.maxlevel, _brief.maxlist, _brief.maxdict = 2, 5, 2
_brief.maxstring = _brief.maxlong = _brief.maxother = 40


def shorten(value: object) -> str:
    """Return a short representation of an untrusted value for a message, however long or nested it is."""
    return _brief.repr(value)


def escape(text: str) -> str:
    """Write the characters that a terminal does not print as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class LecternError(Exception):
    """Base class of all errors; the message names the cause and the remedy."""

    code: str = "error"


class InputError(LecternError):
    """An input is invalid."""

    code = "invalid_input"


class InvalidInput(InputError):
    """An input has the wrong type or value."""


class InvalidTensor(InputError):
    """An array has a shape, type or scale that the model does not take."""

    code = "invalid_tensor"


class DamagedImage(InputError):
    """The bytes are not a readable picture."""

    code = "damaged_image"


class BlankImage(InputError):
    """Nothing is drawn on the picture."""

    code = "blank_image"


class FaintInk(BlankImage):
    """Something is drawn on the picture, but its contrast is too low."""

    code = "faint_ink"


class NoWords(InputError):
    """The text has no word that the network knows."""

    code = "no_words"


class InputTooLarge(InputError):
    """A picture has too many pixels, a text too many characters, or a request too many inputs."""

    code = "too_large"


class ModelNotFound(LecternError):
    """The catalogue has no such model or version."""

    code = "model_not_found"


class ModelError(LecternError):
    """The files of a model are invalid."""

    code = "model_error"


class CardError(ModelError):
    """A field of a model card is missing or has a wrong value."""

    code = "card_error"


class ChecksumMismatch(ModelError):
    """A file of a model is not the one that its card describes."""

    code = "checksum_mismatch"


class ProviderError(LecternError):
    """A requested hardware provider is not available."""

    code = "provider_unavailable"


class SettingsError(LecternError):
    """A ``LECTERN_*`` environment variable has an invalid value."""

    code = "settings_error"


class OutputError(LecternError):
    """An output file cannot be written."""

    code = "output_error"


class MissingExtra(LecternError):
    """A command needs packages that are not installed."""

    code = "missing_extra"
