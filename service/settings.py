"""Owns the ``LECTERN_*`` environment variables: read once, checked, frozen."""

import ipaddress
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from service.inference.errors import SettingsError
from service.inference.precision import PRECISIONS, PrecisionChoice

_BUNDLED_MODELS = Path(__file__).resolve().parents[1] / "models"
_PREFIX = "LECTERN_"


@dataclass(frozen=True)
class _Kind:
    """How the text of a variable is read.

    Attributes:
        parse: Converts the text into the value; raises ValueError or RuntimeError where that cannot be.
        expected: What to say then.
        secret: Whether the text must not be shown.
    """

    parse: Callable[[str], Any]
    expected: str
    secret: bool = False


def _whole(low: int, high: int) -> _Kind:
    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError
        return value

    return _Kind(parse, f"a whole number from {low} to {high}")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 3600:
        raise ValueError
    return value


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


def _providers(text: str) -> tuple[str, ...]:
    names = _words(text.lower())
    if names != ("auto",) and (not names or not set(names) <= {"cpu", "cuda", "tensorrt"}):
        raise ValueError
    return names


def _keys(text: str) -> tuple[str, ...]:
    keys = _words(text)
    # A list without a key in it is a slip that would open the server to all.
    if not keys or not all(key.isascii() and key.isprintable() and " " not in key for key in keys):
        raise ValueError
    return keys


def _origins(text: str) -> tuple[str, ...]:
    origins = _words(text)
    if not origins or not all(origin == "*" or _ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError
    return origins


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(network, strict=False)) for network in _words(text))


def _log_format(text: str) -> str:
    if text not in ("text", "json"):
        raise ValueError
    return text


def _precision(text: str) -> PrecisionChoice:
    for choice in PRECISIONS:
        if text.lower() == choice:
            return choice
    raise ValueError


def _address(text: str) -> str:
    return str(ipaddress.ip_address("127.0.0.1" if text == "localhost" else text))


def _folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


_ORIGIN = re.compile(r"https?://[^/\s]+")
_FOLDER = _Kind(_folder, "a folder")
_ADDRESS = _Kind(_address, "an IP address, such as 127.0.0.1 or 0.0.0.0")
_SECONDS = _Kind(_seconds, "a number of seconds above 0, at most 3600")
_PROVIDERS = _Kind(_providers, "auto, or an ordered list from cpu, cuda, tensorrt, such as cuda,cpu")
_PRECISION = _Kind(_precision, "auto, float32 or int8")
_KEYS = _Kind(_keys, "one or more keys of ASCII characters, separated by commas", secret=True)
_ORIGINS = _Kind(_origins, "origins such as https://example.org, separated by commas, or *")
_NETWORKS = _Kind(_networks, "IP addresses or networks such as 10.0.0.0/8, separated by commas")
_LOG_FORMAT = _Kind(_log_format, "text or json")


def _spec(kind: _Kind, summary: str) -> dict[str, Any]:
    return {"kind": kind, "summary": summary}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything about serving that an operator can choose; each field is a ``LECTERN_*`` variable."""

    models: Path = field(default=_BUNDLED_MODELS, metadata=_spec(_FOLDER, "Folder of models to serve"))
    host: str = field(
        default="127.0.0.1", metadata=_spec(_ADDRESS, "IP address to listen on; 0.0.0.0 for all")
    )
    port: int = field(default=3000, metadata=_spec(_whole(1, 65535), "Port to listen on"))
    grpc_port: int = field(
        default=0,
        metadata=_spec(_whole(0, 65535), "Port of the Open Inference Protocol over gRPC; 0: not served"),
    )
    workers: int = field(default=1, metadata=_spec(_whole(1, 64), "Server processes; each loads all models"))
    providers: tuple[str, ...] = field(
        default=("auto",),
        metadata=_spec(_PROVIDERS, "Hardware: auto, or an ordered list of cpu, cuda, tensorrt"),
    )
    precision: PrecisionChoice = field(
        default="auto",
        metadata=_spec(
            _PRECISION,
            "Networks with an 8-bit form: float32, int8, or auto for the faster one on this machine; "
            "others, and all on GPUs, run in float32",
        ),
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
        default=30.0, metadata=_spec(_SECONDS, "Longest time one request may take, in seconds")
    )
    api_keys: tuple[str, ...] = field(
        default=(), metadata=_spec(_KEYS, "Keys, separated by commas; none means open to all")
    )
    cors_origins: tuple[str, ...] = field(
        default=(), metadata=_spec(_ORIGINS, "Origins whose web pages may ask, separated by commas, or *")
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=_spec(
            _NETWORKS,
            "Addresses or networks of proxies whose X-Forwarded-For names the client, separated by commas",
        ),
    )
    log_format: str = field(
        default="text", metadata=_spec(_LOG_FORMAT, "One line a request, as text or json")
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
            kind: _Kind = spec.metadata["kind"]
            try:
                values[spec.name] = kind.parse(text)
            except (ValueError, RuntimeError):
                shown = "cannot be used" if kind.secret else f"is {text!r}"
                raise SettingsError(f"{variable(spec.name)} {shown}, expected {kind.expected}") from None
        settings = cls(**values)
        settings._check_grpc_port()
        return settings

    def _check_grpc_port(self) -> None:
        if self.grpc_port == self.port:
            raise SettingsError(
                f"{variable('grpc_port')} and {variable('port')} are both {self.port}; choose another for one"
            )
        if self.grpc_port and self.workers > 1 and not hasattr(socket, "SO_REUSEPORT"):
            raise SettingsError(
                f"{variable('grpc_port')} needs one worker on this system, where processes share no port; "
                f"set {variable('workers')}, which is {self.workers}, to 1, or no port for gRPC"
            )


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
