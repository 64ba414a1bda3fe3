"""Loads Keras with a backend that the command can use."""

import logging
import os

from service.inference.errors import SettingsError

_BACKENDS = ("tensorflow", "jax", "torch")


def silence_libraries() -> None:
    """Switch off the messages of TensorFlow and tf2onnx; must run before TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def load_keras(*, converts: bool) -> None:
    """Import Keras, so that a backend that cannot be used is reported in one line.

    Args:
        converts: Whether the command converts a network to ONNX, which needs TensorFlow. ``KERAS_BACKEND`` is
            then ignored, since trained networks are the same files for all backends.

    Raises:
        SettingsError: Keras has no such backend, or the backend's package is not installed.
    """
    silence_libraries()
    chosen = os.environ.get("KERAS_BACKEND", "")
    if converts:
        os.environ["KERAS_BACKEND"] = "tensorflow"
    elif chosen and chosen not in _BACKENDS:
        raise SettingsError(
            f"KERAS_BACKEND is {chosen!r}; use {', '.join(_BACKENDS[:-1])} or {_BACKENDS[-1]}"
        )
    try:
        import keras  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in _BACKENDS or error.name == "tensorflow":
            raise
        raise SettingsError(
            f"KERAS_BACKEND is {error.name}, and the package {error.name} is not installed; install it, or "
            "unset KERAS_BACKEND to use TensorFlow"
        ) from error
    except ValueError as error:  # of ~/.keras/keras.json
        raise SettingsError(
            f"Keras cannot load its backend: {error}; set KERAS_BACKEND=tensorflow"
        ) from error
