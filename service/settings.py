"""Reads the server's settings from the ``LECTERN_*`` environment variables."""

import difflib
import ipaddress
import os
import re
import socket
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from service.inference.defaults import DEFAULT_MAX_PIXELS, DEFAULT_MODELS, PrecisionChoice
from service.inference.errors import SettingsError
from service.key_file import read_key_file
from service.resources import Resources, available

METRICS_OPEN = "open"  # the metrics key that lets everybody read the metrics

_AUTO = 0  # Stands for an automatic number.
_PREFIX = "LECTERN_"
# Variables of the client and of training, which are no settings of the server.
_OTHER_VARIABLES = ("LECTERN_API_KEY", "LECTERN_DATA")
# Kubernetes sets such variables in each pod for a Service named lectern, lectern-grpc and so on.
_SERVICE_LINK = re.compile(
    r"LECTERN_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_SERVICE_URL = re.compile(r"(tcp|udp|sctp)://\S+")


def _path(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _file(text: str) -> Path:
    # Not resolved: Kubernetes replaces the files of a Secret by pointing a symbolic link at another folder.
    return Path(text).expanduser().absolute()


def _models(text: str) -> str:
    return text if "://" in text else str(_path(text))


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
    summary: str, expected: str, *, parse: Callable[[str], object] = str, secret: bool = False, **limits: Any
) -> Meta:
    """Describe a setting: a summary for documents, what errors call a valid value, and msgspec's limits."""
    about = {"expected": expected, "parse": parse, "secret": secret}
    return Meta(description=summary, extra=about, **limits)


def _whole(summary: str, lowest: int, highest: int) -> Meta:
    return _setting(summary, f"a whole number from {lowest} to {highest}", ge=lowest, le=highest)


def _seconds(summary: str) -> Meta:
    return _setting(summary, "a number above 0, at most 3600", gt=0, le=3600)


def _list(
    summary: str, expected: str, *, parse: Callable[[str], object] = _words, secret: bool = False
) -> Meta:
    # A list of API keys without a key is a mistake that would give everybody access.
    return _setting(summary, expected, parse=parse, secret=secret, min_length=1)


_MODEL_CACHE = Path("~/.cache/lectern/models")  # its user replaces ~ by the home folder

Provider = Literal["auto", "cpu", "cuda", "tensorrt"]
RecordedInputs = Literal["none", "texts", "all"]
ApiKey = Annotated[str, Meta(pattern=r"^[!-~]+$")]
Origin = Annotated[str, Meta(pattern=r"^(\*|https?://[^/\s]+)$")]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]


