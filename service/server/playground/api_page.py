"""Serves the API page at ``/docs``: Swagger UI, which shows the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from service.server.bentoml_adapter import swagger_ui_folder
from service.server.playground.cached_body import CACHE_CONTROL, CachedBody, cached, inline_source
from service.server.protocols.common import api

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
.playground { margin: 16px 20px 0; text-align: right; font: 15px system-ui, sans-serif; }
"""
_LINK = '<p class="playground"><a href="./">Playground</a></p>\n'
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
<!--link--><div id="page"><a href="./docs.json">The document of the API</a></div>
<script src="./static_content/swagger-ui-bundle.js"></script>
<script>{_START}</script>
</body>
</html>
"""
# Swagger UI shows pictures from blobs.
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: blob:; "
    f"style-src 'self' {inline_source(_STYLE)}; script-src 'self' {inline_source(_START)}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class ApiPage:
    """The endpoints of the page and of the document that it shows.

    Args:
        is_start_page: Whether the page is at ``/`` too; otherwise it links to the page that is there.
    """

    def __init__(self, *, is_start_page: bool = False) -> None:
        self._is_start_page = is_start_page
        text = _PAGE.replace("<!--link-->", "" if is_start_page else _LINK)
        self._page = CachedBody(text.encode(), "text/html", {"Content-Security-Policy": _POLICY})
        self._document = CachedBody(b"", api.JSON)
        self._folder = swagger_ui_folder()
        self._files = StaticFiles(directory=self._folder, check_dir=False)

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints."""
        document = {api.JSON: (dict[str, Any],)}
        return [
            api.Endpoint("/docs", self.page, cached("apiPage", responses={"text/html": (str,)})),
            *(
                [api.Endpoint("/", self.page, cached("page", responses={"text/html": (str,)}))]
                if self._is_start_page
                else []
            ),
            api.Endpoint("/docs.json", self.document, cached("document", responses=document)),
            api.Endpoint("/openapi.json", self.document, cached("openapiDocument", responses=document)),
            *(
                api.Endpoint(
                    f"/static_content/{name}",
                    self.file,
                    cached(f"page{media_type[5:].capitalize()}", responses={media_type: (api.Binary,)}),
                )
                for name, media_type in FILES.items()
                if self._folder is not None
            ),
        ]

    def publish(self, document: Mapping[str, object]) -> None:
        """Set the OpenAPI document."""
        self._document = CachedBody(msgspec.json.encode(document), api.JSON)

    async def page(self, request: Request) -> Response:
        """The API page."""
        if request.scope["path"] != "/" and request.scope.get("raw_path", b"").endswith(b"/"):
            # Below /docs/ the addresses of the page would lead nowhere.
            return Response(status_code=308, headers={"Location": "../docs"})
        return self._page.response(request)

    async def document(self, request: Request) -> Response:
        """This document."""
        return self._document.response(request)

    async def file(self, request: Request) -> Response:
        """A file of the API page."""
        response = await self._files.get_response(request.scope["path"].rpartition("/")[2], request.scope)
        response.headers["Cache-Control"] = CACHE_CONTROL
        return response
