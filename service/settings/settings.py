"""Declares the settings of the server."""

import os
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from service.inference.defaults import DEFAULT_MAX_PIXELS, DEFAULT_MODELS, TENSORRT_CACHE, PrecisionChoice
from service.resources import LEAST_WORKER_MEMORY, Resources, available
from service.settings import kinds
from service.settings.checks import check
from service.settings.variables import read_variable, variable

METRICS_OPEN = "open"  # the metrics key that lets everybody read the metrics

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
        kinds.setting(
            "Folder of models to serve, or an address such as s3://bucket/models",
            "a folder or an address",
            parse=kinds.parse_models,
        ),
    ] = str(DEFAULT_MODELS)
    model_cache: Annotated[Path, kinds.folder("Folder for models that are downloaded from an address")] = (
        _MODEL_CACHE
    )
    host: Annotated[
        str,
        kinds.setting("IP address to listen on; 0.0.0.0 for all", "an IP address", parse=kinds.parse_address),
    ] = "127.0.0.1"
    port: Annotated[int, kinds.whole("Port to listen on", 1, 65535)] = 3000
    grpc_port: Annotated[
        int, kinds.whole("Port of the Open Inference Protocol over gRPC; 0: not served", 0, 65535)
    ] = 0
    workers: Annotated[
        int,
        kinds.setting(
            "Server processes, each of which loads all models; auto: one for each core, as far as the memory "
            "lasts",
            "a whole number from 1 to 64, or auto",
            parse=kinds.parse_workers,
            ge=kinds.AUTO,
            le=64,
        ),
    ] = 1
    cpus: Annotated[
        int,
        kinds.whole(
            "Most processor cores to use; 0: all that the container or the machine has", kinds.AUTO, 4096
        ),
    ] = kinds.AUTO
    memory_mb: Annotated[
        int,
        kinds.whole(
            f"Most memory to use, in MB (10^6 bytes), {LEAST_WORKER_MEMORY // 1_000_000} or more for each "
            "worker; 0: all that the container or the machine has. It bounds the bodies and pictures of all "
            "requests",
            kinds.AUTO,
            10_000_000,
        ),
    ] = kinds.AUTO
    model_control: Annotated[
        bool,
        kinds.switch(
            "1: clients can load and unload models at run time, with an API key if there are some; "
            "0: they cannot"
        ),
    ] = False
    providers: Annotated[
        tuple[Provider, ...],
        kinds.words(
            "Hardware: auto, or an ordered list of cpu, cuda, tensorrt",
            "auto, or an ordered list from cpu, cuda, tensorrt, such as cuda,cpu",
            parse=kinds.parse_providers,
        ),
    ] = ("auto",)
    tensorrt_cache: Annotated[
        Path,
        kinds.folder("Folder for networks that TensorRT has compiled; with tensorrt in LECTERN_PROVIDERS"),
    ] = TENSORRT_CACHE
    tensorrt_fp16: Annotated[
        bool, kinds.switch("1: networks that TensorRT compiles may compute in half precision; 0: they do not")
    ] = False
    precision: Annotated[
        PrecisionChoice,
        kinds.setting(
            "Networks with an 8-bit form: float32, int8, or auto for the faster one on this machine; "
            "others, and all on GPUs, run in float32",
            "auto, float32 or int8",
            parse=str.lower,
        ),
    ] = "auto"
    threads: Annotated[int, kinds.whole("Threads of ONNX Runtime within one call", 1, 256)] = 1
    max_body_mb: Annotated[int, kinds.whole("Largest request body in MB (10^6 bytes)", 1, 1024)] = 16
    max_pixels: Annotated[
        int, kinds.whole("Largest picture, width x height, that is decoded", 784, 10**9)
    ] = DEFAULT_MAX_PIXELS
    max_batch: Annotated[int, kinds.whole("Most inputs in one request", 1, 4096)] = 64
    max_queue: Annotated[int, kinds.whole("Most predictions that wait or run in one worker", 1, 100_000)] = 64
    max_wait_s: Annotated[
        float,
        kinds.seconds(
            "Longest time that a request may have to wait for a thread, in seconds; others get 429"
        ),
    ] = 1.0
    max_explanations: Annotated[
        int, kinds.whole("Most explanations that wait or run in one worker", 1, 1000)
    ] = 4
    timeout_s: Annotated[
        float, kinds.seconds("Longest time that a request may take when its body has arrived, in seconds")
    ] = 30.0
    keep_alive_s: Annotated[
        float,
        kinds.seconds(
            "Time that an HTTP connection stays open without a request, in seconds; longer than the proxy's"
        ),
    ] = 75.0
    drain_s: Annotated[
        float,
        kinds.setting(
            "Time after SIGTERM in which the server answers as before while /readyz says no, in seconds",
            "a number from 0 to 3600",
            ge=0,
            le=3600,
        ),
    ] = 5.0
    max_connections: Annotated[
        int,
        kinds.whole(
            "Most open HTTP connections of one worker; 0: as many as it can have files open, at most 10000",
            0,
            1_000_000,
        ),
    ] = 0
    tls_cert: Annotated[
        Path | None,
        kinds.file("File with the TLS certificate (PEM) of HTTP and gRPC; it is read again when it changes"),
    ] = None
    tls_key: Annotated[Path | None, kinds.file("File with the private key (PEM) of that certificate")] = None
    api_keys: Annotated[
        tuple[ApiKey, ...],
        kinds.words(
            "Keys, separated by commas; none means open to all",
            "one or more keys of ASCII characters, separated by commas",
            secret=True,
        ),
    ] = ()
    api_keys_file: Annotated[
        Path | None,
        kinds.file(
            "File of further keys with names for the log, one 'name: key' a line; read again when it changes"
        ),
    ] = None
    metrics_key: Annotated[
        str,
        kinds.setting(
            "Key that /metrics needs; open: none. By default it needs an API key, if there are any",
            "one key of ASCII characters without spaces, or open",
            parse=str.strip,
            secret=True,
            pattern=r"^[!-~]*$",
        ),
    ] = ""
    rate_limit: Annotated[
        float,
        kinds.setting(
            "Requests a second of one API key in one worker; 0: no limit",
            "a number from 0 to 1000000",
            ge=0,
            le=10**6,
        ),
    ] = 0.0
    rate_burst: Annotated[
        int, kinds.whole("Requests of one API key that may come at once, with a rate limit", 1, 10**6)
    ] = 10
    cors_origins: Annotated[
        tuple[Origin, ...],
        kinds.words(
            "Origins whose web pages may send requests, separated by commas, or *",
            "origins such as https://example.org, separated by commas, or *",
        ),
    ] = ()
    cors_headers: Annotated[
        tuple[HeaderName, ...],
        kinds.words(
            "Further request headers that web pages of these origins may send, separated by commas",
            "names of headers such as X-Tenant, separated by commas",
        ),
    ] = ()
    playground: Annotated[
        bool,
        kinds.switch("Start page; 1: the playground, with the API page at /docs; 0: the API page"),
    ] = True
    trusted_proxies: Annotated[
        tuple[str, ...],
        kinds.words(
            "Reverse proxies whose X-Forwarded-For header is used: IP addresses or networks, "
            "separated by commas; none by default",
            "IP addresses or CIDR networks, such as 10.0.0.0/8, separated by commas",
            parse=kinds.parse_networks,
        ),
    ] = ()
    log_format: Annotated[
        Literal["text", "json"], kinds.setting("Form of the lines of the log: text or json", "text or json")
    ] = "text"
    record: Annotated[
        Path | None,
        kinds.folder("Folder for a record of requests and predictions; none by default"),
    ] = None
    record_inputs: Annotated[
        RecordedInputs,
        kinds.setting(
            "Inputs in the record: none, texts, or all (texts, and pictures as the network reads them)",
            "none, texts or all",
            parse=str.lower,
        ),
    ] = "none"
    record_share: Annotated[
        float,
        kinds.setting("Share of the requests that are recorded", "a number above 0, at most 1", gt=0, le=1),
    ] = 1.0
    record_mb: Annotated[
        int,
        kinds.whole(
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
            name: read_variable(name, text, kind)
            for name, kind in _annotations().items()
            if (text := environment.get(variable(name)))
        }
        settings = cls(**values)
        if settings.workers == kinds.AUTO:
            settings = msgspec.structs.replace(settings, workers=settings.resources.workers)
        check(settings)
        return settings

    @property
    def needs_key(self) -> bool:
        """Whether clients need an API key."""
        return bool(self.api_keys) or self.api_keys_file is not None

    @property
    def has_metrics_key(self) -> bool:
        """Whether ``/metrics`` has a key of its own."""
        return self.metrics_key not in ("", METRICS_OPEN)


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
