"""An input that cannot be read has an error of its own, and the next ones are read."""

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.batch.errors import UnreadableInput
from service.batch.reader import InputReader
from service.batch.sources import Input

_NAMES = ("a.png", "b.png", "c.png")
_METHOD = 8  # bytes after the beginning of a member's head
_FLAGS = 6


@pytest.fixture
def reader() -> Iterator[InputReader]:
    """A reader of pictures."""
    with closing(InputReader(texts=False, column=None)) as opened:
        yield opened


def _archive() -> bytearray:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _NAMES:
            archive.writestr(name, name.encode() * 100)
    return bytearray(stream.getvalue())


def _heads(content: bytearray, name: str) -> list[int]:
    """Return where the two heads of a member have its method, after which its flags are two bytes before."""
    local, central = content.find(name.encode()), content.rfind(name.encode())
    return [local - 30 + _METHOD, central - 46 + _METHOD + 2]


def _damage(content: bytearray) -> None:
    start = content.find(b"b.png") + len("b.png")
    content[start : start + 10] = b"\xff" * 10


def _encrypt(content: bytearray) -> None:
    for place in _heads(content, "b.png"):
        content[place - 2] |= 1


def _use_unknown_method(content: bytearray) -> None:
    for place in _heads(content, "b.png"):
        content[place] = 99


@pytest.mark.parametrize("change", [_damage, _encrypt, _use_unknown_method])
def test_a_member_that_cannot_be_unpacked_costs_no_other(
    change: Callable[[bytearray], None], reader: InputReader, tmp_path: Path
) -> None:
    content = _archive()
    change(content)
    path = tmp_path / "t.zip"
    path.write_bytes(content)
    assert reader.read(Input(str(path), member="a.png")) == b"a.png" * 100
    with pytest.raises(UnreadableInput, match=r"b\.png cannot be unpacked"):
        reader.read(Input(str(path), member="b.png"))
    assert reader.read(Input(str(path), member="c.png")) == b"c.png" * 100


def test_a_path_that_cannot_be_one_is_unreadable(reader: InputReader) -> None:
    with pytest.raises(UnreadableInput, match="cannot be read"):
        reader.read(Input("a\0b.png"))


def test_a_text_that_is_not_utf8_is_unreadable(tmp_path: Path) -> None:
    texts = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"good"]).buffers())
    pq.write_table(pa.table({"text": texts}), tmp_path / "t.parquet")
    with closing(InputReader(texts=True, column=None)) as reader:
        with pytest.raises(UnreadableInput, match="save it as UTF-8"):
            reader.read(Input(f"{tmp_path}/t.parquet", row=0))
        assert reader.read(Input(f"{tmp_path}/t.parquet", row=1)) == "good"
