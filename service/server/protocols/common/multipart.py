"""Splits multipart bodies into files and fields.

Starlette's parser is made for bodies that arrive piece by piece, and copies each file three times. Here the
body is complete, so that each part is copied once.
"""

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common.encodings import text_encoding

_MAX_REASON = 100
# The parser goes through the characters after each boundary one by one.
_MAX_PADDING = 100


@dataclass
class _Part:
    is_file: bool = False
    chunks: list[bytes] = field(default_factory=list)


def split_multipart(body: bytes, content_type: str, *, max_parts: int) -> list[bytes | str]:
    """Return the files of a multipart body as bytes, and its fields as strings.

    Args:
        body: The complete body.
        content_type: The header of that name, with the boundary.
        max_parts: Limit of files, and of fields.

    Raises:
        RequestError: 400: The body is incomplete or malformed. 413: It has too many parts.
    """
    options = parse_options_header(content_type)[1]
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise _malformed("Content-Type has no boundary; leave the header out, so that the client writes it")
    _check_boundaries(body, b"\r\n--" + boundary, max_parts=max_parts)
    reader = _Reader(max_parts)
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise _malformed(str(error)) from error
    # The parser drops the last part of an incomplete body without an error.
    if not reader.has_ended:
        raise _malformed("it does not end with its boundary; send the complete body")
    charset = text_encoding(options.get(b"charset", b"utf-8").decode("latin-1")) or "latin-1"
    contents = ((part.is_file, b"".join(part.chunks)) for part in reader.parts)
    return [content if is_file else _decode(content, charset) for is_file, content in contents]


def _check_boundaries(body: bytes, boundary: bytes, *, max_parts: int) -> None:
    """Check the boundaries, and what looks like one, before the parser takes seconds for millions of them.

    Args:
        body: The complete body.
        boundary: With the line break and the hyphens before it.
        max_parts: Limit of files, and of fields.

    Raises:
        RequestError: 400: A boundary has too much white space after it. 413: There are too many.
    """
    if body.count(boundary) > 2 * max_parts + 1:
        raise RequestError(
            ErrorCode.BATCH_TOO_LARGE,
            f"there are more than {max_parts} files or fields; send several requests",
        )
    place = body.find(boundary)
    while place >= 0:
        end = place + len(boundary)
        padding = body[end : end + _MAX_PADDING]
        if len(padding) == _MAX_PADDING and not padding.strip(b" \t"):
            raise _malformed(f"a boundary has more than {_MAX_PADDING} spaces after it")
        place = body.find(boundary, end)


class _Reader:
    """Collects the complete parts that the parser finds.

    Attributes:
        parts: The parts.
        has_ended: Whether the body has its last boundary.
    """

    def __init__(self, max_parts: int) -> None:
        self.parts: list[_Part] = []
        self.has_ended = False
        self._part = _Part()
        self._max_parts = max_parts
        self._counts = {True: 0, False: 0}
        self._name = self._value = self._disposition = b""

    def callbacks(self) -> dict[str, object]:
        """Return the methods by the parser's names of its events."""
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._part = _Part()
        self._disposition = b""

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._part.chunks.append(data[start:end])

    def _part_end(self) -> None:
        self.parts.append(self._part)

    def _end(self) -> None:
        self.has_ended = True

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        options = parse_options_header(self._disposition)[1]
        if b"name" not in options:
            raise _malformed("a part has no Content-Disposition with a name")
        is_file = self._part.is_file = b"filename" in options
        self._counts[is_file] += 1
        if self._counts[is_file] > self._max_parts:
            kind = "files" if is_file else "fields"
            raise RequestError(
                ErrorCode.BATCH_TOO_LARGE,
                f"there are more than {self._max_parts} {kind}; send several requests",
            )


def _decode(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset)
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _malformed(reason: str) -> RequestError:
    return RequestError(
        ErrorCode.MALFORMED_MULTIPART, f"the multipart body cannot be read: {reason[:_MAX_REASON]}"
    )
