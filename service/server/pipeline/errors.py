"""Defines the server's error table and builds the error responses from it."""

from collections.abc import Mapping
from enum import Enum, unique
from http import HTTPStatus
from typing import Annotated, Literal, TypeAlias, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from service.inference import errors

RETRY_AFTER = {"Retry-After": "1"}
# What a request without a place lacked: LECTERN_MAX_QUEUE, LECTERN_MAX_WAIT_S, LECTERN_MAX_EXPLANATIONS, the
# memory, the rate of its API key, LECTERN_MAX_CONNECTIONS.
Limit: TypeAlias = Literal["requests", "wait", "explanations", "memory", "rate", "connections"]
LIMITS: tuple[Limit, ...] = get_args(Limit)
_INVALID, _UNIMPLEMENTED, _UNAVAILABLE = "INVALID_ARGUMENT", "UNIMPLEMENTED", "UNAVAILABLE"


@unique
class ErrorCode(Enum):
    """The error table: each error that a client can get.

    Attributes:
        status: HTTP status; the access log and the metrics show it for gRPC too.
        grpc_status: Name of the gRPC status.
        meaning: When the error occurs, for documents.
        exception: Class of ``service.inference`` that has this row; its subclasses have it as well.
    """

    INVALID_REQUEST = (400, _INVALID, "The body lacks a required field, or a field has the wrong type.")
    INVALID_PARAMETER = (400, _INVALID, "A parameter has a value that is not allowed.")
    INVALID_TENSOR = (
        400,
        _INVALID,
        "Numbers, shape or datatype are not those that the model takes.",
        errors.InvalidTensor,
    )
    INVALID_BASE64 = (400, _INVALID, "A picture in JSON is not base64.")
    INVALID_INPUT = (400, _INVALID, "The model does not take this kind of input.", errors.InputError)
    MALFORMED_REQUEST = (400, _INVALID, "The bytes are not an HTTP/1.1 request.")
    MALFORMED_JSON = (400, _INVALID, "The body is not JSON.")
    MALFORMED_MULTIPART = (400, _INVALID, "The multipart body is incomplete or has no boundary.")
    NO_MESSAGE = (400, _INVALID, "The gRPC call ended before its message arrived.")
    UNAUTHORIZED = (401, "UNAUTHENTICATED", "The API key is missing or wrong.")
    NOT_FOUND = (404, "NOT_FOUND", "The server has no such path.")
    MODEL_NOT_FOUND = (404, "NOT_FOUND", "The server has no such model or version.", errors.ModelNotFound)
    METHOD_NOT_ALLOWED = (
        405,
        _UNIMPLEMENTED,
        "The path does not have this method; `Allow` names its methods.",
    )
    REQUEST_TIMEOUT = (408, "DEADLINE_EXCEEDED", "The head or the body of the request arrives too slowly.")
    # Not RESOURCE_EXHAUSTED, which gRPC clients retry.
    BODY_TOO_LARGE = (413, _INVALID, "The body has more bytes than the limit.")
    BATCH_TOO_LARGE = (413, _INVALID, "The request has more inputs than the limit.")
    TOO_LARGE = (413, _INVALID, "An input has too many pixels, characters or ids.", errors.InputTooLarge)
    URL_TOO_LONG = (414, _INVALID, "The URL has more bytes than the limit.")
    UNSUPPORTED_MEDIA_TYPE = (415, _INVALID, "The server does not read this content type or encoding.")
    DAMAGED_IMAGE = (422, _INVALID, "The bytes are not a picture, or are damaged.", errors.DamagedImage)
    BLANK_IMAGE = (422, _INVALID, "Nothing is drawn on the picture.", errors.BlankImage)
    FAINT_INK = (422, _INVALID, "What is drawn on the picture has too little contrast.", errors.FaintInk)
    NO_WORDS = (422, _INVALID, "The text has no word that the model knows.", errors.NoWords)
    OVERLOADED = (
        429,
        "RESOURCE_EXHAUSTED",
        "Too many requests, or bytes of them, are in flight; `Retry-After` says when to try again.",
    )
    RATE_LIMITED = (
        429,
        "RESOURCE_EXHAUSTED",
        "The API key has used up its rate; `Retry-After` says when to try again.",
    )
    HEADERS_TOO_LARGE = (431, _INVALID, "The head of the request has too many bytes or header fields.")
    CLIENT_DISCONNECTED = (499, "CANCELLED", "The client disconnected; only the access log shows it.")
    INTERNAL_ERROR = (500, "INTERNAL", "The server failed; its log has the details.", errors.LecternError)
    UNIMPLEMENTED = (501, _UNIMPLEMENTED, "The gRPC service does not have this method.")
    NOT_READY = (503, _UNAVAILABLE, "The server is starting or shutting down.")
    TOO_MANY_CONNECTIONS = (503, _UNAVAILABLE, "Too many connections are open; only probes are answered.")
    MODEL_ERROR = (503, _UNAVAILABLE, "The model's files cannot be used.", errors.ModelError)
    CHECKSUM_MISMATCH = (503, _UNAVAILABLE, "The model's file is not its card's.", errors.ChecksumMismatch)
    DEADLINE_EXCEEDED = (504, "DEADLINE_EXCEEDED", "There was no response in time.")

    def __init__(
        self,
        status: int,
        grpc_status: str,
        meaning: str,
        exception: type[errors.LecternError] | None = None,
    ) -> None:
        self.status = status
        self.grpc_status = grpc_status
        self.meaning = meaning
        self.exception = exception

    @property
    def code(self) -> str:
        """The stable ``snake_case`` word for programs."""
        return self.name.lower()


