"""Collects the body of a response up to a size and for a time: another server may never end it."""

import time

import httpx

from service.client.errors import UnexpectedAnswer

MAX_BYTES = 100_000_000


class Body:
    """The parts of a body that have arrived."""

    def __init__(self, response: httpx.Response, *, timeout_s: float) -> None:
        """Begin without a part.

        Args:
            response: The response, whose body is not read yet.
            timeout_s: Longest time until the body is whole, in seconds.
        """
        self._response = response
        self._end = time.monotonic() + timeout_s
        self._content = bytearray()

    def add(self, part: bytes) -> None:
        """Add a part.

        Raises:
            httpx.ReadTimeout: The time is over.
            UnexpectedAnswer: The body is larger than ``MAX_BYTES``.
        """
        self._content += part
        if len(self._content) > MAX_BYTES:
            raise UnexpectedAnswer(
                f"{self._response.url} answered with more than {MAX_BYTES:,} bytes; is it a Lectern server?"
            )
        if time.monotonic() > self._end:
            raise httpx.ReadTimeout("the response does not end", request=self._response.request)

    def response(self) -> httpx.Response:
        """Return the response with the body that has been added."""
        headers = self._response.headers.copy()
        headers.pop("Content-Encoding", None)  # the parts are decoded
        return httpx.Response(self._response.status_code, headers=headers, content=bytes(self._content))
