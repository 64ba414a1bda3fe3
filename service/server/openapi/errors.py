"""Owns what the document says of refusals: each status, the codes that go with it, and what they mean."""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

# Status, code, meaning.
CODES: dict[int, dict[str, str]] = {
    400: {
        "malformed_json": "the body is not JSON",
        "malformed_multipart": "the multipart body is cut off or has no boundary",
        "invalid_request": "the body lacks what it must hold, or holds something else",
        "invalid_parameter": "a parameter has a value that makes no sense",
        "invalid_base64": "a picture in JSON is not base64",
        "invalid_tensor": "numbers, shape or datatype are not those that the model takes",
        "invalid_input": "the model cannot be asked this",
    },
    401: {"unauthorized": "no API key came, or a wrong one"},
    404: {"model_not_found": "no such model or version", "not_found": "no such path"},
    405: {"method_not_allowed": "the path has no such method; `Allow` names those that it has"},
    413: {
        "body_too_large": "more bytes than a body may have",
        "batch_too_large": "more inputs than a request may have",
        "too_large": "more pixels, characters or ids than an input may have",
    },
    415: {"unsupported_media_type": "a content type or encoding that is not read here"},
    422: {
        "damaged_image": "the bytes are no picture, or a damaged one",
        "blank_image": "nothing is drawn on the picture",
        "no_words": "the text has no word that the model knows",
    },
    429: {"overloaded": "more work waits than the queue holds; try again after `Retry-After` seconds"},
    500: {"internal_error": "a fault of the server; its log says more under the request's id"},
    503: {
        "not_ready": "the server is starting or shutting down",
        "model_error": "the model's files cannot be used",
        "checksum_mismatch": "the model's file is not the one that its card describes",
    },
    504: {"deadline_exceeded": "there was no answer in time"},
}
_NAMES = {
    400: "BadRequest",
    401: "Unauthorized",
    404: "NotFound",
    405: "MethodNotAllowed",
    413: "TooLarge",
    415: "UnsupportedMediaType",
    422: "Unusable",
    429: "Overloaded",
    500: "Fault",
    503: "Unavailable",
    504: "DeadlineExceeded",
}
_HEADERS: dict[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def refused(statuses: Sequence[int]) -> dict[str, Json]:
    """Return the responses of an operation that are refusals, by status."""
    return {str(status): {"$ref": f"#/components/responses/{_NAMES[status]}"} for status in sorted(statuses)}


def responses(statuses: Sequence[int]) -> dict[str, Json]:
    """Return the components that :func:`refused` points to."""
    return {_NAMES[status]: _response(status) for status in statuses}


def schemas(statuses: Sequence[int]) -> dict[str, Json]:
    """Return the body of each status' refusals."""
    return {f"{_NAMES[status]}RequestError": _schema(CODES[status]) for status in statuses}


def _response(status: int) -> Json:
    meanings = "\n".join(f"- `{code}`: {meaning}" for code, meaning in CODES[status].items())
    headers = ("X-Request-ID", *_HEADERS.get(status, ()))
    return {
        "description": meanings,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {
            "application/json": {"schema": {"$ref": f"#/components/schemas/{_NAMES[status]}RequestError"}}
        },
    }


def _schema(codes: dict[str, str]) -> Json:
    first, meaning = next(iter(codes.items()))
    return {
        "type": "object",
        "required": ["error", "code", "request_id"],
        "properties": {
            "error": {"type": "string", "description": "What was wrong, with what, and what to do"},
            "code": {"type": "string", "enum": list(codes), "description": "Stable, for programs"},
            "request_id": {"type": "string", "description": "The same as in `X-Request-ID`"},
        },
        "examples": [{"error": meaning, "code": first, "request_id": "lecture-7"}],
    }
