"""Owns the ``LECTERN_*`` environment variables: read once, checked, frozen."""

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from service.inference.errors import SettingsError

_BUNDLED_MODELS = Path(__file__).resolve().parents[1] / "models"
_PREFIX = "LECTERN_"


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError
        return value

    parse.__doc__ = f"a whole number from {low} to {high}"
    return parse


def _seconds(text: str) -> float:
    """a number of seconds above 0, at most 3600"""
    value = float(text)
    if not 0 < value <= 3600:
        raise ValueError
    return value


def _words(text: str) -> tuple[str, ...]:
    """words separated by commas"""
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


def _providers(text: str) -> tuple[str, ...]:
    """auto, or an ordered list from cpu, cuda, tensorrt, such as cuda,cpu"""
    names = _words(text.lower())
    if names != ("auto",) and (not names or not set(names) <= {"cpu", "cuda", "tensorrt"}):
        raise ValueError
    return names


def _log_format(text: str) -> str:
    """text or json"""
    if text not in ("text", "json"):
        raise ValueError
    return text


def _address(text: str) -> str:
    """an IP address, such as 127.0.0.1 or 0.0.0.0"""
    return str(ipaddress.ip_address("127.0.0.1" if text == "localhost" else text))


def _folder(text: str) -> Path:
    """a folder"""
    return Path(text).expanduser().resolve()


def _spec(parse: Callable[[str], Any], summary: str) -> dict[str, Any]:
    return {"parse": parse, "summary": summary}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything about serving that an operator can choose; each field is a ``LECTERN_*`` variable."""

    models: Path = field(default=_BUNDLED_MODELS, metadata=_spec(_folder, "Folder of models to serve"))
    host: str = field(
        default="127.0.0.1", metadata=_spec(_address, "IP address to listen on; 0.0.0.0 for all")
    )
    port: int = field(default=3000, metadata=_spec(_whole(1, 65535), "Port to listen on"))
    workers: int = field(default=1, metadata=_spec(_whole(1, 64), "Server processes; each loads all models"))
    providers: tuple[str, ...] = field(
        default=("auto",),
        metadata=_spec(_providers, "Hardware: auto, or an ordered list of cpu, cuda, tensorrt"),
    )
    threads: int = field(default=1, metadata=_spec(_whole(1, 256), "Threads of ONNX Runtime within one call"))
    max_body_mb: int = field(
        default=16, metadata=_spec(_whole(1, 1024), "Largest request body in MB (10^6 bytes)")
    )
    max_pixels: int = field(
        default=40_000_000,
        metadata=_spec(_whole(784, 10**9), "Largest picture, width x height, that is decoded"),
    )
    max_batch: int = field(default=64, metadata=_spec(_whole(1, 4096), "Most inputs in one request"))
    max_queue: int = field(
        default=64, metadata=_spec(_whole(1, 100_000), "Most predictions that wait or run in one worker")
    )
    timeout_s: float = field(
        default=30.0, metadata=_spec(_seconds, "Longest time one request may take, in seconds")
    )
    api_keys: tuple[str, ...] = field(
        default=(), metadata=_spec(_words, "Keys, separated by commas; none means open to all")
    )
    cors_origins: tuple[str, ...] = field(
        default=(), metadata=_spec(_words, "Origins whose web pages may ask, separated by commas, or *")
    )
    log_format: str = field(
        default="text", metadata=_spec(_log_format, "One line a request, as text or json")
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings.

        Args:
            environment: Variables by name; the process's own if None.

        Returns:
            The settings, with defaults where a variable is not set or empty.

        Raises:
            SettingsError: A variable cannot be used. Names it, its value and what is expected.
        """
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for spec in fields(cls):
            text = environment.get(variable(spec.name), "")
            if not text:
                continue
            try:
                values[spec.name] = spec.metadata["parse"](text)
            except ValueError:
                raise SettingsError(
                    f"{variable(spec.name)} is {text!r}, expected {spec.metadata['parse'].__doc__}"
                ) from None
        return cls(**values)


def variable(name: str) -> str:
    """Return the environment variable of a setting, ``LECTERN_PORT`` for ``port``."""
    return _PREFIX + name.upper()


def table() -> list[tuple[str, str, str]]:
    """Return (variable, default, summary) of every setting, for help texts and the README."""
    rows = []
    for spec in fields(Settings):
        default = spec.default
        text = ",".join(default) if isinstance(default, tuple) else str(default)
        rows.append(
            (variable(spec.name), "models" if spec.name == "models" else text, spec.metadata["summary"])
        )
    return rows
