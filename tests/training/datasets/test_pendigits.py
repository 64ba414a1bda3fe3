"""Pen digits are read from the publisher's archive, whose packing gzip reads too."""

import random
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from training.datasets.lzw import uncompress
from training.datasets.pendigits import fetch_pendigits, load_pendigits
from training.errors import DatasetError

UNIPEN = """.VERSION 1.0
.COORD X Y
.HIERARCHY DIGIT
.SEGMENT DIGIT 0-1 OK "7"
.COMMENT 7 12 224
.PEN_DOWN
 267 333
 300 340
 280 100
.PEN_UP
.DT 100
.PEN_DOWN
 250 200
 310 205
.PEN_UP
.DT 100
.SEGMENT DIGIT 2-3 OK "1"
.COMMENT 1 3 9
.PEN_DOWN
 10 400
 12 20
.PEN_UP
"""


def _compress(data: bytes, *, widest: int = 16, clear_every: int | None = None) -> bytes:
    """Pack as Unix's compress does: codes of growing width, in groups of eight that are filled up."""
    result, group = bytearray([0x1F, 0x9D, 0x80 | widest]), []
    table, width, since = {bytes([value]): value for value in range(256)}, 9, 0

    def flush() -> None:
        packed = sum(code << (place * width) for place, code in enumerate(group))
        result.extend(packed.to_bytes(width, "little"))
        group.clear()

    word = b""
    for value in data:
        longer = word + bytes([value])
        if longer in table:
            word = longer
            continue
        group.append(table[word])
        if len(group) == 8:
            flush()
        since += 1
        if len(table) + 1 < 1 << widest:
            table[longer] = len(table) + 1
            if table[longer] >= 1 << width and width < widest:
                if group:
                    flush()
                width += 1
        elif clear_every and since > clear_every:
            group.append(256)
            flush()
            table, width, since = {bytes([value]): value for value in range(256)}, 9, 0
        word = bytes([value])
    packed = sum(code << (place * width) for place, code in enumerate([*group, table[word]]))
    result.extend(packed.to_bytes(((len(group) + 1) * width + 7) // 8, "little"))
    return bytes(result)


@pytest.mark.parametrize(
    ("size", "widest", "clear_every"),
    [(1, 16, None), (5_000, 16, None), (60_000, 12, None), (60_000, 12, 2_000)],
)
def test_unpacks_what_gzip_unpacks(size: int, widest: int, clear_every: int | None) -> None:
    rng = random.Random(size)
    data = bytes(rng.choice(b"01234 .\n") if rng.random() < 0.8 else rng.randrange(256) for _ in range(size))
    packed = _compress(data, widest=widest, clear_every=clear_every)

    assert uncompress(packed) == data
    if shutil.which("gzip"):
        assert subprocess.run(["gzip", "-dc"], input=packed, capture_output=True, check=True).stdout == data


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b\x08", b"\x1f\x9d\x90\xff\xff\xff\xff"])
def test_what_is_not_so_packed_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no \.Z file|damaged"):
        uncompress(data)


def _archive(cache: Path, text: str, name: str = "pendigits-orig.tra.Z") -> None:
    with zipfile.ZipFile(cache / "pendigits.zip", "w") as archive:
        archive.writestr(name, _compress(text.encode()))


def test_strokes_are_converted_with_y_downwards(cache: Path) -> None:
    _archive(cache, UNIPEN)

    fetch_pendigits(count=2)

    seven, one = load_pendigits()
    assert (seven.label, one.label) == (7, 1)
    assert [len(stroke) for stroke in seven.strokes] == [3, 2]
    np.testing.assert_array_equal(seven.strokes[1], [[250, -200], [310, -205]])
    np.testing.assert_array_equal(one.strokes[0], [[10, -400], [12, -20]])
    assert [path.name for path in cache.iterdir()] == ["pendigits_strokes.npz"]


def test_another_archive_is_refused(cache: Path) -> None:
    _archive(cache, UNIPEN)
    with pytest.raises(DatasetError, match="holds 2 digits, expected 7494"):
        load_pendigits()
    _archive(cache, UNIPEN, name="pendigits.tra")
    with pytest.raises(DatasetError, match="holds no whole pendigits-orig"):
        load_pendigits()


def test_a_damaged_file_is_named(cache: Path) -> None:
    (cache / "pendigits_strokes.npz").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match=r"pendigits_strokes\.npz: cannot be read"):
        load_pendigits()
