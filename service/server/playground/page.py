"""Serves the playground at ``/``: a page to draw on, drop pictures on, and write texts on."""

import html
import mimetypes
from collections.abc import Iterable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from service.inference.card import Card
from service.server.playground.cached_body import CachedBody, cached, inline_source
from service.server.protocols.common import api

_FOLDER = Path(__file__).parent / "assets"
_START = _FOLDER / "index.html"
# The places in the start page that depend on the other files and on the models.
_STYLE, _MODULES, _BUTTONS = "<!--style-->", "<!--modules-->", "<!--buttons-->"
# The page contains its styles, so that a phone paints it without waiting for further files.
_STYLES = ("tokens.css", "page.css", "explain.css")
# Scripts come from files alone, styles from the page alone. Pictures that the user chooses are blobs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src {style}; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_MEDIA_TYPES = {
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}


def media_type(path: Path) -> str:
    """Return the media type of a file of the page, whatever the system's own table says."""
    return _MEDIA_TYPES.get(path.suffix) or mimetypes.types_map[path.suffix]


class Playground:
    """The endpoints of the page and of its files, which are kept in memory."""

    def __init__(self) -> None:
        self._files = {
            f"/playground/{path.relative_to(_FOLDER).as_posix()}": CachedBody(
                path.read_bytes(), media_type(path)
            )
            for path in sorted(_FOLDER.rglob("*"))
            if path.is_file() and path.suffix not in {".html", ".css"}
        }
        self._style = "".join((_FOLDER / name).read_text("utf-8") for name in _STYLES)
        self.publish(())

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoint of the page."""
        return [api.Endpoint("/", self.page, cached("page", responses={"text/html": (str,)}))]

    def file_routes(self) -> list[api.Endpoint]:
        """Return the endpoints of the page's files, which are no part of the API and its document."""
        return [api.Endpoint(path, self.file, cached(path)) for path in self._files]

    def publish(self, cards: Iterable[Card]) -> None:
        """Name the models in the form that works without JavaScript."""
        buttons = "\n    ".join(
            f'<button formaction="./models/{html.escape(card.name)}">{html.escape(card.name)}</button>'
            for card in cards
            if card.task == "image-classification"
        )
        # The browser asks for all modules at once, not when it has read the one before, but paints first.
        modules = "\n".join(
            f'<link rel="modulepreload" fetchpriority="low" href=".{path}">'
            for path in self._files
            if path.endswith(".js")
        )
        text = _START.read_text("utf-8")
        for place, content in (
            (_STYLE, f"<style>{self._style}</style>"),
            (_MODULES, modules),
            (_BUTTONS, buttons),
        ):
            text = text.replace(place, content)
        policy = _POLICY.format(style=inline_source(self._style))
        self._page = CachedBody(text.encode(), "text/html", {"Content-Security-Policy": policy})

    async def page(self, request: Request) -> Response:
        """The playground: a page to draw on, drop pictures on, and write texts on."""
        return self._page.response(request)

    async def file(self, request: Request) -> Response:
        """A file of the playground."""
        return self._files[request.scope["path"]].response(request)
