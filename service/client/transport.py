"""Connects to a server: its address, timeouts and retries."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpx

from service.client import arguments
from service.client.errors import ConnectionFailed

if TYPE_CHECKING:
    import tenacity

_HttpClient = TypeVar("_HttpClient", httpx.Client, httpx.AsyncClient)

DEFAULT_URL = "http://127.0.0.1:3000"
DEFAULT_TIMEOUT_S = 10.0
DEFAULT_RETRIES = 3
_RETRIED_STATUSES = (429, 503)
_FIRST_WAIT_S = 0.1
_MAX_WAIT_S = 5.0


class Transport(Generic[_HttpClient]):
    """Base class of both clients.

    Attributes:
        url: Address of the server.
    """

    _http_type: type[_HttpClient]

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        """Create a client; this sends no request.

        Args:
            url: Address of the server.
            api_key: One of the server's ``LECTERN_API_KEYS``, if the server needs a key.
            timeout_s: Longest wait for a connection, for each part of a request, for the beginning of a
                response, and for the rest of it, in seconds; of each attempt.
            retries: Number of further attempts after the statuses 429 and 503, with exponential back-off.

        Raises:
            ConnectionFailed: ``url`` is not a valid address, or the environment names a proxy or certificates
                that cannot be used.
            TypeError, ValueError: An argument has a wrong type or value; the message names it.
        """
        self.url = arguments.text("url", url).rstrip("/")
        self._retries = arguments.whole("retries", retries, lowest=0)
        self._timeout_s = timeout_s = arguments.seconds("timeout_s", timeout_s)
        api_key = arguments.api_key(api_key)
        # As bytes: httpx refuses text that is not ASCII, and the server should report a wrong key.
        headers = {b"Authorization": f"Bearer {api_key}".encode()} if api_key else None
        try:
            self._http: _HttpClient = self._http_type(base_url=self.url, timeout=timeout_s, headers=headers)
            if self._http.base_url.scheme not in ("http", "https"):
                raise httpx.InvalidURL("it does not begin with http:// or https://")
        except httpx.InvalidURL as error:
            raise ConnectionFailed(
                f"{url!r} is not a valid address ({error}); use one such as {DEFAULT_URL}"
            ) from error
        except (ImportError, OSError, ValueError) as error:
            raise ConnectionFailed(
                f"the proxy or the certificates of the environment cannot be used ({error}); correct "
                "ALL_PROXY, HTTP_PROXY, HTTPS_PROXY or SSL_CERT_FILE"
            ) from error

    def _retry_options(self) -> dict[str, Any]:
        import tenacity  # Imports tornado if it is installed, which is slow.

        return {
            "retry": tenacity.retry_if_result(lambda response: response.status_code in _RETRIED_STATUSES),
            "wait": _wait_seconds,
            "stop": tenacity.stop_after_attempt(self._retries + 1),
            # The response of the last attempt is returned, and read like any other error response.
            "retry_error_callback": lambda state: state.outcome.result(),
        }

    @contextmanager
    def _connection_errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise ConnectionFailed(
                f"{self.url} did not answer in time; is it overloaded, or the timeout short?"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ConnectionFailed(
                f"{self.url} cannot be reached ({error}); is the server running?"
            ) from error


def _wait_seconds(state: "tenacity.RetryCallState") -> float:
    """Return the time before the next attempt: exponential with jitter, and at least ``Retry-After``."""
    wait = min(_FIRST_WAIT_S * 2.0 ** (state.attempt_number - 1), _MAX_WAIT_S) * random.uniform(0.5, 1.5)
    assert state.outcome is not None, "an attempt has ended"
    retry_after = state.outcome.result().headers.get("Retry-After", "")
    return max(wait, min(float(retry_after), _MAX_WAIT_S)) if retry_after.isdecimal() else wait
