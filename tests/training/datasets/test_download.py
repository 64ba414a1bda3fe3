"""Downloads from a test server: complete, interrupted, resumed, damaged."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from training.datasets.download import download
from training.errors import DatasetError

CONTENT = bytes(range(256)) * 4000


class _Server(ThreadingHTTPServer):
    """Serves CONTENT, with or without Range, and closes the connection after ``cut`` bytes if that is set."""

    ranges = True
    cut: int | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requested_ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/set.bin"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        requested = self.headers.get("Range")
        self.server.requested_ranges.append(requested)
        start = (
            int(requested.removeprefix("bytes=").removesuffix("-")) if requested and self.server.ranges else 0
        )
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.server.cut is None else body[: self.server.cut])
        self.close_connection = True

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_downloads_the_file_and_reports_progress(server: _Server, tmp_path: Path) -> None:
    reported: list[tuple[int, int | None]] = []
    target = tmp_path / "new" / "set.bin"

    download(
        server.url,
        target,
        md5=hashlib.md5(CONTENT).hexdigest(),
        progress=lambda done, total: reported.append((done, total)),
    )

    assert target.read_bytes() == CONTENT
    assert reported[-1] == (len(CONTENT), len(CONTENT))
    assert list(target.parent.iterdir()) == [target]


def test_continues_an_interrupted_download(server: _Server, tmp_path: Path) -> None:
    target = tmp_path / "set.bin"
    server.cut = 300_000
    with pytest.raises(DatasetError, match="run the command again to continue, or put the file at"):
        download(server.url, target)
    assert not target.exists()
    received = (tmp_path / "set.bin.part").stat().st_size
    assert 0 < received <= 300_000

    server.cut = None
    download(server.url, target)

    assert server.requested_ranges == [None, f"bytes={received}-"]
    assert target.read_bytes() == CONTENT


def test_starts_again_if_the_server_cannot_resume(server: _Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "set.bin.part").write_bytes(b"something older")

    download(server.url, tmp_path / "set.bin")

    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_accepts_a_part_that_is_complete(server: _Server, tmp_path: Path) -> None:
    (tmp_path / "set.bin.part").write_bytes(CONTENT)

    download(server.url, tmp_path / "set.bin")

    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_wrong_checksum_leaves_nothing(server: _Server, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="MD5"):
        download(server.url, tmp_path / "set.bin", md5="0" * 32)

    assert list(tmp_path.iterdir()) == []


def test_failed_download_names_the_path_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cannot be downloaded .* put the file at .*set\.bin"):
        download("http://127.0.0.1:9/set.bin", tmp_path / "set.bin")


def test_a_part_of_another_file_is_deleted(server: _Server, tmp_path: Path) -> None:
    target = tmp_path / "set.bin"
    (tmp_path / "set.bin.part").write_bytes(CONTENT + b"more")

    with pytest.raises(DatasetError, match="run the command again to continue"):
        download(server.url, target)
    download(server.url, target)

    assert target.read_bytes() == CONTENT
