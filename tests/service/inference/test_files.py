"""Tests of atomic writing and of checksums."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from service.inference.files import open_regular, read_regular, sha256_of, write_atomically


def test_new_file_is_readable_by_others(tmp_path: Path) -> None:
    write_atomically(tmp_path / "card.json", b"new")
    assert (tmp_path / "card.json").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "card.json").stat().st_mode) == 0o644


def test_old_file_is_replaced_completely(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(b"old and longer")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old and longer"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failure_keeps_the_old_file_and_leaves_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "card.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_content_is_flushed_before_the_file_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    for name in ("fsync", "replace"):
        real: Callable[..., object] = getattr(os, name)

        def spy(*args: object, real: Callable[..., object] = real, name: str = name) -> object:
            steps.append(name)
            return real(*args)

        monkeypatch.setattr(os, name, spy)
    write_atomically(tmp_path / "card.json", b"new")
    assert steps == ["fsync", "replace"]


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """A pipe without a writer would block, and a device has no end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for name in ("pipe", "endless"):
        with pytest.raises(OSError, match="not a regular file") as raised:
            open_regular(tmp_path / name)
        assert raised.value.filename == str(tmp_path / name)
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    with open_regular(tmp_path / "link") as stream:
        assert stream.read() == b"abc"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert read_regular(tmp_path / "file", max_bytes=3) == b"abc"
    with pytest.raises(OSError, match="larger than 2 bytes"):
        read_regular(tmp_path / "file", max_bytes=2)


def test_checksum_is_that_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