class Settings(Struct, frozen=True, kw_only=True):
    """Settings of the server; each field is a ``LECTERN_*`` environment variable."""

    models: Annotated[
        str,
        _setting(
            "Folder of models to serve, or an address such as s3://bucket/models",
            "a folder or an address",
            parse=_models,
        ),
    ] = str(DEFAULT_MODELS)
    model_cache: Annotated[
        Path, _setting("Folder for models that are downloaded from an address", "a folder", parse=_path)
    ] = _MODEL_CACHE
    host: Annotated[
        str, _setting("IP address to listen on; 0.0.0.0 for all", "an IP address", parse=_address)
    ] = "127.0.0.1"
    port: Annotated[int, _whole("Port to listen on", 1, 65535)] = 3000
    grpc_port: Annotated[
        int, _whole("Port of the Open Inference Protocol over gRPC; 0: not served", 0, 65535)
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
        _whole("Most processor cores to use; 0: all that the container or the machine has", _AUTO, 4096),
    ] = _AUTO
    memory_mb: Annotated[
        int,
        _whole(
            "Most memory to use, in MB (10^6 bytes); 0: all that the container or the machine has. It bounds "
            "the bodies and pictures of all requests",
            _AUTO,
            10_000_000,
        ),
    ] = _AUTO
    model_control: Annotated[
        bool,
        _setting(
            "1: clients can load and unload models at run time, with an API key if there are some; "
            "0: they cannot",
            "0 or 1",
        ),
    ] = False
    providers: Annotated[
        tuple[Provider, ...],
        _list(
            "Hardware: auto, or an ordered list of cpu, cuda, tensorrt",
            "auto, or an ordered list from cpu, cuda, tensorrt, such as cuda,cpu",
            parse=_providers,
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
    threads: Annotated[int, _whole("Threads of ONNX Runtime within one call", 1, 256)] = 1
    max_body_mb: Annotated[int, _whole("Largest request body in MB (10^6 bytes)", 1, 1024)] = 16
    max_pixels: Annotated[int, _whole("Largest picture, width x height, that is decoded", 784, 10**9)] = (
        DEFAULT_MAX_PIXELS
    )
    max_batch: Annotated[int, _whole("Most inputs in one request", 1, 4096)] = 64
    max_queue: Annotated[int, _whole("Most predictions that wait or run in one worker", 1, 100_000)] = 64
    max_wait_s: Annotated[
        float,
        _seconds("Longest time that a request may have to wait for a thread, in seconds; others get 429"),
    ] = 1.0
    max_explanations: Annotated[int, _whole("Most explanations that wait or run in one worker", 1, 1000)] = 4
    timeout_s: Annotated[
        float, _seconds("Longest time that a request may take when its body has arrived, in seconds")
    ] = 30.0
    keep_alive_s: Annotated[
        float,
        _seconds(
            "Time that an HTTP connection stays open without a request, in seconds; longer than the proxy's"
        ),
    ] = 75.0
    drain_s: Annotated[
        float,
        _setting(
            "Time after SIGTERM in which the server answers as before while /readyz says no, in seconds",
            "a number from 0 to 3600",
            ge=0,
            le=3600,
        ),
    ] = 5.0
    max_connections: Annotated[
        int,
        _whole(
            "Most open HTTP connections of one worker; 0: as many as it can have files open, at most 10000",
            0,
            1_000_000,
        ),
    ] = 0
    tls_cert: Annotated[
        Path | None,
        _setting(
            "File with the TLS certificate (PEM) of HTTP and gRPC; it is read again when it changes",
            "a file",
            parse=_file,
        ),
    ] = None
    tls_key: Annotated[
        Path | None, _setting("File with the private key (PEM) of that certificate", "a file", parse=_file)
    ] = None
    api_keys: Annotated[
        tuple[ApiKey, ...],
        _list(
            "Keys, separated by commas; none means open to all",
            "one or more keys of ASCII characters, separated by commas",
            secret=True,
        ),
    ] = ()
    api_keys_file: Annotated[
        Path | None,
        _setting(
            "File of further keys with names for the log, one 'name: key' a line; read again when it changes",
            "a file",
            parse=_file,
        ),
    ] = None
    metrics_key: Annotated[
        str,
        _setting(
            "Key that /metrics needs; open: none. By default it needs an API key, if there are any",
            "one key of ASCII characters without spaces, or open",
            secret=True,
            pattern=r"^[!-~]*$",
        ),
    ] = ""
    rate_limit: Annotated[
        float,
        _setting(
            "Requests a second of one API key in one worker; 0: no limit",
            "a number from 0 to 1000000",
            ge=0,
            le=10**6,
        ),
    ] = 0.0
    rate_burst: Annotated[
        int, _whole("Requests of one API key that may come at once, with a rate limit", 1, 10**6)
    ] = 10
    cors_origins: Annotated[
        tuple[Origin, ...],
        _list(
            "Origins whose web pages may send requests, separated by commas, or *",
            "origins such as https://example.org, separated by commas, or *",
        ),
    ] = ()
    cors_headers: Annotated[
        tuple[HeaderName, ...],
        _list(
            "Further request headers that web pages of these origins may send, separated by commas",
            "names of headers such as X-Tenant, separated by commas",
        ),
    ] = ()
    playground: Annotated[
        bool,
        _setting(
            "Start page; 1: the playground, with the API page at /docs; 0: the API page",
            "0 or 1",
        ),
    ] = True
    trusted_proxies: Annotated[
        tuple[str, ...],
        _list(
            "Reverse proxies whose X-Forwarded-For header is used: IP addresses or networks, "
            "separated by commas; none by default",
            "IP addresses or CIDR networks, such as 10.0.0.0/8, separated by commas",
            parse=_networks,
        ),
    ] = ()
    log_format: Annotated[
        Literal["text", "json"], _setting("Form of the lines of the log: text or json", "text or json")
    ] = "text"
    record: Annotated[
        Path | None,
        _setting("Folder for a record of requests and predictions; none by default", "a folder", parse=_path),
    ] = None
    record_inputs: Annotated[
        RecordedInputs,
        _setting(
            "Inputs in the record: none, texts, or all (texts, and pictures as the network reads them)",
            "none, texts or all",
            parse=str.lower,
        ),
    ] = "none"
    record_share: Annotated[
        float,
        _setting("Share of the requests that are recorded", "a number above 0, at most 1", gt=0, le=1),
    ] = 1.0
    record_mb: Annotated[
        int,
        _whole(
            "Most disk space of the record in MB (10^6 bytes); beyond it, its oldest files are deleted",
            16,
            10_000_000,
        ),
    ] = 1000

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
        settings._check_keys()
        settings._check_model_control()
        settings._check_record()
        settings._check_tls()
        return settings

    @property
    def needs_key(self) -> bool:
        """Whether clients need an API key."""
        return bool(self.api_keys) or self.api_keys_file is not None

    @property
    def has_metrics_key(self) -> bool:
        """Whether ``/metrics`` has a key of its own."""
        return self.metrics_key not in ("", METRICS_OPEN)

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

    def _check_keys(self) -> None:
        if self.rate_limit and not self.needs_key:
            raise SettingsError(
                f"{variable('rate_limit')} limits each API key, and there are none; "
                f"set {variable('api_keys')} or {variable('api_keys_file')} too"
            )
        if self.api_keys_file is not None:
            try:
                read_key_file(self.api_keys_file)
            except SettingsError as error:
                raise SettingsError(f"{variable('api_keys_file')}: {error}") from error

    def _check_model_control(self) -> None:
        if self.model_control and os.name != "posix":
            raise SettingsError(
                f"{variable('model_control')} needs Linux or macOS; leave it out, and restart the server "
                "instead"
            )

    def _check_record(self) -> None:
        if self.record is None and self.record_inputs != "none":
            raise SettingsError(
                f"{variable('record_inputs')} is {self.record_inputs!r}, and there is no record; set "
                f"{variable('record')} to its folder too"
            )

    def _check_tls(self) -> None:
        for name, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
            if getattr(self, name) and not getattr(self, other):
                raise SettingsError(
                    f"{variable(name)} is set without {variable(other)}; TLS needs a certificate and its key"
                )


def variable(name: str) -> str:
    """Return the environment variable of a setting, ``LECTERN_PORT`` for ``port``."""
    return f"{_PREFIX}{name.upper()}"


def unknown_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return the ``LECTERN_*`` variables that nothing reads, such as misspelt ones.

    Args:
        environment: Variables by name.

    Returns:
        For each of them the known variable with the most similar name, or None if there is no similar one.
        Variables that Kubernetes sets for its Services are not among them.
    """
    known = [*map(variable, Settings.__struct_fields__), *_OTHER_VARIABLES]
    unknown = [
        name
        for name, text in sorted(environment.items())
        if name.startswith(_PREFIX)
        and name not in known
        and not _SERVICE_LINK.fullmatch(name)
        and not _SERVICE_URL.fullmatch(text)
    ]
    # Without the prefix, which would make all names similar.
    endings = {name.removeprefix(_PREFIX): name for name in known}
    similar = (difflib.get_close_matches(name.removeprefix(_PREFIX), endings, n=1) for name in unknown)
    return {name: endings[found[0]] if found else None for name, found in zip(unknown, similar, strict=True)}


def table() -> list[tuple[str, str, str]]:
    """Return (variable, default, summary) of every setting, for help texts and the README."""
    defaults = Settings(models="models")
    rows = []
    for name, kind in _annotations().items():
        default = getattr(defaults, name)
        text = ",".join(default) if isinstance(default, tuple) else str("" if default is None else default)
        text = str(int(default)) if isinstance(default, bool) else text
        rows.append((variable(name), text, kind.__metadata__[0].description))
    return rows


def _annotations() -> dict[str, Any]:
    return typing.get_type_hints(Settings, include_extras=True)


def _read(name: str, text: str, kind: Any) -> Any:
    about = kind.__metadata__[0].extra
    try:
        return msgspec.convert(about["parse"](text), kind, strict=False)
    except (msgspec.ValidationError, ValueError, RuntimeError):
        if _SERVICE_URL.fullmatch(text):
            raise SettingsError(
                f"{variable(name)} is {text!r}, which Kubernetes sets for a Service of that name; set "
                f"enableServiceLinks: false in the pod, and {variable(name)} in the container if it is needed"
            ) from None
        problem = "cannot be used" if about["secret"] else f"is {text!r}"
        raise SettingsError(f"{variable(name)} {problem}, expected {about['expected']}") from None
