"""Pictures, archives and tables in an object store are read like those of a disk, from moto's server for S3.

Its packages conflict with those of the tests, so that it has an environment of its own: tests/README.md.
"""

import io
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.batch.errors import SourceError
from service.batch.reader import InputReader
from service.batch.sources import list_inputs
from service.batch.storage import stamp

_STARTS_WITHIN_S = 60


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The address of a server with the empty bucket ``lectern``."""
    if shutil.which("moto_server") is None:
        pytest.skip("there is no moto_server; tests/README.md says how to install it")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    command, quiet = ["moto_server", "-H", "127.0.0.1", "-p", str(port)], subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _create_bucket(address, time.monotonic() + _STARTS_WITHIN_S)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("AWS_ENDPOINT_URL", address)
                patch.setenv("AWS_ACCESS_KEY_ID", "a")
                patch.setenv("AWS_SECRET_ACCESS_KEY", "b")
                patch.setenv("AWS_REGION", "us-east-1")
                yield address
        finally:
            server.terminate()


def _create_bucket(address: str, deadline: float) -> None:
    """Create the bucket as soon as the server listens."""
    while True:
        try:
            httpx.put(f"{address}/lectern").raise_for_status()
        except httpx.ConnectError:
            if time.monotonic() > deadline:
                raise
        else:
            return


@pytest.fixture
def put(store: str) -> Callable[[str, bytes], None]:
    """Write an object."""

    def write(name: str, content: bytes) -> None:
        public = {"x-amz-acl": "public-read-write"}  # requests without a signature can replace it
        httpx.put(f"{store}/lectern/{name}", content=content, headers=public).raise_for_status()

    return write


def _read(*sources: str) -> dict[str, Any]:
    with closing(InputReader(texts=False, column=None)) as reader:
        return {item.shown: reader.read(item) for item in list_inputs(sources, texts=False)}


def test_folders_files_archives_and_tables_are_read(put: Callable[[str, bytes], None]) -> None:
    put("in/b/2.png", b"two")
    put("in/1.jpg", b"one")
    put("in/notes.md", b"no picture")
    archive, table = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("3.png", b"three")
    pq.write_table(pa.table({"image": [b"four", b"five"]}), table)
    put("more.zip", archive.getvalue())
    put("more.parquet", table.getvalue())
    assert _read("s3://lectern/in", "s3://lectern/more.zip", "s3://lectern/more.parquet") == {
        "s3://lectern/in/1.jpg": b"one",
        "s3://lectern/in/b/2.png": b"two",
        "s3://lectern/more.zip/3.png": b"three",
        "s3://lectern/more.parquet#0": b"four",
        "s3://lectern/more.parquet#1": b"five",
    }


def test_a_changed_object_has_another_stamp(put: Callable[[str, bytes], None]) -> None:
    put("table.parquet", b"one")
    before = stamp("s3://lectern/table.parquet")
    put("table.parquet", b"other")
    assert stamp("s3://lectern/table.parquet") != before


@pytest.mark.parametrize("address", ["s3://lectern/nothing", "s3://no-bucket/x"])
def test_an_address_without_anything_is_named(address: str, store: str) -> None:
    with pytest.raises(SourceError, match=f"{address}: "):
        _read(address)


def test_files_on_a_disk_need_no_store(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"one")
    assert list(_read(str(tmp_path)).values()) == [b"one"]
