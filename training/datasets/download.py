"""Downloads a file; an interrupted download continues the next time."""

import hashlib
import os
from pathlib import Path

import httpx

from training.datasets.dataset import DownloadProgress
from training.errors import DatasetError

_TIMEOUT = httpx.Timeout(30.0)  # seconds


def download(
    url: str, path: Path, *, md5: str | None = None, progress: DownloadProgress | None = None
) -> None:
    """Download a file.

    The received bytes are kept in ``<name>.part``. The next call continues there if the server supports HTTP
    Range, and starts again otherwise.

    Args:
        url: Address of the file.
        path: Where to store it; its folder is created.
        md5: Expected checksum of the file.
        progress: Gets the bytes received and the total, if the server states it.

    Raises:
        DatasetError: The server refuses or cannot be reached, or the file is incomplete or damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        _receive(url, part, progress=progress)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DatasetError(
            f"{url} cannot be downloaded ({error or type(error).__name__}); run the command again to "
            f"continue, or put the file at {path}"
        ) from error
    if md5 is not None:
        with part.open("rb") as stream:
            found = hashlib.file_digest(stream, "md5").hexdigest()
        if found != md5:
            part.unlink()
            raise DatasetError(f"{url}: its MD5 is {found}, expected {md5}; run the command again")
    os.replace(part, path)


def _receive(url: str, part: Path, *, progress: DownloadProgress | None) -> None:
    start = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=True) as response:
        refused = response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
        if refused and response.headers.get("Content-Range", "").endswith(f"/{start}"):
            return  # The part is the whole file.
        if refused and start:
            part.unlink()  # It is no part of this file, and every further request would be refused too.
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        received = start if resumed else 0
        length = response.headers.get("Content-Length")
        total = received + int(length) if length and length.isdigit() else None
        with part.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_raw():
                file.write(chunk)
                received += len(chunk)
                if progress:
                    progress(received, total)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and received != total:
        raise httpx.RemoteProtocolError(f"received {received} of {total} bytes")
