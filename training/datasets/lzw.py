"""Owns reading ``.Z`` files, which Unix's ``compress`` made before there was gzip (Welch 1984)."""

_MAGIC = b"\x1f\x9d"
_CLEAR = 256


def uncompress(data: bytes) -> bytes:
    """Undo ``compress``.

    Args:
        data: A whole ``.Z`` file.

    Raises:
        ValueError: It is none, or is damaged.
    """
    if data[:2] != _MAGIC or len(data) < 3:
        raise ValueError("it is no .Z file")
    widest, clears = data[2] & 0x1F, bool(data[2] & 0x80)
    first = _CLEAR + 1 if clears else _CLEAR
    words = [bytes([value]) for value in range(256)] + [b""] * (first - 256)
    parts: list[bytes] = []
    before, width, bit, start = b"", 9, 0, 0
    length = 8 * (len(data) - 3)
    body = memoryview(data)[3:]
    while bit + width <= length:
        place = bit // 8
        window = int.from_bytes(body[place : place + 4], "little")
        code = (window >> (bit % 8)) & ((1 << width) - 1)
        bit += width
        if clears and code == _CLEAR:
            # Codes are written in groups of eight, and the rest of a group is filled up.
            group = 8 * width
            bit = start + -(-(bit - start) // group) * group
            del words[first:]
            before, width, start = b"", 9, bit
            continue
        if code < len(words):
            word = words[code]
        elif before and code == len(words):
            word = before + before[:1]
        else:
            raise ValueError("it is damaged")
        parts.append(word)
        if before and len(words) < 1 << widest:
            words.append(before + word[:1])
        before = word
        if len(words) >= 1 << width and width < widest:
            group = 8 * width
            bit = start + -(-(bit - start) // group) * group
            width, start = width + 1, bit
    return b"".join(parts)
