"""Hypothesis strategies that mutate valid requests."""

from collections.abc import Sequence

from hypothesis import strategies as st

# What parsers stumble over: ends, delimiters, signs, and numbers at the limits of their types.
_TOKENS = (
    *(b"\0", b"\xff" * 4, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\x80\0\0\0"),
    *(b'"', b"[", b"]", b"{", b"}", b",", b"null", b"true", b"-1", b"1e999", b"NaN", b"0.5"),
    *(b"\\ud800", b"\\", b"%", b"\r\n", b"--edge", b"--edge--", b";", b"="),
    *(b"9223372036854775807", b"18446744073709551616"),
)
_LENGTHS = st.sampled_from((1, 1, 2, 4, 30))


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Draw a valid request, and overwrite, cut, repeat, insert or truncate a few bytes of it."""
    body = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(body)))
        length = draw(_LENGTHS)
        match draw(st.sampled_from(("overwrite", "cut", "repeat", "insert", "truncate"))):
            case "overwrite":
                body[place : place + length] = draw(st.binary(min_size=length, max_size=length))
            case "cut":
                del body[place : place + length]
            case "repeat":
                body[place:place] = body[place : place + length] * draw(st.integers(1, 4))
            case "insert":
                body[place:place] = draw(st.sampled_from(_TOKENS))
            case _:
                del body[place:]
    return bytes(body)
