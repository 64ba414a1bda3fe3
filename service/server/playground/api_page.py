"""Serves the API page at ``/``: Swagger UI, which shows the OpenAPI document."""

import base64
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from service.server.bentoml_adapter import swagger_ui_folder
from service.server.protocols.common import api
from service.server.protocols.operations import OPERATIONS

# The page loads these files from this server.
FILES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_START = """
SwaggerUIBundle({
  url: "./docs.json",
  dom_id: "#page",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
"""
_STYLE = """
/* The page's own server is the only one, so there is no choice. */
.servers-title, .servers, .operation-servers, .scheme-container:not(:has(.authorize)) { display: none; }
"""
_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lectern</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="./static_content/swagger-ui.css">
<style>{_STYLE}</style>
</head>
<body>
<div id="page"><a href="./docs.json">The document of the API</a></div>
<script src="./static_content/swagger-ui-bundle.js"></script>
<script>{_START}</script>
</body>
</html>
"""


def _source(text: str) -> str:
    """Return the expression that allows one inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# Swagger UI shows pictures from blobs.
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: blob:; "
    f"style-src 'self' {_source(_STYLE)}; script-src 'self' {_source(_START)}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CACHE_CONTROL = "no-cache"  # the browser keeps a copy, and asks each time whether it is current


_cached = partial(api.Operation, tag=OPERATIONS, response_headers=("ETag",), cached=True, access="public")


class ApiPage:
    """The endpoints of the page and of the document that it shows."""

    def __init__(self) -> None:
        self._page = _CachedBody(_PAGE.encode(), "text/html", {"Content-Security-Policy": _POLICY})
        self._document = _CachedBody(b"", api.JSON)
        self._folder = swagger_ui_folder()
        self._files = StaticFiles(directory=self._folder, check_dir=False)

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints."""
        document = {api.JSON: (dict[str, Any],)}
        return [
            api.Endpoint("/", self.page, _cached("page", responses={"text/html": (str,)})),
            api.Endpoint("/docs.json", self.document, _cached("document", responses=document)),
            api.Endpoint("/openapi.json", self.document, _cached("openapiDocument", responses=document)),
            *(
                api.Endpoint(
                    f"/static_content/{name}",
                    self.file,
                    _cached(f"page{media_type[5:].capitalize()}", responses={media_type: (api.Binary,)}),
                )
                for name, media_type in FILES.items()
                if self._folder is not None
            ),
        ]

    def publish(self, document: Mapping[str, object]) -> None:
        """Set the OpenAPI document."""
        self._document = _CachedBody(msgspec.json.encode(document), api.JSON)

    async def page(self, request: Request) -> Response:
        """This page."""
        return self._page.response(request)

    async def document(self, request: Request) -> Response:
        """This document."""
        return self._document.response(request)

    async def file(self, request: Request) -> Response:
        """A file of this page."""
        response = await self._files.get_response(request.scope["path"].rpartition("/")[2], request.scope)
        response.headers["Cache-Control"] = _CACHE_CONTROL
        return response


class _CachedBody:
    """A body that the browser caches; its checksum is computed once."""

    def __init__(self, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> None:
        self._body = body
        self._media_type = media_type
        self._tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        self._headers = {"ETag": self._tag, "Cache-Control": _CACHE_CONTROL, **(headers or {})}

    def response(self, request: Request) -> Response:
        """Return the body, or 304 if the client has it."""
        if self._tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=self._headers)
        return Response(self._body, headers=self._headers, media_type=self._media_type)
