"""Multipart bodies are split into files and fields."""

import time

import pytest

from service.server.pipeline.errors import RequestError
from service.server.protocols.common.multipart import split_multipart

_TYPE = "multipart/form-data; boundary=edge"


def _part(head: str, content: bytes) -> bytes:
    return f"--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"


_FILE = _part('name="f"; filename="x"', b"\r\n--edg \x00\xff\r")
_FIELD = _part('name="t"', "Grün".encode())
_END = b"--edge--\r\n"


def test_files_are_bytes_and_fields_are_text() -> None:
    assert split_multipart(_FILE + _FIELD + _END, _TYPE, max_parts=1) == [b"\r\n--edg \x00\xff\r", "Grün"]


@pytest.mark.parametrize(
    ("charset", "text"), [("latin-1", "GrÃ¼n"), ("ascii", "GrÃ¼n"), ("unknown", "GrÃ¼n"), ("UTF-8", "Grün")]
)
def test_the_charset_of_the_body_counts_if_it_fits(charset: str, text: str) -> None:
    assert split_multipart(_FIELD + _END, f"{_TYPE}; charset={charset}", max_parts=1) == [text]


@pytest.mark.parametrize("part", [_FILE, _FIELD])
def test_more_files_or_fields_than_the_limit_are_an_error(part: bytes) -> None:
    assert len(split_multipart(part * 2 + _END, _TYPE, max_parts=2)) == 2
    with pytest.raises(RequestError, match="more than 2") as refused:
        split_multipart(part * 3 + _END, _TYPE, max_parts=2)
    assert refused.value.code == "batch_too_large"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", _TYPE),
        (_FILE, _TYPE),
        (_part('name="f"; filename="x"', b"x--edge--"), _TYPE),
        (_FILE + _END, "multipart/form-data"),
        (_FILE + _END, "multipart/form-data; boundary="),
        (_part('filename="x"', b"") + _END, _TYPE),
        (b"--edge\r\n\r\nno head\r\n" + _END, _TYPE),
        (b"--edge\r\nbad header\r\n\r\n\r\n" + _END, _TYPE),
        (_FILE + _END, "multipart/form-data; boundary=" + "x" * 500),
    ],
)
def test_a_malformed_body_is_an_error(body: bytes, content_type: str) -> None:
    with pytest.raises(RequestError) as refused:
        split_multipart(body, content_type, max_parts=9)
    assert refused.value.code == "malformed_multipart"


@pytest.mark.parametrize(
    "content",
    [b"\r\n--edgeX" * 1_500_000, b"\r\n--edge-X" * 1_400_000, b"\r\n--edge" + b" \t" * 8_000_000],
    ids=["boundaries that go on", "ends that go on", "padding"],
)
def test_a_body_that_is_nearly_all_boundaries_is_refused_at_once(content: bytes) -> None:
    started = time.thread_time()
    with pytest.raises(RequestError) as refused:
        split_multipart(_part('name="f"; filename="x"', content) + _END, _TYPE, max_parts=64)
    assert refused.value.status in (400, 413)
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("padding", [b"", b" ", b" \t \t"])
def test_boundaries_may_have_padding(padding: bytes) -> None:
    body = (_FILE + _FIELD).replace(b"--edge\r\n", b"--edge" + padding + b"\r\n") + _END
    body = body.removeprefix(b"--edge" + padding)
    assert len(split_multipart(b"--edge" + body, _TYPE, max_parts=1)) == 2
