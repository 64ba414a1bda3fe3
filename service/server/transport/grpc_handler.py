"""Adapts gRPC calls to the request pipeline."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote

import grpc
from grpc.aio import EOF
from grpc_reflection.v1alpha import reflection, reflection_pb2

from service.server.execution.waiting import WorkQueue
from service.server.pipeline.access_log import RequestRecord, request_id
from service.server.pipeline.api_keys import Access, presented_key
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.pipeline.memory import HeldMemory
from service.server.pipeline.pipeline import RequestPipeline
from service.server.pipeline.tracing import take_over, traceparent
from service.server.protocols.oip.grpc_methods import HEALTH, SERVICE, Method, parse_message
from service.server.transport.content_encoding import (
    MAX_DECOMPRESSIONS,
    decompressor,
    encoding_of_message,
)
from service.server.transport.grpc_descriptors import Descriptors
from service.server.transport.message_reads import MessageReads

T = TypeVar("T")

# A call holds its message, and the files or the tensor in it.
_COPIES = 2
_MIN_READS = 8

_REFLECTION_PATH = f"/{reflection.SERVICE_NAME}/ServerReflectionInfo"
# Details travel in the trailers, of which clients accept 8 KiB; a character can take 12 bytes.
_MAX_DETAILS = 500
_MAX_SHOWN_PATH = 100
_MAX_REFLECTION_BYTES = 10_000
# A client that compresses its messages reads compressed responses. Short ones would become longer.
_COMPRESSION_BY_ENCODING = {
    "deflate": grpc.Compression.Deflate,
    "gzip": grpc.Compression.Gzip,
}
_MIN_COMPRESSED_BYTES = 1_000


class GrpcHandler:
    """Returns the handler of every call, known or not, as ``grpc.GenericRpcHandler`` does.

    Args:
        methods: Methods by the path of a call.
        pipeline: The steps that every call passes.
        max_message: Bytes of the largest message, decompressed.
    """

    def __init__(self, methods: Mapping[str, Method], *, pipeline: RequestPipeline, max_message: int) -> None:
        self._methods = dict(methods)
        self._pipeline = pipeline
        self._max_message = max_message
        # gRPC does not tell the size of a message before it has received all of it: only so many calls are
        # read at once that the largest messages take half of the memory.
        reads = max(_MIN_READS, pipeline.memory.size // (max_message * _COPIES * 2))
        self._reads = MessageReads(reads)
        # Predictions whose messages arrive slowly must not hold health checks up.
        self._probe_reads = MessageReads(reads)
        self._decompressing = WorkQueue(MAX_DECOMPRESSIONS, "decompress-grpc")
        self._reflection = reflection.aio.ReflectionServicer(
            [SERVICE, HEALTH, reflection.SERVICE_NAME], pool=Descriptors()
        )

    def service(self, details: Any) -> Any:
        """Return the handler of a call.

        It handles a stream of requests, because such a handler starts before the first message has arrived:
        key, concurrency limit and deadline then apply to reading it too.
        """
        path = details.method
        if path == _REFLECTION_PATH:
            return grpc.stream_stream_rpc_method_handler(
                self._reflect,
                response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
            )
        return grpc.stream_unary_rpc_method_handler(partial(self._handle, path))

    async def _handle(self, path: str, requests: Any, context: Any) -> bytes:
        method = self._methods.get(path)
        record = self._record(path, context, access="probe" if method and method.probe else "key")
        return await self._process(record, partial(self._answer, record, method, context), context)

    async def _reflect(self, requests: Any, context: Any) -> None:
        record = self._record(_REFLECTION_PATH, context)

        async def messages() -> AsyncIterator[Any]:
            while True:
                async with self._reads:
                    message = await self._reads.receive(context.read)
                if message is EOF:
                    return
                yield _reflection_request(message)

        async def answer() -> None:
            record.route = record.path
            with self._pipeline.deadline():
                async for response in self._reflection.ServerReflectionInfo(messages(), context):
                    await context.write(response)
            record.status = 200

        await self._process(record, answer, context)

    def _record(self, path: str, context: Any, *, access: Access = "key") -> RequestRecord:
        record = RequestRecord(
            request_id=request_id(_metadata(context, "x-request-id")),
            method="GRPC",
            path=path,
            client=self._pipeline.trusted_proxies.client(
                _address(context.peer()), lambda: _metadata(context, "x-forwarded-for")
            ),
            access=access,
        )
        if parent := _metadata(context, "traceparent"):
            take_over(record, traceparent=parent, tracestate=_metadata(context, "tracestate"))
        return record

    async def _process(self, record: RequestRecord, work: Callable[[], Awaitable[T]], context: Any) -> T:
        async def cancellable() -> T:
            try:
                return await work()
            except asyncio.CancelledError:
                # gRPC cancels the call when the client cancels it or the client's own deadline passes.
                record.set_error(
                    ErrorCode.DEADLINE_EXCEEDED if _is_late(context) else ErrorCode.CLIENT_DISCONNECTED
                )
                raise

        try:
            return await self._pipeline.process(
                record,
                cancellable,
                key=presented_key(_metadata(context, "authorization"), _metadata(context, "x-api-key")),
                url_bytes=len(record.path),
            )
        except RequestError as error:
            await context.abort(
                grpc.StatusCode[error.grpc_status],
                error.message[:_MAX_DETAILS],
                _trailers(record, error.headers),
            )
            raise AssertionError("abort does not return") from error

    async def _decompress(self, message: bytes, encoding: str) -> bytes:
        if encoding == "identity":
            return message
        decompress = decompressor(encoding, max_bytes=self._max_message)
        return await self._decompressing.do(partial(decompress, message))

    async def _answer(self, record: RequestRecord, method: Method | None, context: Any) -> bytes:
        if method is None:
            offered = ", ".join(path.rpartition("/")[2] for path in self._methods)
            raise RequestError(
                ErrorCode.UNIMPLEMENTED,
                f"there is no method {record.path[:_MAX_SHOWN_PATH]!r}; there are {offered}",
            )
        record.route = record.path
        if method.predicts:
            self._pipeline.begin_recording(record)
            self._pipeline.concurrency.check()
        with self._pipeline.deadline(), HeldMemory(self._pipeline.memory) as held:
            reads = self._probe_reads if method.probe else self._reads
            async with reads:
                message = _message(await reads.receive(context.read), context)
                encoding = encoding_of_message(message)
                body = await self._decompress(message, encoding)
            if record.stages is not None:
                record.stages.append(("receive", record.started, time.perf_counter()))
            del message
            held.take(len(body) * _COPIES)
            with self._pipeline.concurrency if method.predicts else contextlib.nullcontext():
                reply = await method.answer(body)
            context.set_trailing_metadata(_trailers(record, reply.metadata))
            response = bytes(reply.message.SerializeToString())
        if encoding != "identity" and len(response) > _MIN_COMPRESSED_BYTES:
            context.set_compression(_COMPRESSION_BY_ENCODING[encoding])
            # grpc.aio applies it only where it sends these itself.
            await context.send_initial_metadata(())
        record.status = 200
        return response


def _message(message: Any, context: Any) -> bytes:
    """Return the one request message of a call, given what it has read."""
    if message is not EOF:
        return bytes(message)
    if _is_late(context):
        raise RequestError(ErrorCode.DEADLINE_EXCEEDED, "your deadline passed before the message arrived")
    # gRPC also ends the stream if it refuses a message for its size, or if the client has cancelled.
    raise RequestError(ErrorCode.NO_MESSAGE, "the call ended before its message arrived; send one message")


def _reflection_request(message: bytes) -> Any:
    body = decompressor(encoding_of_message(message), max_bytes=_MAX_REFLECTION_BYTES)(message)
    return parse_message(reflection_pb2.ServerReflectionRequest, body)


def _metadata(context: Any, name: str) -> str:
    """Return the value of a metadata key; several values are joined, as in HTTP."""
    return ",".join(str(value) for key, value in context.invocation_metadata() or () if key == name)


def _trailers(record: RequestRecord, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the trailing metadata of a response: the headers that HTTP has, in lower case."""
    all_headers = {"X-Request-ID": record.request_id, **headers}
    if record.trace is not None:
        all_headers["traceparent"] = traceparent(record.trace)
    if record.code:
        all_headers["X-Error-Code"] = record.code
    return tuple((name.lower(), value) for name, value in all_headers.items())


def _is_late(context: Any) -> bool:
    """Return whether the client's own deadline has passed."""
    remaining = context.time_remaining()
    return remaining is not None and remaining <= 0


def _address(peer: str) -> str:
    """Return the IP address of ``ipv4:127.0.0.1:5000`` or ``ipv6:%5B::1%5D:5000``."""
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]") or "-"