# The document of the HTTP API leaves these out.
NOT_IN_HTTP_RESPONSES = (ErrorCode.NO_MESSAGE, ErrorCode.UNIMPLEMENTED, ErrorCode.CLIENT_DISCONNECTED)
_CODE_BY_EXCEPTION = {error.exception: error for error in ErrorCode if error.exception}


class ErrorBody(Struct, frozen=True):
    """The JSON body of each error response."""

    error: Annotated[str, Meta(description="What was wrong, with what, and what to do")]
    code: Annotated[str, Meta(description="Stable, for programs")]
    request_id: Annotated[str, Meta(description="The same as in `X-Request-ID`")]
    id: (
        Annotated[str | int, Meta(description="The `id` of a request of the Open Inference Protocol")]
        | UnsetType
    ) = UNSET


class RequestError(Exception):
    """An error that is sent to the client.

    Attributes:
        status: HTTP status.
        grpc_status: Name of the gRPC status.
        code: Stable ``snake_case`` word for programs.
        message: What was wrong, with what, and what to do.
        headers: Further response headers, such as ``Retry-After``.
        limit: The limit of the server that was reached; None for any other error.
    """

    def __init__(
        self,
        error: ErrorCode,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        limit: Limit | None = None,
    ) -> None:
        super().__init__(message)
        self.status = error.status
        self.grpc_status = error.grpc_status
        self.code = error.code
        self.message = message
        self.headers = dict(headers or {})
        self.limit = limit


def overloaded(limit: Limit, message: str) -> RequestError:
    """Return the error for a request that finds a limit reached, and may be sent again in a moment."""
    return RequestError(ErrorCode.OVERLOADED, f"{message}; try again in a moment", RETRY_AFTER, limit=limit)


def to_request_error(error: errors.LecternError) -> RequestError:
    """Return the error response for an error of the inference layer.

    The text of an error of the server itself can name its folders, so that it is left to the log. That of an
    error of a model names files as ``name/version/file``.
    """
    kinds = (kind for kind in type(error).__mro__ if kind in _CODE_BY_EXCEPTION)
    code = _CODE_BY_EXCEPTION[next(kinds)]
    if code.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, errors.ModelError):
        subject = "the server failed" if code is ErrorCode.INTERNAL_ERROR else code.meaning[:-1].lower()
        return RequestError(code, f"{subject}; the server's log has the details under this request_id")
    return RequestError(code, str(error))


def method_not_allowed(method: str, path: str, allowed: str) -> RequestError:
    """Return the error for a method that a path does not have; ``allowed`` is the header ``Allow``."""
    return RequestError(
        ErrorCode.METHOD_NOT_ALLOWED,
        f"{errors.shorten(path)} does not take {errors.shorten(method)}; use {allowed}",
        {"Allow": allowed},
    )


def error_response(error: RequestError, *, request_id: str, body_id: str | int | None = None) -> Response:
    """Return the JSON response that every protocol sends for an error.

    Args:
        error: The error.
        request_id: The id of the request.
        body_id: The id in the body of a request of the Open Inference Protocol.
    """
    body = ErrorBody(error.message, error.code, request_id, UNSET if body_id is None else body_id)
    headers = error.headers | {"X-Request-ID": request_id}
    return Response(msgspec.json.encode(body), error.status, headers, "application/json")


def markdown_table() -> str:
    """Return the error table as Markdown, for the README."""
    rows = [
        f"| `{error.code}` | {error.status} | `{error.grpc_status}` | {error.meaning} |"
        for error in ErrorCode
    ]
    return "\n".join(["| code | HTTP | gRPC | meaning |", "|---|---|---|---|", *rows])
