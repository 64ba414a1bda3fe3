"""Owns the error table: which status, code and headers each refusal has, and its JSON."""

import reprlib
from collections.abc import Mapping

import orjson
from starlette.responses import Response

from service.inference import errors

_STATUS_BY_ERROR: tuple[tuple[type[errors.LecternError], int], ...] = (
    # The first class that matches counts, so that branches come before the trunk.
    (errors.DamagedImage, 422),
    (errors.BlankImage, 422),
    (errors.NoWords, 422),
    (errors.InputTooLarge, 413),
    (errors.InputError, 400),
    (errors.ModelNotFound, 404),
    (errors.ModelError, 503),
)
_CODE_BY_STATUS = {
    400: "invalid_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    414: "url_too_long",
    415: "unsupported_media_type",
    422: "invalid_input",
    429: "overloaded",
    503: "not_ready",
    504: "deadline_exceeded",
}

_brief = reprlib.Repr()
_brief.maxlevel, _brief.maxlist, _brief.maxdict = 2, 5, 2
_brief.maxstring = _brief.maxlong = _brief.maxother = 40


class RequestError(Exception):
    """A refusal, ready to be sent.

    Attributes:
        status: HTTP status, 400 to 504.
        code: Stable ``snake_case`` word for programs.
        message: What was wrong, with what, and what to do.
        headers: Further response headers, such as ``Retry-After``.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def to_request_error(error: errors.LecternError) -> RequestError:
    """Return how an error of the inference layer is told over HTTP."""
    for kind, status in _STATUS_BY_ERROR:
        if isinstance(error, kind):
            return RequestError(status, error.code, str(error))
    return RequestError(500, "internal_error", "the server failed; its log says why, under this request_id")


def error_for_status(status: int, message: str) -> RequestError:
    """Return the problem for an HTTP status that some other layer chose."""
    return RequestError(status, _CODE_BY_STATUS.get(status, "internal_error"), message)


def method_not_allowed(method: str, path: str, allowed: str) -> RequestError:
    """Return the problem of a method that a path does not have, with those that it has, as in ``Allow``."""
    return RequestError(
        405, "method_not_allowed", f"{method} is not for {shorten(path)}; use {allowed}", {"Allow": allowed}
    )


def error_response(problem: RequestError, *, request_id: str) -> Response:
    """Return the JSON answer that every dialect gives for a refusal."""
    body = {"error": problem.message, "code": problem.code, "request_id": request_id}
    return Response(orjson.dumps(body), problem.status, problem.headers, "application/json")


def shorten(value: object) -> str:
    """Return what a caller sent in a few words, for a message, however long or deeply nested it is."""
    return _brief.repr(value)
