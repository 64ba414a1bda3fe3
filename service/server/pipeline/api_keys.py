"""Checks API keys, and limits the request rate of each of them."""

import asyncio
import hashlib
import logging
import math
import time
from pathlib import Path
from typing import Literal, TypeAlias

from service.inference.errors import SettingsError
from service.inference.files import file_version
from service.key_file import read_key_file
from service.server.pipeline.errors import ErrorCode, RequestError
from service.settings import METRICS_OPEN, Settings

# What a request needs: an API key, nothing, nothing because it is a health check, or the key of the metrics.
Access: TypeAlias = Literal["key", "public", "probe", "metrics"]

_CHECK_INTERVAL_S = 1.0
_BEARER = {"WWW-Authenticate": "Bearer"}

_logger = logging.getLogger("lectern")


def presented_key(authorization: str, api_key: str) -> str:
    """Return the key that a client sends; empty if there is none.

    Args:
        authorization: The header or metadata ``Authorization``; only the scheme ``Bearer`` has a key.
        api_key: The header or metadata ``X-API-Key``, which counts if there is no bearer token.
    """
    scheme, _, token = authorization.partition(" ")
    return (token if scheme.lower() == "bearer" else api_key).strip()


class ApiKeys:
    """The API keys of a server; without keys every request is allowed.

    Keys are found by their hash: the time that this takes reveals nothing about them, and does not grow with
    their number. While :meth:`watch` runs, a file of keys is read again when it has changed. If it then has a
    mistake, the log names it, and the keys that were read before stay valid.

    Args:
        settings: The keys, their file, and the key of the metrics.

    Raises:
        SettingsError: The file cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._fixed = {_hash(key): f"key-{number}" for number, key in enumerate(settings.api_keys, start=1)}
        self._names = self._fixed
        self._metrics_key = settings.metrics_key
        self._path = settings.api_keys_file
        if self._path is not None:
            self._version = file_version(self._path)
            self._read(self._path)

    async def watch(self) -> None:
        """Read the file of keys again whenever it has changed, until this is cancelled.

        Requests do not do so: a process without requests would keep a revoked key if the file has a mistake
        when its next request comes.
        """
        while self._path is not None:
            self._read_if_changed(self._path)
            await asyncio.sleep(_CHECK_INTERVAL_S)

    def name(self, key: str) -> str:
        """Return the name of a client's key for the access log; empty if the server has no keys.

        Raises:
            RequestError: 401: the server has keys, and this is none of them.
        """
        if not self._names:
            return ""
        name = self._names.get(_hash(key))
        if name is None:
            problem = "this API key is not valid; send another" if key else "an API key is needed; send it"
            raise RequestError(
                ErrorCode.UNAUTHORIZED,
                f"{problem} as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'",
                _BEARER,
            )
        return name

    def check_metrics(self, key: str) -> None:
        """Check the key of a request for the metrics.

        Raises:
            RequestError: 401: it is not the key of the metrics; or they have no key of their own, and it is
                no API key.
        """
        if self._metrics_key == METRICS_OPEN:
            return
        if not self._metrics_key:
            self.name(key)
        elif _hash(key) != _hash(self._metrics_key):
            raise RequestError(
                ErrorCode.UNAUTHORIZED,
                "the metrics have a key of their own, LECTERN_METRICS_KEY; "
                "send it as 'Authorization: Bearer KEY'",
                _BEARER,
            )

    def _read_if_changed(self, path: Path) -> None:
        version = file_version(path)
        if version == self._version:
            return
        self._version = version
        try:
            self._read(path)
        except SettingsError as error:
            _logger.error("%s; the API keys that were read before stay valid", error)
        else:
            _logger.info("%s: %d API keys are valid now", path, len(self._names))

    def _read(self, path: Path) -> None:
        self._names = self._fixed | {_hash(key): name for key, name in read_key_file(path).items()}


class RateLimit:
    """Limits the requests of each API key in this process, as a token bucket.

    Implemented as the generic cell rate algorithm (ITU-T I.371), which stores one time for each key.

    Args:
        per_second: Requests a second; 0 for no limit.
        burst: Requests that a key may send at once after a pause.
    """

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._interval_s = 1 / per_second if per_second else 0.0
        self._tolerance_s = (burst - 1) * self._interval_s
        # When the bucket of each key will be full again, as time.monotonic() counts.
        self._full: dict[str, float] = {}

    def take(self, name: str) -> None:
        """Count a request of the key of this name.

        Raises:
            RequestError: 429: The key has used up its rate.
        """
        if not self._interval_s:
            return
        now = time.monotonic()
        full = max(self._full.get(name, now), now)
        wait_s = full - now - self._tolerance_s
        if wait_s > 0:
            raise RequestError(
                ErrorCode.RATE_LIMITED,
                f"the API key {name} has used up its {1 / self._interval_s:g} requests a second; "
                f"try again in {wait_s:.2g} s",
                {"Retry-After": str(math.ceil(wait_s))},
                limit="rate",
            )
        self._full[name] = full + self._interval_s


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
