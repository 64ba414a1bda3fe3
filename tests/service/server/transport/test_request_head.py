"""The head of a request has a limit, and the fields that make it ambiguous are refused."""

import pytest

from service.server.pipeline.errors import RequestError
from service.server.pipeline.pipeline import MAX_URL_BYTES
from service.server.transport.request_head import (
    MAX_HEAD_BYTES,
    MAX_HEADER_FIELDS,
    check_fields,
    check_size,
)

_HOST = (b"host", b"localhost")


@pytest.mark.parametrize(
    ("url", "headers", "code"),
    [
        (b"/", [(b"x", b"y")] * (MAX_HEADER_FIELDS + 1), "headers_too_large"),
        (b"/", [(b"x", b"y" * MAX_HEAD_BYTES)], "headers_too_large"),
        (b"/" * (MAX_URL_BYTES + 1), [(b"x", b"y" * MAX_HEAD_BYTES)], "url_too_long"),
    ],
)
def test_a_large_head_is_refused(url: bytes, headers: list[tuple[bytes, bytes]], code: str) -> None:
    with pytest.raises(RequestError) as refused:
        check_size(url, headers)

    assert refused.value.code == code


def test_a_head_up_to_the_limit_is_accepted() -> None:
    check_size(b"/", [(b"x", b"y" * (MAX_HEAD_BYTES - 2))])
    check_size(b"/", [(b"x", b"y")] * MAX_HEADER_FIELDS)


@pytest.mark.parametrize(
    ("headers", "version", "message"),
    [
        ([], "1.1", "0 header fields Host"),
        ([_HOST, _HOST], "1.0", "2 header fields Host"),
        ([_HOST, (b"transfer-encoding", b"gzip, chunked")], "1.1", "'gzip, chunked' is not read"),
    ],
)
def test_ambiguous_fields_are_refused(headers: list[tuple[bytes, bytes]], version: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        check_fields(headers, http_version=version)


def test_plain_fields_are_accepted() -> None:
    check_fields([_HOST, (b"transfer-encoding", b" Chunked ")], http_version="1.1")
    check_fields([], http_version="1.0")
