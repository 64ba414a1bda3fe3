"""Owns reading the body of a prediction request: raw bytes, plain text, multipart or JSON."""

import binascii
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, QueryParams, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from service.inference.predictor import Input
from service.server.pipeline.errors import ErrorCode, RequestError, shorten

_NUMBER = re.compile(r"[0-9]{1,18}")
_RAW_TYPES = ("", "application/octet-stream", "application/x-www-form-urlencoded")


@dataclass(frozen=True)
class PredictionRequest:
    """What a caller wants classified.

    Attributes:
        inputs: Picture files or texts, at least one.
        several: Whether the answer is one list of scores per input, or just the one list.
        top_k: How many labels to name; all of them if None.
    """

    inputs: tuple[Input, ...]
    several: bool
    top_k: int | None


async def read_request(
    body: bytes, headers: Headers, query: QueryParams, *, text: bool, max_batch: int
) -> PredictionRequest:
    """Read a prediction request in any of the ways that the simple dialect takes.

    Args:
        body: The whole body, already within the limit.
        headers: Of the request; its content type says how the body is read.
        query: May hold ``top_k``.
        text: Whether the model reads texts.
        max_batch: Most inputs in one request.

    Raises:
        RequestError: 400, 413 or 415: the body or a parameter cannot be used.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    top_k = parse_top_k(query["top_k"]) if "top_k" in query else None
    if kind == "application/json" or kind.endswith("+json"):
        request = _from_json(body, top_k, text=text, max_batch=max_batch)
    elif kind == "multipart/form-data":
        inputs = await _from_multipart(body, headers, text=text, max_batch=max_batch)
        request = PredictionRequest(inputs, len(inputs) > 1, top_k)
    elif kind in _RAW_TYPES or kind.startswith("text/" if text else "image/"):
        request = PredictionRequest((decode_text(body) if text else body,), False, top_k)
    else:
        wanted = "text/plain" if text else "image/png, image/jpeg and the like"
        raise RequestError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE,
            f"content type {kind!r} is not read here; send {wanted}, multipart/form-data or application/json",
        )
    check_batch(len(request.inputs), max_batch=max_batch)
    return request


def check_batch(count: int, *, max_batch: int) -> None:
    """Check how many inputs one request has.

    Raises:
        RequestError: 413: they are more than ``max_batch``.
    """
    if count > max_batch:
        raise RequestError(
            ErrorCode.BATCH_TOO_LARGE,
            f"{count} inputs are more than {max_batch}; send them in several requests",
        )


def parse_top_k(value: object) -> int:
    """Read ``top_k`` from a query string or JSON.

    Raises:
        RequestError: 400: it is no whole number from 1.
    """
    number = int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    if isinstance(number, int) and not isinstance(number, bool) and number >= 1:
        return number
    raise RequestError(
        ErrorCode.INVALID_PARAMETER, f"top_k is {shorten(value)}; it must be a whole number from 1"
    )


def decode_base64(value: str) -> bytes:
    """Decode a picture in base64, with or without a ``data:`` prefix.

    Raises:
        RequestError: 400: it is not base64.
    """
    if value.startswith("data:"):
        value = value.partition(",")[2]
    try:
        return binascii.a2b_base64(value, strict_mode=True)  # base64.b64decode takes three times as long
    except ValueError as error:
        raise RequestError(
            ErrorCode.INVALID_BASE64,
            f"a picture in JSON must be base64, and {shorten(value)} is not ({error})",
        ) from error


def decode_text(body: bytes) -> str:
    """Decode a text in UTF-8.

    Raises:
        RequestError: 400: it is not UTF-8.
    """
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RequestError(
            ErrorCode.INVALID_REQUEST, f"the text is not UTF-8 ({error.reason} at byte {error.start})"
        ) from error


def parse_json(body: bytes | memoryview) -> Any:
    """Read JSON.

    Raises:
        RequestError: 400: it is not JSON, too deeply nested, or has a number that no float64 can hold.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(ErrorCode.MALFORMED_JSON, f"the body is not JSON: {error}") from error


def _from_json(body: bytes, top_k: int | None, *, text: bool, max_batch: int) -> PredictionRequest:
    document = parse_json(body)
    if not isinstance(document, Mapping) or "inputs" not in document:
        raise RequestError(
            ErrorCode.INVALID_REQUEST, 'the JSON body must be an object with "inputs": a string, or a list'
        )
    parameters = document.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise RequestError(
            ErrorCode.INVALID_PARAMETER, '"parameters" must be an object, such as {"top_k": 3}'
        )
    if parameters.get("top_k") is not None:
        top_k = parse_top_k(parameters["top_k"])
    values = document["inputs"]
    rows: list[Any] = values if isinstance(values, list) else [values]
    if not rows or not all(isinstance(row, str) for row in rows):
        wanted = "a text" if text else "a picture in base64"
        raise RequestError(
            ErrorCode.INVALID_REQUEST, f'"inputs" must be {wanted}, or a list of one or more of them'
        )
    check_batch(len(rows), max_batch=max_batch)  # before any of them is decoded
    inputs = tuple(rows) if text else tuple(map(decode_base64, rows))
    # Hugging Face's text client takes the first element of the answer, so a lone text gets a list too.
    return PredictionRequest(inputs, isinstance(values, list) or text, top_k)


async def _from_multipart(body: bytes, headers: Headers, *, text: bool, max_batch: int) -> tuple[Input, ...]:
    _check_whole(body, headers)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        headers, stream(), max_files=max_batch, max_fields=max_batch, max_part_size=len(body)
    )
    # The body is in memory already; rolling its files over to the disk would only cost time.
    parser.spool_max_size = len(body) + 1
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many"):
            raise RequestError(
                ErrorCode.BATCH_TOO_LARGE, f"{error.message.rstrip('.')}; send several requests"
            ) from error
        raise RequestError(
            ErrorCode.MALFORMED_MULTIPART, f"the multipart body cannot be read: {error.message}"
        ) from error
    except (KeyError, ValueError) as error:
        raise RequestError(
            ErrorCode.MALFORMED_MULTIPART, f"the multipart body cannot be read ({error or 'no boundary'})"
        ) from error
    parts = [await part.read() if isinstance(part, UploadFile) else part for _, part in form.multi_items()]
    await form.close()
    inputs: list[Input] = []
    for part in parts:
        if text:
            inputs.append(decode_text(part) if isinstance(part, bytes) else part)
        elif isinstance(part, bytes):
            inputs.append(part)
    if not inputs:
        wanted = "text" if text else "picture file"
        raise RequestError(
            ErrorCode.INVALID_REQUEST,
            f"the multipart body holds no {wanted}; send one, as curl -F file=@… does",
        )
    return tuple(inputs)


def _check_whole(body: bytes, headers: Headers) -> None:
    """Refuse a multipart body that is cut off; the parser would drop its last part and say nothing."""
    boundary = parse_options_header(headers["content-type"])[1].get(b"boundary", b"")
    if not boundary or b"--" + boundary + b"--" not in body:
        raise RequestError(
            ErrorCode.MALFORMED_MULTIPART,
            "the multipart body has no boundary at its end; send the whole of it",
        )
