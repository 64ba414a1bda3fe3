"""Limits requests in number and time, and finds the addresses of clients."""

import asyncio
import ipaddress
import math
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar

from service.server.pipeline import metrics
from service.server.pipeline.errors import (
    RETRY_AFTER,
    ErrorCode,
    Limit,
    RequestError,
    overloaded,
)

# How an IPv4 address begins that is written as one of IPv6; RFC 4291, 2.5.5.2.
_MAPPED = "::ffff:"
# When the running request must be finished, as `time.monotonic()` counts.
request_deadline: ContextVar[float] = ContextVar("request_deadline", default=math.inf)


class InFlightRequests:
    """The number of requests in flight in one server process. All protocols share it.

    Attributes:
        arriving: Requests that were read completely and whose tasks have not started yet.
        running: Requests that count towards the concurrency limit: they are read completely, and wait or run.
        refused: Requests that the concurrency limit has refused since the start.
    """

    def __init__(self) -> None:
        self.arriving = 0
        self.running = 0
        self.refused = 0

    @property
    def only_one(self) -> bool:
        """Whether a running request is the only one in the server."""
        return self.running == 1 and not self.arriving


class ConcurrencyLimit:
    """A context manager that counts a request as running, and refuses it beyond the limit.

    A request counts from the moment when it is read, so that slow senders do not keep others out.
    """

    def __init__(self, in_flight: InFlightRequests, *, limit: int, is_ready: Callable[[], bool]) -> None:
        self._in_flight = in_flight
        self._limit = limit
        self._is_ready = is_ready

    def check(self) -> None:
        """Check whether a request would be accepted, before it is read.

        Raises:
            RequestError: 503: the server is not ready. 429: the limit is reached.
        """
        check_ready(self._is_ready())
        self._check_limit()

    def __enter__(self) -> None:
        """Count a request that is read; one that was accepted before a shutdown is still answered.

        Raises:
            RequestError: 429: the limit is reached.
        """
        self._check_limit()
        self._in_flight.running += 1
        metrics.requests_in_flight.set(self._in_flight.running)

    def __exit__(self, *exception: object) -> None:
        """Count the request as finished."""
        self._in_flight.running -= 1
        metrics.requests_in_flight.set(self._in_flight.running)

    def _check_limit(self) -> None:
        if self._in_flight.running >= self._limit:
            self._in_flight.refused += 1
            raise overloaded("requests", f"{self._in_flight.running} requests are in flight")


class Slots:
    """A context manager that lets only so many requests of a kind in at once.

    Args:
        limit: Limit of requests.
        kind: What they are, in the plural; the name of the limit.
    """

    def __init__(self, limit: int, *, kind: Limit) -> None:
        self._limit = limit
        self._kind = kind
        self._used = 0

    def __enter__(self) -> None:
        """Count the request.

        Raises:
            RequestError: 429: the limit is reached.
        """
        if self._used >= self._limit:
            raise overloaded(self._kind, f"{self._used} {self._kind} are in flight")
        self._used += 1

    def __exit__(self, *exception: object) -> None:
        """Count the request as finished."""
        self._used -= 1


class Deadline:
    """A context manager that cancels its task after some seconds.

    It does what ``asyncio.timeout`` does, with less processor time per request, which ``./run bench layers``
    shows.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._expired = False

    def __enter__(self) -> None:
        """Start the timer, and tell the batchers the deadline."""
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(loop)
        self._timer = loop.call_later(self._seconds, self._expire)
        request_deadline.set(time.monotonic() + self._seconds)

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        """Stop the timer.

        Raises:
            RequestError: 504: the task was cancelled at the deadline, and for no other reason.
        """
        self._timer.cancel()
        if (
            self._expired
            and self._task is not None
            and self._task.uncancel() == 0
            and kind is asyncio.CancelledError
        ):
            raise RequestError(
                ErrorCode.DEADLINE_EXCEEDED,
                f"no answer within {self._seconds:g} s; send less, or try later",
            ) from None

    def _expire(self) -> None:
        self._expired = True
        if self._task is not None:
            self._task.cancel()


def check_ready(ready: bool) -> None:
    """Check whether the server is ready.

    Raises:
        RequestError: 503: It is not.
    """
    if not ready:
        raise RequestError(
            ErrorCode.NOT_READY,
            "the server is starting or shutting down; try again in a moment",
            RETRY_AFTER,
        )


class TrustedProxies:
    """The reverse proxies whose ``X-Forwarded-For`` header is trusted, on every transport.

    Args:
        networks: IP addresses or CIDR networks.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]

    def client(self, peer: str, forwarded_for: Callable[[], str]) -> str:
        """Return the address of the client of a request.

        An IPv4 address that a socket for IPv6 shows as ``::ffff:192.0.2.1`` is ``192.0.2.1``.

        Args:
            peer: The address that the connection comes from.
            forwarded_for: Returns the value of ``X-Forwarded-For``; called only for a trusted peer.

        Returns:
            The last forwarded address that is not a trusted proxy, or ``peer`` if it is not a proxy.
        """
        if peer.startswith(_MAPPED):
            peer = _ip_address(peer) or peer
        if not self._networks or not self._is_trusted(peer):
            return peer
        client = peer
        # Each proxy appends the address of its peer. Only the end of the list, from trusted proxies, counts.
        for entry in reversed(forwarded_for().split(",")):
            address = _ip_address(entry.strip())
            if address is None:
                break
            client = address
            if not self._is_trusted(client):
                break
        return client

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _ip_address(entry: str) -> str | None:
    """Return the address in ``192.0.2.1``, ``192.0.2.1:80``, ``2001:db8::1`` or ``[2001:db8::1]:80``.

    An address with a zone, such as ``fe80::1%eth0``, is none: a zone can be any text.
    """
    if "%" in entry:
        return None
    bracketed, _, _ = entry.removeprefix("[").partition("]")
    for text in (bracketed, entry.rpartition(":")[0]):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return str(mapped or address)
    return None
