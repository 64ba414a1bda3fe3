"""Owns what every call over gRPC passes: id, key, limits, deadline, status, metrics and the log."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import grpc
from grpc.aio import EOF

from service.inference.errors import LecternError
from service.server.pipeline.admission import Admission
from service.server.pipeline.errors import ErrorCode, RequestError, to_request_error
from service.server.pipeline.request_record import CLIENT_CLOSED_REQUEST, Journal, RequestRecord, request_id
from service.server.protocols.oip.grpc_methods import Method, Reply
from service.settings import Settings

_logger = logging.getLogger("lectern")
# A status travels in the trailers; clients take no more than 8 KiB of those, and 12 bytes can be a character.
_LONGEST_DETAILS = 500
_LONGEST_PATH = 100


class GrpcGateway:
    """Finds the handler of every call, whatever it asks for, as ``grpc.GenericRpcHandler`` does."""

    def __init__(self, methods: Mapping[str, Method], *, admission: Admission, settings: Settings) -> None:
        self._methods = dict(methods)
        self._admission = admission
        self._journal = Journal(settings.log_format)

    def service(self, details: Any) -> Any:
        """Return the handler of a call.

        It is one for a stream of requests, since that is called before the first of them has come: keys,
        the queue's limit and the deadline then hold for reading it too, and its bytes are parsed by us.
        """
        path = details.method

        async def handle(requests: Any, context: Any) -> bytes:
            return await self._handle(path, context)

        return grpc.stream_unary_rpc_method_handler(handle)

    async def _handle(self, path: str, context: Any) -> bytes:
        method = self._methods.get(path)
        metadata = dict(context.invocation_metadata() or ())
        exchange = RequestRecord(
            request_id=request_id(str(metadata.get("x-request-id", ""))),
            method="GRPC",
            path=path,
            client=_address(context.peer()),
            probe=method is not None and method.probe,
        )
        try:
            return await self._answer(method, str(metadata.get("authorization", "")), context, exchange)
        except asyncio.CancelledError:
            # The caller hears nothing any more: it gave up, or its own deadline is over.
            late = _is_late(context)
            exchange.status, exchange.code = (
                (504, "deadline_exceeded") if late else (CLIENT_CLOSED_REQUEST, "")
            )
            raise
        finally:
            self._journal.record(exchange)

    async def _answer(
        self, method: Method | None, authorization: str, context: Any, exchange: RequestRecord
    ) -> bytes:
        try:
            reply = await self._admit(method, authorization, context, exchange)
        except RequestError as problem:
            refusal = problem
        except LecternError as error:
            refusal = to_request_error(error)
        except Exception:
            _logger.exception("request %s failed", exchange.request_id)
            refusal = to_request_error(LecternError())
        else:
            exchange.status = 200
            context.set_trailing_metadata(_trailers(exchange, reply.metadata))
            body: bytes = reply.message.SerializeToString()
            return body
        exchange.status, exchange.code = refusal.status, refusal.code
        await context.abort(
            grpc.StatusCode[refusal.grpc_status],
            refusal.message[:_LONGEST_DETAILS],
            _trailers(exchange, refusal.headers),
        )
        raise AssertionError("abort does not return")

    async def _admit(
        self, method: Method | None, authorization: str, context: Any, exchange: RequestRecord
    ) -> Reply:
        if not exchange.probe:
            self._admission.check_key(authorization)
        if method is None:
            offered = ", ".join(path.rpartition("/")[2] for path in self._methods)
            asked = exchange.path[:_LONGEST_PATH]
            raise RequestError(ErrorCode.UNIMPLEMENTED, f"{asked!r} is not offered here; there are {offered}")
        exchange.route = exchange.path
        with self._admission.place() if method.predicts else self._admission.deadline():
            body = await context.read()
            if body is EOF and _is_late(context):
                raise RequestError(
                    ErrorCode.DEADLINE_EXCEEDED, "your deadline passed before the message had come"
                )
            if body is EOF:
                # So it looks from here, too, if gRPC refused a message for its size, or the caller gave up.
                raise RequestError(
                    ErrorCode.NO_MESSAGE, "the call ended before its message had come; send the whole"
                )
            return await method.answer(body)


def _trailers(exchange: RequestRecord, more: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the metadata that go behind an answer: headers of HTTP, in the small letters of HTTP/2."""
    shown = {"X-Request-ID": exchange.request_id, **more}
    if exchange.code:
        shown["X-Error-Code"] = exchange.code
    return tuple((name.lower(), value) for name, value in shown.items())


def _is_late(context: Any) -> bool:
    """Return whether the caller's own deadline has passed."""
    remaining = context.time_remaining()
    return remaining is not None and remaining <= 0


def _address(peer: str) -> str:
    """Return the IP address of ``ipv4:127.0.0.1:5000`` or ``ipv6:%5B::1%5D:5000``."""
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]") or "-"
