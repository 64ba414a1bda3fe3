"""Owns downloading a file: with progress, resumed where it stopped, checked, and only then given its name."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import httpx

from training.errors import DatasetError

Progress = Callable[[int, int | None], None]
_TIMEOUT = httpx.Timeout(30.0)


def download(url: str, path: Path, *, md5: str | None = None, progress: Progress | None = None) -> None:
    """Download a file.

    What arrives is kept in ``<name>.part`` beside the target, so that a download that was cut off goes on
    from there the next time, if the server can do that (HTTP Range); otherwise it begins again.

    Args:
        url: Where from.
        path: Where to; the folder is made.
        md5: Checksum of the whole file, where its publisher gives one.
        progress: Is told of the bytes that are there and, where the server says it, of their final number.

    Raises:
        DatasetError: The server cannot be reached or refuses, the file is cut off, or its checksum is wrong.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        _receive(url, part, progress=progress)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DatasetError(
            f"{url} cannot be downloaded ({error or type(error).__name__}); run the command again to go on, "
            f"or put the file by hand at {path}"
        ) from error
    if md5 is not None:
        with part.open("rb") as stream:
            found = hashlib.file_digest(stream, "md5").hexdigest()
        if found != md5:
            part.unlink()
            raise DatasetError(f"{url}: the MD5 of what came is {found}, not {md5}; run the command again")
    os.replace(part, path)


def _receive(url: str, part: Path, *, progress: Progress | None) -> None:
    start = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=True) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and _is_whole(answer, start):
            return
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        done = start if resumed else 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length and length.isdigit() else None
        with part.open("ab" if resumed else "wb") as file:
            for chunk in answer.iter_raw():
                file.write(chunk)
                done += len(chunk)
                if progress:
                    progress(done, total)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and done != total:
        raise httpx.RemoteProtocolError(f"{done} of {total} bytes came")


def _is_whole(answer: httpx.Response, size: int) -> bool:
    """Tell whether the server refused to send more because nothing is missing."""
    return answer.headers.get("Content-Range", "").endswith(f"/{size}")
