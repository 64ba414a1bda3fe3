"""Adapts BentoML and uvicorn: their server class, errors at the start, and copy of Swagger UI.

Checked with the releases in ``CHECKED_RELEASES``; constraints.txt pins one of each. With other releases
:func:`install_server` changes nothing: uvicorn's own protocol and server pass all requests through ASGI,
which is slower, does not balance connections, and has neither TLS nor limits of connections. What it installs
depends on internals of uvicorn: the modules ``transport.fast_http``, ``transport.http_connection`` and
``workers.balanced_server``. Nothing else depends on internals.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import bentoml
import uvicorn
from bentoml.exceptions import BentoMLConfigException, BentoMLException
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

from service.inference.errors import LecternError, escape
from service.server.log import configure_logging, write_error
from service.server.log_writer import close_writers

# Major and minor numbers.
CHECKED_RELEASES = {"bentoml": ("1.4",), "uvicorn": ("0.54",)}

_logger = logging.getLogger("lectern")


def install_server(
    protocol: Callable[..., asyncio.Protocol],
    server: Callable[[uvicorn.Config], uvicorn.Server] = uvicorn.Server,
    *,
    middleware: Callable[[ASGIApp], ASGIApp] = lambda app: app,
) -> bool:
    """Replace the server and the HTTP protocol that BentoML's workers use, and wrap their application.

    BentoML has no setting for these; it looks ``uvicorn.Server`` up after it has imported the service.

    Args:
        protocol: Makes the protocol of a connection.
        server: Makes the server.
        middleware: Makes the application that gets the requests first, given BentoML's. Middleware that a
            service names runs within BentoML's own, whose time-out leaves a timer behind for each request.

    Returns:
        Whether they were replaced; if not, the log says why.
    """
    for package, releases in CHECKED_RELEASES.items():
        installed = version(package)
        if ".".join(installed.split(".")[:2]) not in releases:
            _logger.warning(
                "%s %s was not checked with Lectern's fast HTTP path, so that requests take the slower "
                "standard path; install the release in constraints.txt",
                package,
                installed,
            )
            return False

    def make_server(config: uvicorn.Config) -> uvicorn.Server:
        config.load()
        config.http_protocol_class = protocol  # type: ignore[assignment]
        config.loaded_app = middleware(config.loaded_app)
        return server(config)

    uvicorn.Server = make_server  # type: ignore[assignment, misc]
    return True


@contextlib.contextmanager
def ending_worker() -> Iterator[None]:
    """Return a context manager that ends a worker process with one line if it cannot start.

    In a process that is no worker, the error goes on.
    """
    try:
        yield
    except LecternError as error:
        if bentoml.server_context.worker_index is None:
            raise
        # The settings may be what is wrong, so that only the variable is read.
        is_json = os.environ.get("LECTERN_LOG_FORMAT") == "json"
        configure_logging("json" if is_json else "text")
        if is_json:
            _logger.critical("%s", error)
        else:
            write_error(f"lectern: {escape(str(error))}\n")
        close_writers()
        os._exit(STARTUP_FAILURE)


def config_error(error: LecternError) -> BentoMLException:
    """Return an error that BentoML's command line prints in one line."""
    return BentoMLConfigException(str(error))


def disable_tracking() -> None:
    """Keep BentoML from sending usage data; it may have read the variable before."""
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"
    with contextlib.suppress(ImportError, AttributeError):
        from bentoml._internal.utils.analytics import usage_stats

        usage_stats.do_not_track.cache_clear()


def ignore_forwarded_headers() -> None:
    """Keep uvicorn from rewriting client addresses; ``LECTERN_TRUSTED_PROXIES`` decides on all transports."""
    os.environ["FORWARDED_ALLOW_IPS"] = ""


def swagger_ui_folder() -> Path | None:
    """Return the folder with BentoML's copy of Swagger UI; if there is none, the log says so."""
    folder = Path(bentoml.__file__).parent / "_internal" / "server" / "static_content"
    if (folder / "swagger-ui-bundle.js").is_file():
        return folder
    _logger.warning(
        "bentoml %s has no copy of Swagger UI, so that the page at / only links to the API's document; "
        "install the release in constraints.txt",
        version("bentoml"),
    )
    return None
