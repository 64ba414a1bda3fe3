"""Calls that send nothing take neither the turns nor the places of those that send their messages."""

import asyncio
from collections import Counter

import pytest

from service.server.pipeline.errors import RequestError
from service.server.transport import message_reads
from service.server.transport.message_reads import MAX_WAITING_CALLS, MessageReads


async def _silent() -> str:
    await asyncio.Event().wait()
    raise AssertionError("nothing sets the event")


async def _message() -> str:
    await asyncio.sleep(0)
    return "message"


async def _call(reads: MessageReads, *, is_silent: bool) -> str:
    """Return what a call gets: its message, or the code of an error."""
    try:
        async with reads:
            return await reads.receive(_silent if is_silent else _message)
    except RequestError as error:
        return error.code


def test_silent_calls_end_while_others_wait() -> None:
    async def run() -> list[str]:
        reads = MessageReads(2)
        silent = [asyncio.create_task(_call(reads, is_silent=True)) for _ in range(20)]
        await asyncio.sleep(0)
        async with asyncio.timeout(message_reads._MESSAGE_S / 2):
            assert await _call(reads, is_silent=False) == "message"
        ended = [call.result() for call in silent if call.done()]
        for call in silent:
            call.cancel()
        return ended

    ended = asyncio.run(run())
    assert set(ended) == {"overloaded"}
    assert len(ended) >= 18


def test_a_silent_call_for_which_nobody_waits_ends_at_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_reads, "_MESSAGE_S", 0.05)

    async def run() -> list[str]:
        reads = MessageReads(2)
        return await asyncio.gather(*(_call(reads, is_silent=True) for _ in range(2)))

    assert asyncio.run(run()) == ["request_timeout"] * 2


def test_calls_whose_messages_arrive_at_once_all_get_a_turn() -> None:
    async def run() -> Counter[str]:
        reads = MessageReads(1)
        return Counter(await asyncio.gather(*(_call(reads, is_silent=False) for _ in range(200))))

    assert asyncio.run(run()) == {"message": 200}


def test_so_many_silent_calls_wait_at_most() -> None:
    async def run() -> int:
        reads = MessageReads(MAX_WAITING_CALLS - 10)
        calls = [asyncio.create_task(_call(reads, is_silent=True)) for _ in range(MAX_WAITING_CALLS + 100)]
        for _ in range(20):
            await asyncio.sleep(0)
        waiting = sum(not call.done() for call in calls)
        assert all(call.done() for call in calls[:50])
        for call in calls:
            call.cancel()
        return waiting

    assert asyncio.run(run()) <= MAX_WAITING_CALLS


def test_a_message_that_arrives_slowly_is_received_while_the_turns_of_others_are_short() -> None:
    async def receive(reads: MessageReads, seconds: float) -> None:
        async with reads:
            await reads.receive(lambda: asyncio.sleep(seconds))

    async def run() -> None:
        reads = MessageReads(2)
        slow = asyncio.create_task(receive(reads, 1))
        while not slow.done():
            await asyncio.gather(*(receive(reads, 0.001) for _ in range(8)))
        await slow

    asyncio.run(run())
