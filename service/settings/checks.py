"""Checks the settings that depend on each other or on the system."""

import os
import socket
from typing import TYPE_CHECKING

from service.inference.errors import SettingsError
from service.key_file import read_key_file
from service.resources import LEAST_WORKER_MEMORY
from service.settings.variables import variable

if TYPE_CHECKING:
    from service.settings.settings import Settings


def check(settings: "Settings") -> None:
    """Check whether settings fit together and to the system.

    Raises:
        SettingsError: They do not. Names the variables, the cause and the way out.
    """
    _check_grpc_port(settings)
    _check_keys(settings)
    _check_memory(settings)
    _check_model_control(settings)
    _check_record(settings)
    _check_tensorrt(settings)
    _check_tls(settings)


def _check_grpc_port(settings: "Settings") -> None:
    if settings.grpc_port == settings.port:
        raise SettingsError(
            f"{variable('grpc_port')} and {variable('port')} are both {settings.port}; choose another for one"
        )
    if settings.grpc_port and settings.workers > 1 and not hasattr(socket, "SO_REUSEPORT"):
        raise SettingsError(
            f"{variable('grpc_port')} needs one worker on this system, where processes cannot share a port; "
            f"set {variable('workers')}, which is {settings.workers}, to 1, or no port for gRPC"
        )


def _check_keys(settings: "Settings") -> None:
    if settings.rate_limit and not settings.needs_key:
        raise SettingsError(
            f"{variable('rate_limit')} limits each API key, and there are none; "
            f"set {variable('api_keys')} or {variable('api_keys_file')} too"
        )
    if settings.api_keys_file is not None:
        try:
            read_key_file(settings.api_keys_file)
        except SettingsError as error:
            raise SettingsError(f"{variable('api_keys_file')}: {error}") from error


def _check_memory(settings: "Settings") -> None:
    least = settings.workers * LEAST_WORKER_MEMORY // 1_000_000
    if 0 < settings.memory_mb < least:
        raise SettingsError(
            f"{variable('memory_mb')} is {settings.memory_mb}, and {variable('workers')}={settings.workers} "
            f"needs at least {least}; set it to that or more, or to 0 for all memory"
        )


def _check_model_control(settings: "Settings") -> None:
    if settings.model_control and os.name != "posix":
        raise SettingsError(
            f"{variable('model_control')} needs Linux or macOS; leave it out, and restart the server instead"
        )


def _check_record(settings: "Settings") -> None:
    if settings.record is None and settings.record_inputs != "none":
        raise SettingsError(
            f"{variable('record_inputs')} is {settings.record_inputs!r}, and there is no record; set "
            f"{variable('record')} to its folder too"
        )


def _check_tensorrt(settings: "Settings") -> None:
    if settings.tensorrt_fp16 and "tensorrt" not in settings.providers:
        raise SettingsError(
            f"{variable('tensorrt_fp16')} is 1, and {variable('providers')} does not have tensorrt; "
            f"set {variable('providers')}=tensorrt,cuda,cpu too"
        )


def _check_tls(settings: "Settings") -> None:
    for name, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if getattr(settings, name) and not getattr(settings, other):
            raise SettingsError(
                f"{variable(name)} is set without {variable(other)}; TLS needs a certificate and its key"
            )
