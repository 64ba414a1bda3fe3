"""Defines the command ``serve``. It imports no library of the models, so that the supervisor stays small."""

import importlib.util
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from service.inference.errors import LecternError, MissingExtra, SettingsError
from service.inference.program import how_to_install
from service.server.log_writer import close_writers
from service.settings import Settings, table, unknown_variables, variable
from service.whole_number import WholeNumber

_ROOT = Path(__file__).resolve().parents[1]
_BACKLOG = 2048

_logger = logging.getLogger("lectern")


@click.command(
    epilog="Settings are environment variables:\n\n\b\n"
    + "\n".join(f"{name} [{default}]  {summary}" for name, default, summary in table())
)
@click.option("--host", help="IP address to listen on; overrides LECTERN_HOST.")
@click.option("--port", type=WholeNumber(1, 65535), help="Port to listen on; overrides LECTERN_PORT.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the models over HTTP until Ctrl-C or SIGTERM.

    Example: lectern serve --port 8080
    """
    try:
        with _json_errors():
            _serve(host, port)
    finally:  # before an error is printed
        close_writers()


@contextmanager
def _json_errors() -> Iterator[None]:
    """Return a context manager that makes an error at the start a line of the log, if the log is JSON."""
    try:
        yield
    except MissingExtra:  # perhaps what writes JSON is missing too
        raise
    except LecternError as error:
        # The settings may be what is wrong, so that only the variable is read.
        if os.environ.get(variable("log_format")) != "json":
            raise
        from service.server.log import configure_logging

        configure_logging("json")
        _logger.critical("%s", error)
        sys.exit(2)


def _serve(host: str | None, port: int | None) -> None:
    if host:
        os.environ[variable("host")] = host
    if port:
        os.environ[variable("port")] = str(port)
    settings = Settings.from_environment()
    if importlib.util.find_spec("bentoml") is None:
        raise MissingExtra(f"lectern serve needs the package bentoml: {how_to_install('serve', 'serve')}")
    # The workers read the variables again, in another working directory.
    for name in ("models", "model_cache", "tensorrt_cache", "api_keys_file", "tls_cert", "tls_key", "record"):
        if (path := getattr(settings, name)) is not None:
            os.environ[variable(name)] = str(path)
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"
    from service.server.log import configure_logging  # needs a package of the extra

    configure_logging(settings.log_format)
    _warn_of_unknown_variables()
    _check_record(settings)
    with _listen(settings.host, settings.port, name="port") as listener:
        if settings.grpc_port:
            # The workers listen there themselves; they share the port, but not with another server.
            _listen(settings.host, settings.grpc_port, name="grpc_port").close()
        if os.name == "nt":
            listener.close()
            _serve_with_bentoml(settings)
        sys.exit(_supervise(settings, listener))


def _supervise(settings: Settings, listener: socket.socket) -> int:
    # Not available on Windows.
    from service.server.workers.runtime_folder import RuntimeFolder
    from service.server.workers.supervisor import Supervisor

    supervisor = Supervisor(settings, listener=listener, address=_address(settings))
    with RuntimeFolder() as folder:
        return supervisor.run(folder)


def _serve_with_bentoml(settings: Settings) -> NoReturn:
    from service.server.log import write_error  # needs a package of the extra

    write_error(f"Serving at {_address(settings)} (Ctrl-C stops)\n")
    words = [sys.executable, "-P", "-m", "bentoml", "serve", "service.server.app:Lectern"]
    words += ["--host", settings.host, "--port", str(settings.port), "--working-dir", str(_ROOT)]
    words += ["--timeout-graceful-shutdown", str(int(settings.timeout_s) + 1)]
    close_writers()
    os.execv(sys.executable, words)


def _check_record(settings: Settings) -> None:
    """Check the folder of the record, here alone: a worker that is replaced later must start in any case.

    Raises:
        SettingsError: No files can be written there.
    """
    if settings.record is None:
        return
    from service.server.recording.files import check_folder

    try:
        check_folder(settings.record)
    except OSError as error:
        raise SettingsError(
            f"{variable('record')} is {str(settings.record)!r}, and no files can be written there "
            f"({error.strerror or error}); set it to a folder that can be written, or leave it out"
        ) from error


def _warn_of_unknown_variables() -> None:
    unknown = unknown_variables(os.environ)
    if unknown:
        names = (
            f"{name} (did you mean {similar}?)" if similar else name for name, similar in unknown.items()
        )
        _logger.warning("no setting has this name: %s; lectern serve --help lists them", ", ".join(names))


def _address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    grpc = f" and grpc://{host}:{settings.grpc_port}" if settings.grpc_port else ""
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{host}:{settings.port}{grpc}"


def _listen(host: str, port: int, *, name: str) -> socket.socket:
    """Return a listening socket.

    It listens before a worker is ready, so that two servers cannot start at the same port, and connections
    wait while a worker is replaced.
    """
    is_ipv6 = ":" in host
    try:
        return socket.create_server(
            (host, port),
            family=socket.AF_INET6 if is_ipv6 else socket.AF_INET,
            backlog=_BACKLOG,
            dualstack_ipv6=is_ipv6 and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port} ({os.strerror(error.errno or 0)}); "
            f"stop the program that uses it, or set {variable('host')} and {variable(name)}"
        ) from error
