"""Pen digits are read from the publisher's archive of a .Z file."""

import zipfile
from pathlib import Path

import ncompress
import numpy as np
import pytest

from training.datasets.pendigits import PENDIGITS, fetch_pendigits, load_pendigits
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


def _archive(cache: Path, content: bytes, name: str = "pendigits-orig.tra.Z") -> None:
    with zipfile.ZipFile(cache / "pendigits.zip", "w") as archive:
        archive.writestr(name, content)


def test_strokes_are_converted_with_y_downwards(cache: Path) -> None:
    _archive(cache, ncompress.compress(UNIPEN.encode()))

    fetch_pendigits(PENDIGITS, count=2)

    seven, one = load_pendigits()
    assert (seven.label, one.label) == (7, 1)
    assert [len(stroke) for stroke in seven.strokes] == [3, 2]
    np.testing.assert_array_equal(seven.strokes[1], [[250, -200], [310, -205]])
    np.testing.assert_array_equal(one.strokes[0], [[10, -400], [12, -20]])
    assert [path.name for path in cache.iterdir()] == ["pendigits_strokes.npz"]


def test_unexpected_archive_is_refused(cache: Path) -> None:
    _archive(cache, ncompress.compress(UNIPEN.encode()))
    with pytest.raises(DatasetError, match="contains 2 digits, expected 7494"):
        load_pendigits()
    _archive(cache, ncompress.compress(UNIPEN.encode()), name="pendigits.tra")
    with pytest.raises(DatasetError, match="contains no complete pendigits-orig"):
        load_pendigits()


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08", b"\x1f\x9d\x90\xff\xff\xff\xff"])
def test_damaged_z_file_is_refused(cache: Path, content: bytes) -> None:
    _archive(cache, content)

    with pytest.raises(DatasetError, match="contains no complete pendigits-orig"):
        load_pendigits()


def test_damaged_file_is_refused_by_name(cache: Path) -> None:
    (cache / "pendigits_strokes.npz").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match=r"pendigits_strokes\.npz: cannot be read"):
        load_pendigits()
