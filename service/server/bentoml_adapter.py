"""Adapts BentoML and uvicorn: their routes, errors, log, server class and copy of Swagger UI.

Checked with the releases in ``CHECKED_RELEASES``; constraints.txt pins one of each. With other releases
:func:`install_server` changes nothing: uvicorn's own protocol and server pass all requests through ASGI,
which is slower, does not balance connections, and has neither TLS nor limits of connections. What it installs
depends on internals of uvicorn: the modules ``transport.fast_http``, ``transport.http_connection`` and
``workers.balanced_server``. The module ``workers.worker`` runs BentoML's worker. Nothing else depends on
internals.
"""

import asyncio
import codecs
import contextlib
import logging
import os
import sys
from collections.abc import Callable
from contextvars import ContextVar
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path

import bentoml
import orjson
import uvicorn
from bentoml.exceptions import BentoMLConfigException, BentoMLException
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message
from uvicorn.config import STARTUP_FAILURE

from service.inference.errors import LecternError
from service.server.pipeline.errors import ErrorCode, RequestError, error_for_status

# Major and minor numbers.
CHECKED_RELEASES = {"bentoml": ("1.4",), "uvicorn": ("0.54",)}

# BentoML parses JSON on the event loop; a request of its clients has one object.
_MAX_CONTAINERS = 10_000

_BENTO_LOGGER = "bentoml._internal.server.http_app"

_logger = logging.getLogger("lectern")

# BentoML passes on no more than a status and a text of an error. A method that runs for a request puts the
# whole error here; a method that is called in-process has no such list.
method_errors: ContextVar[list[RequestError | LecternError] | None] = ContextVar(
    "method_errors", default=None
)


class BentoRoutes:
    """Routes that forward to BentoML's application, and translate its errors.

    Attributes:
        app: BentoML's application; set when BentoML builds its middleware.
    """

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    def routes(self) -> list[Route]:
        """Return the routes: BentoML's methods, and what its clients read first."""
        return [
            Route("/classify_image", self.call_method, methods=["POST"]),
            Route("/classify_text", self.call_method, methods=["POST"]),
            Route("/schema.json", self.forward, methods=["GET"]),
        ]

    async def call_method(self, request: Request) -> Response:
        """Forward a call of a method, if its body is JSON.

        BentoML would unpickle other content types, and fetch URLs that a file field names.

        Raises:
            RequestError: 415: the content type is another one. 413: parsing the body would block the server.
                Otherwise the error of the method.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise RequestError(
                ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                f"content type {kind[:40]!r} is not supported here; send application/json",
            )
        body = (await request.body()).removeprefix(codecs.BOM_UTF8)
        if body.count(b"[") + body.count(b"{") > _MAX_CONTAINERS:
            raise RequestError(ErrorCode.TOO_LARGE, "the body has too many lists and objects; send one input")
        return await self._forward(request, body)

    async def forward(self, request: Request) -> Response:
        """Forward a request without a body, and return BentoML's complete response.

        Raises:
            RequestError: BentoML's own error response.
        """
        return await self._forward(request, b"")

    async def _forward(self, request: Request, body: bytes) -> Response:
        """Forward a request, and return BentoML's complete response.

        Raises:
            RequestError, LecternError: The error in ``method_errors``, or the text of BentoML's own error
                response.
        """
        assert self.app is not None, "BentoML builds its middleware before the server accepts requests"
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        response, chunks = Response(), []

        async def receive() -> Message:
            if pending:
                return pending.pop()
            # A client that disconnects cancels the task; there is nothing else to receive.
            await asyncio.get_running_loop().create_future()
            raise AssertionError("nothing completes the future")

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                response.status_code = message["status"]
                response.raw_headers = list(message["headers"])
            else:
                chunks.append(message.get("body", b""))

        errors: list[RequestError | LecternError] = []
        method_errors.set(errors)
        await self.app(request.scope, receive, send)
        response.body = b"".join(chunks)
        if response.status_code < HTTPStatus.BAD_REQUEST:
            return response
        if errors:
            raise errors[0]
        text = _error_text(response.body) or f"{request.url.path!r} failed"
        raise error_for_status(response.status_code, text)


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


def end_worker(error: LecternError) -> None:
    """End this process with one line if it is a worker that cannot start; otherwise do nothing."""
    if bentoml.server_context.worker_index is not None:
        print(f"lectern: {error}", file=sys.stderr, flush=True)
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


def hide_client_errors() -> None:
    """Remove tracebacks of client errors from BentoML's log; the access log has a line for each."""
    logging.getLogger(_BENTO_LOGGER).addFilter(_is_server_error)


def _is_server_error(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    is_client_error = (
        isinstance(error, BentoMLException) and error.error_code < HTTPStatus.INTERNAL_SERVER_ERROR
    )
    return not (is_client_error or isinstance(error, ValidationError))


def _error_text(body: bytes | memoryview) -> str:
    """Return the text of BentoML's error body: ``[{"error": …}]``, or pydantic's details."""
    try:
        document = orjson.loads(body)
        row = document[0] if isinstance(document, list) else document
        details = [
            f"{'.'.join(map(str, part['loc'])) or 'body'}: {part['msg']}" for part in row.get("detail", ())
        ]
        return "; ".join(details) or str(row["error"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
