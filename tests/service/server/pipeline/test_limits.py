"""Limits: requests in flight, deadlines, and the address of a client behind proxies."""

import asyncio

import pytest

from service.server.pipeline.errors import RequestError
from service.server.pipeline.limits import (
    ConcurrencyLimit,
    Deadline,
    InFlightRequests,
    Slots,
    TrustedProxies,
)

_PROXIES = ("127.0.0.1", "10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", "203.0.113.5", "192.0.2.7"),  # not a proxy
        ("127.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.5, 10.1.2.3", "203.0.113.5"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.5", "203.0.113.5"),  # the client wrote the first one
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "203.0.113.5:4711", "203.0.113.5"),
        ("fd00::1", "[2001:db8::5]:4711", "2001:db8::5"),
        ("fd00::1", "2001:db8::5", "2001:db8::5"),
        ("127.0.0.1", "203.0.113.5, unknown", "127.0.0.1"),
        ("127.0.0.1", 'forged" 200 line', "127.0.0.1"),
        ("127.0.0.1", 'fe80::1%forged" 200 line', "127.0.0.1"),
        ("127.0.0.1", "[fe80::1%\n2026]:4711", "127.0.0.1"),
        ("-", "203.0.113.5", "-"),
        # A socket for IPv6 that accepts IPv4, too, writes the addresses of IPv4 so.
        ("::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("::ffff:192.0.2.7", "203.0.113.5", "192.0.2.7"),
        ("fd00::1", "203.0.113.5, ::ffff:10.1.2.3", "203.0.113.5"),
        ("fd00::1", "[::ffff:203.0.113.5]:4711", "203.0.113.5"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(peer: str, forwarded: str, client: str) -> None:
    assert TrustedProxies(_PROXIES).client(peer, lambda: forwarded) == client


def test_without_proxies_the_header_is_not_read() -> None:
    def fail() -> str:
        raise AssertionError

    assert TrustedProxies(()).client("127.0.0.1", fail) == "127.0.0.1"
    assert TrustedProxies(()).client("::ffff:192.0.2.7", fail) == "192.0.2.7"


def test_the_limit_counts_requests_and_refuses_more() -> None:
    async def enter() -> None:
        in_flight, ready = InFlightRequests(), [True]
        limit = ConcurrencyLimit(in_flight, limit=1, is_ready=lambda: ready[0])
        with limit:
            assert in_flight.only_one
            with pytest.raises(RequestError, match="1 requests are in flight") as refused, limit:
                pass
            assert refused.value.status == 429
        assert in_flight.running == 0
        limit.check()
        ready[0] = False
        with pytest.raises(RequestError, match="starting or shutting down") as refused:
            limit.check()
        assert refused.value.status == 503
        with limit:  # It was accepted before.
            assert in_flight.running == 1

    asyncio.run(enter())


def test_slots_are_free_again_when_a_request_ends() -> None:
    slots = Slots(1, kind="explanations")
    with slots, pytest.raises(RequestError, match="1 explanations are in flight"), slots:
        pass
    with slots:
        pass


def test_a_deadline_cancels_its_task_with_an_error() -> None:
    async def wait() -> None:
        with Deadline(0.01):
            await asyncio.Event().wait()

    with pytest.raises(RequestError, match=r"no answer within 0\.01 s") as late:
        asyncio.run(wait())
    assert late.value.status == 504


def test_a_task_that_is_also_cancelled_by_others_ends_at_the_deadline() -> None:
    async def wait() -> None:
        task = asyncio.current_task()
        assert task is not None
        with Deadline(0.0):
            asyncio.get_running_loop().call_later(0.0, task.cancel)
            await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(wait())


def test_work_that_ends_in_time_leaves_no_timer() -> None:
    async def work() -> None:
        later = asyncio.Event()
        with Deadline(0.01):
            asyncio.get_running_loop().call_later(0.02, later.set)
        await later.wait()

    asyncio.run(work())
