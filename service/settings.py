"""Reads the server's settings from the ``LECTERN_*`` environment variables."""

import ipaddress
import os
import socket
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from service.inference.catalog import BUNDLED
from service.inference.errors import SettingsError
from service.inference.precision import PrecisionChoice
from service.inference.preprocessing import DEFAULT_MAX_PIXELS
from service.resources import Resources, available

_AUTO = 0  # Stands for an automatic number.


def _folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _address(text: str) -> str:
    return str(ipaddress.ip_address("127.0.0.1" if text == "localhost" else text))


def _words(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]


def _providers(text: str) -> list[str]:
    names = _words(text.lower())
    if "auto" in names and names != ["auto"]:
        raise ValueError("auto stands alone")
    return names


def _networks(text: str) -> list[str]:
    return [str(ipaddress.ip_network(word, strict=False)) for word in _words(text)]


def _workers(text: str) -> str:
    if text == str(_AUTO):
        raise ValueError
    return str(_AUTO) if text.lower() == "auto" else text


def _setting(
    summary: str,
    expected: str = "",
    *,
    parse: Callable[[str], object] = str,
    secret: bool = False,
    **limits: Any,
) -> Meta:
    """Describe a setting: a summary for documents, what errors call a valid value, and msgspec's limits."""
    expected = expected or f"a whole number from {limits['ge']} to {limits['le']}"
    about = {"expected": expected, "parse": parse, "secret": secret}
    return Meta(description=summary, extra=about, **limits)


Provider = Literal["auto", "cpu", "cuda", "tensorrt"]
ApiKey = Annotated[str, Meta(pattern=r"^[!-~]+$")]
Origin = Annotated[str, Meta(pattern=r"^(\*|https?://[^/\s]+)$")]


