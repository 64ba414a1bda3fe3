"""Decodes what clients send as text: texts in the encoding of their content type, and files in base64."""

import binascii
import codecs
import encodings
import pkgutil
import re
from encodings.aliases import aliases
from urllib.parse import unquote

from python_multipart.multipart import parse_options_header

from service.inference.errors import shorten
from service.server.pipeline.errors import ErrorCode, RequestError

_BYTE_ORDER_MARK = "\ufeff"
_FROM_URL_SAFE = str.maketrans("-_", "+/")
DEFAULT = "utf-8"
# Characters of base64 that are decoded at once; a multiple of 4.
_PIECE = 1_000_000
# The encodings of texts that Python decodes in linear time. It has others, such as Punycode.
_TEXTS = re.compile(
    r"ascii|utf-(8|8-sig|16|16-le|16-be|32|32-le|32-be)|iso8859-\d+|cp\d+|koi8-[rut]|mac-\w+|"
    r"gb2312|gbk|gb18030|hz|big5\w*|shift_jis\w*|euc_\w+|iso2022_\w+|johab|tis-620|kz1048|ptcp154|hp-roman8"
)
# Python keeps each name that it is asked for, found or not. So it is asked for its own modules alone.
_MODULES = frozenset(module.name for module in pkgutil.iter_modules(encodings.__path__))


def charset_of(content_type: str) -> str:
    """Return Python's name of the ``charset`` in a content type; UTF-8 if it names none.

    Raises:
        RequestError: 415: The server does not know the encoding.
    """
    if "charset" not in content_type.lower():
        return DEFAULT
    value = parse_options_header(content_type)[1].get(b"charset", b"").decode("latin-1")
    name = text_encoding(value or DEFAULT)
    if name is None:
        raise RequestError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE, f"the charset {shorten(value)} is not known; send UTF-8"
        )
    return name


def text_encoding(name: str) -> str | None:
    """Return Python's name of an encoding of texts; None if it is unknown, or not one of texts."""
    plain = encodings.normalize_encoding(name).lower()
    module = aliases.get(plain) or aliases.get(plain.replace(".", "_")) or plain
    if module not in _MODULES:
        return None
    try:
        found = codecs.lookup(module).name
    except LookupError:  # a module of another operating system, or none of an encoding
        return None
    return found if _TEXTS.fullmatch(found) else None


def decode_base64(value: str) -> bytes:
    """Decode a picture in base64, with or without a ``data:`` prefix.

    The URL-safe alphabet, line breaks and other white space, and a missing padding are accepted.

    Raises:
        RequestError: 400: The value is not base64.
    """
    if value[:5].lower() == "data:":
        value = unquote(value.partition(",")[2])  # as in any URL, characters may be percent-encoded
    try:
        return _decode_strictly(value)
    except ValueError:
        pass
    plain = "".join(value.translate(_FROM_URL_SAFE).split()).rstrip("=")
    try:
        return _decode_strictly(plain + "=" * (-len(plain) % 4))
    except ValueError as error:
        raise RequestError(
            ErrorCode.INVALID_BASE64,
            f"a picture in JSON must be base64, and {shorten(value)} is not ({error})",
        ) from error


def _decode_strictly(value: str) -> bytes:
    """Decode base64, in pieces: the interpreter runs nothing else in the middle of one."""
    # Not base64.b64decode: that validates with a regular expression first, which is slower.
    if len(value) <= _PIECE:
        return binascii.a2b_base64(value, strict_mode=True)
    starts = range(0, len(value), _PIECE)
    if any(value[start + _PIECE - 1] == "=" for start in starts[:-1]):
        raise ValueError("Excess data after padding")
    return b"".join(binascii.a2b_base64(value[start : start + _PIECE], strict_mode=True) for start in starts)


def decode_text(body: bytes, *, charset: str = "utf-8") -> str:
    """Decode a text; a byte order mark is not part of it.

    Args:
        body: The text.
        charset: Python's name of its encoding.

    Raises:
        RequestError: 400: The text has another encoding.
    """
    try:
        return body.decode(charset).removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise RequestError(
            ErrorCode.INVALID_REQUEST,
            f"the text is not {charset.upper()} ({error.reason} at byte {error.start}); "
            "name its charset in the content type, or send UTF-8",
        ) from error
