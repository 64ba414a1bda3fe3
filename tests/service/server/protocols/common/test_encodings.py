"""Texts and base64 are decoded in the forms that clients send, and what is neither is an error."""

import base64
import encodings
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from service.server.pipeline.errors import RequestError
from service.server.protocols.common import encodings as encodings_module
from service.server.protocols.common.encodings import charset_of, decode_base64, text_encoding


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_base64_is_read_in_the_forms_that_encoders_write(padding: int) -> None:
    data = bytes([0xFB, 0xEF, 0xFF, 0xFE] * 30) + bytes(padding)
    for encoded in (
        base64.b64encode(data),
        base64.encodebytes(data),  # with line breaks
        base64.encodebytes(data).replace(b"\n", b"\r\n"),
        base64.urlsafe_b64encode(data),
        base64.b64encode(data).rstrip(b"="),
        b"data:image/png;base64," + base64.b64encode(data),
        b"Data:image/png;BASE64," + base64.b64encode(data),
        b"data:image/png;base64," + quote(base64.b64encode(data), safe="").encode(),
    ):
        assert decode_base64(encoded.decode()) == data


@pytest.mark.parametrize("more", [0, 1, 2])
def test_long_base64_is_decoded_in_pieces(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    lengths = []

    def decode(value: str, *, strict_mode: bool) -> bytes:
        lengths.append(len(value))
        return base64.b64decode(value, validate=strict_mode)

    monkeypatch.setattr(encodings_module, "binascii", SimpleNamespace(a2b_base64=decode))
    data = bytes(range(250)) * 6_000 + bytes(more)
    assert decode_base64(base64.b64encode(data).decode()) == data
    assert max(lengths) <= 1_000_000  # The interpreter runs nothing else while it decodes a piece.


@pytest.mark.parametrize("padding", ["=", "==", "A=A"])
def test_padding_in_the_middle_of_long_base64_is_an_error(padding: str) -> None:
    with pytest.raises(RequestError, match="must be base64"):
        decode_base64("A" * (1_000_000 - len(padding)) + padding + "A" * 8)


@pytest.mark.parametrize("text", ["!", "abcde", "AA=A", "äöü=", "AAAA====AAAA"])
def test_what_is_not_base64_is_an_error(text: str) -> None:
    with pytest.raises(RequestError, match="must be base64") as refused:
        decode_base64(text)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/plain", "utf-8"),
        ("text/plain; charset=UTF-16LE", "utf-16-le"),
        ('text/plain; charset="ISO-8859-1"', "iso8859-1"),
        ("text/plain; Charset=windows-1252", "cp1252"),
    ],
)
def test_the_charset_of_a_content_type(content_type: str, charset: str) -> None:
    assert charset_of(content_type) == charset


@pytest.mark.parametrize("charset", ["nope", "base64", "rot13", "punycode", "idna", "utf-7", "\x00"])
def test_an_unknown_charset_is_refused(charset: str) -> None:
    with pytest.raises(RequestError, match=r"charset .* is not known; send UTF-8") as refused:
        charset_of(f"text/plain; charset={charset}")
    assert refused.value.status == 415


def test_names_that_clients_choose_are_not_kept() -> None:
    kept = len(encodings._cache)
    for number in range(100):
        assert text_encoding(f"unknown-{number}") is None
        assert text_encoding(f"utf{'-' * number}8") == "utf-8"
        assert text_encoding(f"UTF{' ' * number}16") == "utf-16"
    assert len(encodings._cache) <= kept + 2


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("utf8", "utf-8"),
        ("UTF_8_SIG", "utf-8-sig"),
        ("latin-1", "iso8859-1"),
        ("ISO_8859-1:1987", "iso8859-1"),
        ("ANSI_X3.4-1968", "ascii"),
        ("csISOLatin2", "iso8859-2"),
        ("MS-Kanji", "cp932"),
        ("Shift_JIS", "shift_jis"),
        ("x-mac-romanian", None),
        ("mac-romanian", "mac-romanian"),
        ("koi8-u", "koi8-u"),
        ("cp737", "cp737"),
        ("mbcs", None),
        ("unicode_escape", None),
        ("aliases", None),
        ("..utf8", None),
    ],
)
def test_encodings_are_known_by_the_names_that_python_knows(name: str, encoding: str | None) -> None:
    assert text_encoding(name) == encoding
