"""A file of API keys: names and keys, comments, and errors that show no key."""

import os
from pathlib import Path

import pytest

from service.inference.errors import SettingsError
from service.key_file import read_key_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_mistake(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfalice: a1\r\nbob: b2\r\n")
    assert read_key_file(path) == {"a1": "alice", "b2": "bob"}


def test_each_line_has_a_name_and_a_key(path: Path) -> None:
    path.write_text("# of the course\n\nalice: a1\nbob=b=2:x==\n  desktop-app_2.0 = c3  \nalice: a-new\n")
    assert read_key_file(path) == {"a1": "alice", "b=2:x==": "bob", "c3": "desktop-app_2.0", "a-new": "alice"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alice: a1\ns3cret\n", "line 2: is not 'name: key'"),
        ("alice: s3cret s3cret", "line 1: is not 'name: key'"),
        ("alice: s3cret\u00e9", "line 1: is not 'name: key'"),
        ("al ice: s3cret", "line 1: is not 'name: key'"),
        ('al"ice: s3cret', "line 1: is not 'name: key'"),
        (": s3cret", "line 1: is not 'name: key'"),
        ("alice: s3cret\nbob: s3cret", "line 2: another name has the same key"),
        ("# nothing\n", "holds no key"),
    ],
)
def test_a_mistake_is_named_without_the_key(path: Path, text: str, message: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        read_key_file(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(path: Path) -> None:
    with pytest.raises(SettingsError, match="keys: cannot be read"):
        read_key_file(path)
    path.write_bytes(b"alice: \xff")
    with pytest.raises(SettingsError, match="keys: is not UTF-8"):
        read_key_file(path)


def test_a_file_that_is_not_regular_or_too_large_is_named(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(SettingsError, match=r"keys: cannot be read \(not a regular file\)"):
        read_key_file(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(SettingsError, match=r"keys: cannot be read \(not a regular file\)"):
        read_key_file(path)
    path.unlink()
    path.write_text("# a comment\n" * 100_000 + "alice: a1\n")
    with pytest.raises(SettingsError, match=r"keys: cannot be read \(larger than 1,000,000 bytes\)"):
        read_key_file(path)
