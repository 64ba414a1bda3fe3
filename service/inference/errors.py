"""Owns the one tree of errors that every Lectern package raises.

LecternError
├── InputError            the caller's input cannot be used
│   ├── InvalidInput      wrong type, shape or value
│   ├── DamagedImage      bytes that are no readable picture
│   ├── BlankImage        a picture with nothing drawn on it
│   ├── NoWords           a text without a word that the network knows
│   └── InputTooLarge     too many pixels or characters, or too many inputs at once
├── ModelNotFound         no such model or version
├── ModelError            an artefact on disk cannot be used
│   ├── CardError         a field of card.json is missing or wrong
│   └── ChecksumMismatch  model.onnx is not the file that its card describes
├── ProviderError         a hardware provider that was asked for cannot be had
├── SettingsError         a LECTERN_* variable has a value that makes no sense
├── OutputError           a file that a command should write cannot be written
└── MissingExtra          a command needs packages that are not installed

``training`` and ``service.client`` add their own branches. Every class has a ``code``: the stable
``snake_case`` word that programs compare, while the message is for people.
"""


class LecternError(Exception):
    """Anything Lectern refuses or fails to do; its text says what, why and the way out."""

    code: str = "error"


class InputError(LecternError):
    """The caller's input cannot be used as it is."""

    code = "invalid_input"


class InvalidInput(InputError):
    """An input of the wrong type, shape or value."""


class DamagedImage(InputError):
    """Bytes that cannot be read as a picture."""

    code = "damaged_image"


class BlankImage(InputError):
    """A picture with nothing drawn on it; there is nothing to classify."""

    code = "blank_image"


class NoWords(InputError):
    """A text without a single word that the network knows."""

    code = "no_words"


class InputTooLarge(InputError):
    """More pixels in a picture, characters in a text, or inputs at once than the limit allows."""

    code = "too_large"


class ModelNotFound(LecternError):
    """The catalogue holds no model, or no version, of that name."""

    code = "model_not_found"


class ModelError(LecternError):
    """A model's files on disk cannot be used."""

    code = "model_error"


class CardError(ModelError):
    """A field of a model card is missing or has a wrong value."""

    code = "card_error"


class ChecksumMismatch(ModelError):
    """``model.onnx`` is not the file that its card describes."""

    code = "checksum_mismatch"


class ProviderError(LecternError):
    """A hardware provider that was asked for by name is not to be had."""

    code = "provider_unavailable"


class SettingsError(LecternError):
    """A ``LECTERN_*`` environment variable has a value that cannot be used."""

    code = "settings_error"


class OutputError(LecternError):
    """A file that a command should write cannot be written."""

    code = "output_error"


class MissingExtra(LecternError):
    """A command needs packages that are not installed."""

    code = "missing_extra"