class Settings(Struct, frozen=True, kw_only=True):
    """Settings of the server; each field is a ``LECTERN_*`` environment variable."""

    models: Annotated[Path, _setting("Folder of models to serve", "a folder", parse=_folder)] = BUNDLED
    host: Annotated[
        str, _setting("IP address to listen on; 0.0.0.0 for all", "an IP address", parse=_address)
    ] = "127.0.0.1"
    port: Annotated[int, _setting("Port to listen on", ge=1, le=65535)] = 3000
    grpc_port: Annotated[
        int, _setting("Port of the Open Inference Protocol over gRPC; 0: not served", ge=0, le=65535)
    ] = 0
    workers: Annotated[
        int,
        _setting(
            "Server processes, each of which loads all models; auto: one for each core, as far as the memory "
            "lasts",
            "a whole number from 1 to 64, or auto",
            parse=_workers,
            ge=_AUTO,
            le=64,
        ),
    ] = 1
    cpus: Annotated[
        int,
        _setting(
            "Most processor cores to use; 0: all that the container or the machine has", ge=_AUTO, le=4096
        ),
    ] = _AUTO
    memory_mb: Annotated[
        int,
        _setting(
            "Most memory to use, in MB (10^6 bytes); 0: all that the container or the machine has. It bounds "
            "the bodies and pictures of all requests",
            ge=_AUTO,
            le=10_000_000,
        ),
    ] = _AUTO
    providers: Annotated[
        tuple[Provider, ...],
        _setting(
            "Hardware: auto, or an ordered list of cpu, cuda, tensorrt",
            "auto, or an ordered list from cpu, cuda, tensorrt, such as cuda,cpu",
            parse=_providers,
            min_length=1,
        ),
    ] = ("auto",)
    precision: Annotated[
        PrecisionChoice,
        _setting(
            "Networks with an 8-bit form: float32, int8, or auto for the faster one on this machine; "
            "others, and all on GPUs, run in float32",
            "auto, float32 or int8",
            parse=str.lower,
        ),
    ] = "auto"
    threads: Annotated[int, _setting("Threads of ONNX Runtime within one call", ge=1, le=256)] = 1
    max_body_mb: Annotated[int, _setting("Largest request body in MB (10^6 bytes)", ge=1, le=1024)] = 16
    max_pixels: Annotated[
        int, _setting("Largest picture, width x height, that is decoded", ge=784, le=10**9)
    ] = DEFAULT_MAX_PIXELS
    max_batch: Annotated[int, _setting("Most inputs in one request", ge=1, le=4096)] = 64
    max_queue: Annotated[
        int, _setting("Most predictions that wait or run in one worker", ge=1, le=100_000)
    ] = 64
    max_wait_s: Annotated[
        float,
        _setting(
            "Longest time that a request may have to wait for a thread, in seconds; others get 429",
            "a number above 0, at most 3600",
            gt=0,
            le=3600,
        ),
    ] = 0.2
    max_explanations: Annotated[
        int, _setting("Most explanations that wait or run in one worker", ge=1, le=1000)
    ] = 4
    timeout_s: Annotated[
        float,
        _setting(
            "Longest time one request may take, in seconds", "a number above 0, at most 3600", gt=0, le=3600
        ),
    ] = 30.0
    api_keys: Annotated[
        tuple[ApiKey, ...],
        _setting(
            "Keys, separated by commas; none means open to all",
            "one or more keys of ASCII characters, separated by commas",
            parse=_words,
            secret=True,
            min_length=1,  # A list without a key is a mistake that would give everybody access.
        ),
    ] = ()
    cors_origins: Annotated[
        tuple[Origin, ...],
        _setting(
            "Origins whose web pages may send requests, separated by commas, or *",
            "origins such as https://example.org, separated by commas, or *",
            parse=_words,
            min_length=1,
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        _setting(
            "Reverse proxies whose X-Forwarded-For header is used: IP addresses or networks, "
            "separated by commas; none by default",
            "IP addresses or CIDR networks, such as 10.0.0.0/8, separated by commas",
            parse=_networks,
            min_length=1,
        ),
    ] = ()
    log_format: Annotated[
        Literal["text", "json"], _setting("One line a request, as text or json", "text or json")
    ] = "text"

    @property
    def resources(self) -> Resources:
        """The processor cores and the memory that the server may use, all workers together."""
        return available().limited(cpus=self.cpus, memory=self.memory_mb * 1_000_000)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings.

        Args:
            environment: Variables by name; the process's own if None.

        Returns:
            The settings, with defaults where a variable is not set or empty.

        Raises:
            SettingsError: A variable has an invalid value. Names the variable and what is expected, and the
                value unless it is a secret.
        """
        environment = os.environ if environment is None else environment
        values = {
            name: _read(name, text, kind)
            for name, kind in _annotations().items()
            if (text := environment.get(variable(name)))
        }
        settings = cls(**values)
        if settings.workers == _AUTO:
            settings = msgspec.structs.replace(settings, workers=settings.resources.workers)
        settings._check_grpc_port()
        return settings

    def _check_grpc_port(self) -> None:
        if self.grpc_port == self.port:
            raise SettingsError(
                f"{variable('grpc_port')} and {variable('port')} are both {self.port}; choose another for one"
            )
        if self.grpc_port and self.workers > 1 and not hasattr(socket, "SO_REUSEPORT"):
            raise SettingsError(
                f"{variable('grpc_port')} needs one worker on this system, where processes cannot share a "
                f"port; set {variable('workers')}, which is {self.workers}, to 1, or no port for gRPC"
            )


def variable(name: str) -> str:
    """Return the environment variable of a setting, ``LECTERN_PORT`` for ``port``."""
    return f"LECTERN_{name.upper()}"


def table() -> list[tuple[str, str, str]]:
    """Return (variable, default, summary) of every setting, for help texts and the README."""
    defaults = Settings(models=Path("models"))
    rows = []
    for name, kind in _annotations().items():
        default = getattr(defaults, name)
        text = ",".join(default) if isinstance(default, tuple) else str(default)
        rows.append((variable(name), text, kind.__metadata__[0].description))
    return rows


def _annotations() -> dict[str, Any]:
    return typing.get_type_hints(Settings, include_extras=True)


def _read(name: str, text: str, kind: Any) -> Any:
    about = kind.__metadata__[0].extra
    try:
        return msgspec.convert(about["parse"](text), kind, strict=False)
    except (msgspec.ValidationError, ValueError, RuntimeError):
        problem = "cannot be used" if about["secret"] else f"is {text!r}"
        raise SettingsError(f"{variable(name)} {problem}, expected {about['expected']}") from None
