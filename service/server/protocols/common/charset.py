"""Reads the character encoding that a content type names."""

import codecs
import re

from python_multipart.multipart import parse_options_header

from service.inference.errors import shorten
from service.server.pipeline.errors import ErrorCode, RequestError

DEFAULT = "utf-8"
# The encodings of texts that Python decodes in linear time. It has others, such as Punycode.
_TEXTS = re.compile(
    r"ascii|utf-(8|8-sig|16|16-le|16-be|32|32-le|32-be)|iso8859-\d+|cp\d+|koi8-[rut]|mac-\w+|"
    r"gb2312|gbk|gb18030|hz|big5\w*|shift_jis\w*|euc_\w+|iso2022_\w+|johab|tis-620|kz1048|ptcp154|hp-roman8"
)


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
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return found if _TEXTS.fullmatch(found) else None
