"""Describes the kinds of settings: how a text becomes a value, and what an error calls a valid one."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Meta

from service.whole_number import is_whole_number

AUTO = 0  # stands for an automatic number


def setting(
    summary: str, expected: str, *, parse: Callable[[str], object] = str, secret: bool = False, **limits: Any
) -> Meta:
    """Describe a setting.

    Args:
        summary: For help texts and the README.
        expected: What errors call a valid value.
        parse: Returns the value of a text, for msgspec to convert; raises ValueError.
        secret: Whether errors must not show the value.
        limits: Limits of the value, as msgspec takes them.
    """
    about = {"expected": expected, "parse": parse, "secret": secret}
    return Meta(description=summary, extra=about, **limits)


def whole(summary: str, lowest: int, highest: int) -> Meta:
    """Describe a whole number."""
    expected = f"a whole number from {lowest} to {highest}"
    return setting(summary, expected, parse=_digits, ge=lowest, le=highest)


def seconds(summary: str) -> Meta:
    """Describe a time."""
    return setting(summary, "a number above 0, at most 3600", gt=0, le=3600)


def switch(summary: str) -> Meta:
    """Describe what is on or off."""
    return setting(summary, "0 or 1")


def folder(summary: str) -> Meta:
    """Describe a folder."""
    return setting(summary, "a folder", parse=_path)


def file(summary: str) -> Meta:
    """Describe a file.

    Its path is not resolved: Kubernetes replaces the files of a Secret by pointing a symbolic link at another
    folder.
    """
    return setting(summary, "a file", parse=lambda text: Path(text).expanduser().absolute())


def words(
    summary: str, expected: str, *, parse: Callable[[str], object] | None = None, secret: bool = False
) -> Meta:
    """Describe a list, whose items are separated by commas."""
    # A list of API keys without a key is a mistake that would give everybody access.
    return setting(summary, expected, parse=parse or _words, secret=secret, min_length=1)


def parse_models(text: str) -> str:
    """Return an address as it is, and the whole path of a folder.

    The path is not resolved: a symbolic link may point at another folder when the models are read again.
    """
    return text if "://" in text else str(Path(text).expanduser().absolute())


def parse_address(text: str) -> str:
    """Return an IP address, also for ``localhost``."""
    return str(ipaddress.ip_address("127.0.0.1" if text == "localhost" else text))


def parse_networks(text: str) -> list[str]:
    """Return IP networks; an address is a network of one."""
    return [str(ipaddress.ip_network(word, strict=False)) for word in _words(text)]


def parse_providers(text: str) -> list[str]:
    """Return the names of hardware; ``auto`` stands alone."""
    names = _words(text.lower())
    if "auto" in names and names != ["auto"]:
        raise ValueError("auto stands alone")
    return names


def parse_workers(text: str) -> str:
    """Return a number of workers; that of ``auto`` is not a number that anybody can set."""
    if text == str(AUTO):
        raise ValueError
    return str(AUTO) if text.lower() == "auto" else _digits(text)


def _digits(text: str) -> str:
    """Return a whole number as it is; msgspec would also read ``3e3`` and ``3.0``."""
    if not is_whole_number(text):
        raise ValueError("not a whole number")
    return text


def _path(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _words(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]
