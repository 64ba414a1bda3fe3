"""Owns the place of our layers: before all of BentoML's."""

from starlette.types import ASGIApp, Receive, Scope, Send


class Foremost:
    """ASGI middleware, the first of ours, that lets requests begin with what stands behind it.

    BentoML puts its own layers before any that can be added: OpenTelemetry's, which is off here, and a
    time-out, which starts a second task for each request and leaves a timer and a future behind until the
    time is over: a hundred thousand of them at a few thousand requests a second. The gateway has its own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; when the server starts, take what stands before out of the way."""
        if scope["type"] == "lifespan":
            scope["app"].middleware_stack = self._app
        await self._app(scope, receive, send)
