"""Owns the page of the API at ``/``: BentoML's copy of Swagger UI, without its tracker."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

import bentoml
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.server.pipeline.errors import ErrorCode, RequestError

# What the page loads, all of it from this server.
FILES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}

_FOLDER = Path(bentoml.__file__).parent / "_internal" / "server" / "static_content"
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
_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lectern</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="./static_content/swagger-ui.css">
<style>
/* There is one server, the one that the page is from. */
.servers-title, .servers, .operation-servers, .scheme-container:not(:has(.authorize)) {{ display: none; }}
</style>
</head>
<body>
<div id="page"></div>
<script src="./static_content/swagger-ui-bundle.js"></script>
<script>{_START}</script>
</body>
</html>
"""
_START_HASH = base64.b64encode(hashlib.sha256(_START.encode()).digest()).decode()
# Swagger UI writes styles into its elements, and shows pictures from data it has in hand.
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    f"script-src 'self' 'sha256-{_START_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Page:
    """The routes of the page and of the document that it shows."""

    def __init__(self) -> None:
        self._document = b""

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self.page, methods=["GET"]),
            Route("/docs.json", self.document, methods=["GET"]),
            Route("/openapi.json", self.document, methods=["GET"]),
            Route("/static_content/{file}", self.file, methods=["GET"]),
        ]

    def publish(self, document: Mapping[str, object]) -> None:
        """Set the document; it is turned into JSON here, once."""
        self._document = orjson.dumps(document)

    async def page(self, request: Request) -> Response:
        """Answer ``GET /``: the page."""
        headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
        return _cached(request, _PAGE.encode(), "text/html", headers)

    async def document(self, request: Request) -> Response:
        """Answer ``GET /docs.json``: the OpenAPI document."""
        return _cached(request, self._document, "application/json", {})

    async def file(self, request: Request) -> Response:
        """Answer ``GET /static_content/{file}``: a file that the page loads."""
        name = request.path_params["file"]
        if name not in FILES:
            raise RequestError(
                ErrorCode.NOT_FOUND, f"there is no file {name!r}; there are {', '.join(FILES)}"
            )
        return _cached(request, (_FOLDER / name).read_bytes(), FILES[name], {})


def _cached(request: Request, body: bytes, kind: str, headers: Mapping[str, str]) -> Response:
    """Return a body that a browser may keep, but asks about each time."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", **headers}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=kind)
