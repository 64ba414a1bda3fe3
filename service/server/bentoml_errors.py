"""Owns passing requests on to BentoML: what it may read, and its refusals in the shape of all others."""

from contextvars import ContextVar

import orjson
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from service.server.pipeline.errors import ErrorCode, RequestError, error_for_status

# Where a BentoML method notes its refusal: BentoML itself passes on no more than a status and a text.
refusals: ContextVar[list[RequestError]] = ContextVar("refusals")


class TranslatedReply:
    """The way out for BentoML's answers: its errors get the body that all other dialects give."""

    def __init__(self, reply: Send) -> None:
        self._reply = reply
        self._status = 0
        self._body = b""
        self.refusals: list[RequestError] = []

    async def __call__(self, message: Message) -> None:
        """Pass a message of a good answer on; keep those of a refusal for :meth:`check`."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
        if self._status < 400:
            await self._reply(message)
        else:
            self._body += message.get("body", b"")

    def check(self, scope: Scope) -> None:
        """Look at the answer once it is complete.

        Raises:
            RequestError: What an API method noted, or else what BentoML's own refusal says.
        """
        if self._status < 400:
            return
        if self.refusals:
            raise self.refusals[0]
        raise error_for_status(self._status, _bento_message(self._body) or f"{scope['path']!r} was refused")


def check_json(headers: Headers) -> None:
    """Refuse all but JSON: BentoML would take pickles, and fetch addresses that a file field names.

    Raises:
        RequestError: 415: the content type is another one, or there is none.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RequestError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE, f"content type {kind!r} is not read here; send application/json"
        )


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives the body that was read already, and then whatever comes next."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _bento_message(body: bytes) -> str:
    """Return the text of BentoML's error body, ``[{"error": …}]`` or pydantic's details, if there is one."""
    try:
        document = orjson.loads(body)
        row = document[0] if isinstance(document, list) else document
        details = [
            f"{'.'.join(map(str, part['loc'])) or 'body'}: {part['msg']}" for part in row.get("detail", ())
        ]
        return "; ".join(details) or str(row["error"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
