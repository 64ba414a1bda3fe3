"""Names and reads the environment variables of settings."""

import re
from typing import Any

import msgspec

from service.inference.errors import SettingsError

PREFIX = "LECTERN_"
# Kubernetes sets variables with such values in each pod, for a Service named lectern, lectern-grpc and so on.
SERVICE_URL = re.compile(r"(tcp|udp|sctp)://\S+")


def variable(name: str) -> str:
    """Return the environment variable of a setting, ``LECTERN_PORT`` for ``port``."""
    return f"{PREFIX}{name.upper()}"


def read_variable(name: str, text: str, kind: Any) -> Any:
    """Return the value of a setting.

    Args:
        name: Name of the setting.
        text: The value of its variable.
        kind: Its type, annotated with what :mod:`service.settings.kinds` describes.

    Raises:
        SettingsError: The value is invalid. Names the variable and what is expected, and the value unless it
            is a secret.
    """
    about = kind.__metadata__[0].extra
    try:
        return msgspec.convert(about["parse"](text), kind, strict=False)
    except (msgspec.ValidationError, ValueError, RuntimeError):
        if SERVICE_URL.fullmatch(text):
            raise SettingsError(
                f"{variable(name)} is {text!r}, which Kubernetes sets for a Service of that name; set "
                f"enableServiceLinks: false in the pod, and {variable(name)} in the container if it is needed"
            ) from None
        problem = "cannot be used" if about["secret"] else f"is {text!r}"
        raise SettingsError(f"{variable(name)} {problem}, expected {about['expected']}") from None
