"""The sender of programs that run on asyncio: nothing keeps their loop waiting."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender import (
    AsyncSender,
    EmailError,
    Invitation,
    KeyReusedError,
    Notification,
    Sender,
    Status,
)
from smtp_desk.sender.testing import MemorySender
from tests.sender.post_office import PostOffice, opened, route_to
from tests.sender.ways import Way
from tests.servers.certs import Certificates
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from smtp_desk.sender import Email

INVITATION = Invitation(to="ann@example.org", invited_by="Bo", link="https://example.org/join")


class Gate:
    """A server that answers when the test lets it."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answers = threading.Event()

    def __call__(self, _recipient: str) -> str:
        self.asked.set()
        self.answers.wait()
        return ""


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.answers.set()


@pytest.fixture
def office(tmp_path: Path, gate: Gate) -> Iterator[PostOffice]:
    with opened(tmp_path, Way(answer=gate)) as office:
        yield office


def news(number: int) -> Email:
    return Notification(to=f"p{number}@example.org", title="Hi", body="Hello")


async def until(event: threading.Event) -> None:
    """Let the loop go on, which it can't while anything blocks it."""
    while not event.is_set():  # noqa: ASYNC110 - it is set by another thread
        await asyncio.sleep(0)


def test_everything_is_as_with_a_sender() -> None:
    async def use() -> None:
        memory = MemorySender()
        async with AsyncSender(memory) as sender:
            first = await sender.send(INVITATION, key="a")
            assert await sender.send(INVITATION, key="a") == first
            with pytest.raises(KeyReusedError):
                await sender.queue(news(1), key="a")
            with pytest.raises(EmailError):
                await sender.send(INVITATION, key="")
            queued = await sender.queue(news(1))
            assert queued.recipients[0].status is Status.QUEUED
            assert await sender.drain() == 1
            known = await sender.status(queued.message_id)
            assert known is not None
            assert known.recipients[0].status is Status.ACCEPTED
            assert await sender.status("<nobody@example.org>") is None
            assert await sender.cancel("<nobody@example.org>") is None
            assert await sender.cancel(entry_id=known.recipients[0].entry_id) == known
            many = [each async for each in sender.send_many(map(news, range(120)))]
            assert [each.recipients[0].recipient for each in many] == [
                f"p{number}@example.org" for number in range(120)
            ]
        assert len(memory.sent) == 122

    asyncio.run(use())


def test_the_loop_goes_on_while_a_server_does_not_answer(office: PostOffice, gate: Gate) -> None:
    async def use() -> list[Status]:
        async with AsyncSender(office.sender) as sender:
            sending = [asyncio.create_task(sender.send(news(each))) for each in range(40)]
            await until(gate.asked)
            gate.answers.set()
            return [(await each).recipients[0].status for each in sending]

    assert asyncio.run(use()) == [Status.ACCEPTED] * 40


def test_the_loop_goes_on_while_the_sender_is_opened() -> None:
    begun, go_on, threads = threading.Event(), threading.Event(), set[str]()

    def open_it() -> Sender:
        threads.add(threading.current_thread().name)
        begun.set()
        go_on.wait()
        return MemorySender()

    async def use() -> None:
        sender = AsyncSender(open_it)
        calls = [asyncio.create_task(sender.send(news(each))) for each in range(5)]
        await until(begun)
        calls.append(asyncio.create_task(sender.send(INVITATION)))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*calls)
        await sender.close()

    asyncio.run(use())
    assert len(threads) == 1
    assert threads != {threading.main_thread().name}


def test_what_opening_raises_is_raised_at_each_call() -> None:
    def fail() -> Sender:
        raise OSError("no disk")

    async def use() -> None:
        sender = AsyncSender(fail)
        for _ in range(2):
            with pytest.raises(OSError, match="no disk"):
                await sender.send(INVITATION)
        await sender.close()
        with pytest.raises(OSError, match="no disk"):
            async with sender:
                pass

    asyncio.run(use())


def test_a_time_limit_counts_what_others_take(office: PostOffice, gate: Gate) -> None:
    async def use() -> Status:
        async with AsyncSender(office.sender) as sender:
            first = asyncio.create_task(sender.send(news(1)))
            await until(gate.asked)
            second = await sender.send(news(2), timeout=0.0)
            gate.answers.set()
            await first
            return second.recipients[0].status

    assert asyncio.run(use()) is Status.QUEUED


def test_a_task_that_is_cancelled_loses_no_stored_email(office: PostOffice, gate: Gate) -> None:
    async def use() -> Status:
        async with AsyncSender(office.sender) as sender:
            task = asyncio.create_task(sender.send(INVITATION, key="a"))
            await until(gate.asked)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            again = await sender.send(INVITATION, key="a")
            assert again.recipients[0].status in (Status.QUEUED, Status.UNCERTAIN)
            gate.answers.set()
            while True:
                known = await sender.status(again.message_id)
                assert known is not None
                if known.recipients[0].status is Status.ACCEPTED:
                    return known.recipients[0].status

    assert asyncio.run(use()) is Status.ACCEPTED


def test_a_drain_ends_with_its_task() -> None:
    async def use() -> None:
        async with AsyncSender(MemorySender()) as sender:
            task = asyncio.create_task(sender.drain(once=False))
            await sender.send(INVITATION)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(use())


def test_after_close_it_may_be_used_again() -> None:
    async def use() -> None:
        memory = MemorySender()
        sender = AsyncSender(memory)
        await sender.close()
        await sender.send(INVITATION)
        await sender.close()
        await sender.close()
        async with sender:
            await sender.send(INVITATION)
        assert len(memory.sent) == 2

    asyncio.run(use())


def test_what_is_sent_after_close_is_stored_for_the_worker(
    certs: Certificates, tmp_path: Path
) -> None:
    with (
        ScriptedServer(Script(tls=certs.good.tls)) as server,
        opened(tmp_path, route_to(server, certs)) as office,
    ):

        async def use() -> list[Status]:
            sender, ends = AsyncSender(office.sender), list[Status]()
            for _ in range(2):
                ends.append((await sender.send(INVITATION)).recipients[0].status)
                await sender.close()
            return ends

        assert asyncio.run(use()) == [Status.ACCEPTED, Status.QUEUED]
        assert len(office.entries) == 2
        assert len(server.messages) == 1


def test_one_sender_for_several_loops() -> None:
    memory = MemorySender()
    sender = AsyncSender(memory)
    for _ in range(2):
        asyncio.run(sender.send(INVITATION))
    asyncio.run(sender.close())
    assert len(memory.sent) == 2


def test_a_loop_that_ends_early_does_not_ask_for_more() -> None:
    asked: list[int] = []

    def emails() -> Iterator[Email]:
        for number in range(1000):
            asked.append(number)
            yield news(number)

    async def use() -> None:
        async with AsyncSender(MemorySender()) as sender:
            async for _ in sender.send_many(emails()):
                break

    asyncio.run(use())
    assert len(asked) == 100


def test_what_the_emails_raise_is_raised() -> None:
    def emails() -> Iterator[Email]:
        yield news(1)
        raise LookupError("no such customer")

    async def use() -> None:
        async with AsyncSender(MemorySender()) as sender:
            with pytest.raises(LookupError, match="no such customer"):
                [each async for each in sender.send_many(emails())]

    asyncio.run(use())


def test_the_context_of_the_task_goes_along() -> None:
    request = contextvars.ContextVar("request", default="")
    seen: list[str] = []

    def open_it() -> Sender:
        seen.append(request.get())
        return MemorySender()

    async def use() -> None:
        request.set("4711")
        async with AsyncSender(open_it):
            pass

    asyncio.run(use())
    assert seen == ["4711"]


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="nothing forks here")
def test_a_child_process_has_threads_of_its_own() -> None:
    """After a fork there are none of the parent's: a call would wait for ever."""
    memory = MemorySender()
    sender = AsyncSender(memory)
    asyncio.run(sender.send(INVITATION))
    before = sender._threads
    sender.after_fork()  # as the hook does in the child
    asyncio.run(sender.send(INVITATION))
    assert sender._threads is not before
    assert before is not None
    before.shutdown()
    asyncio.run(sender.close())
    assert len(memory.sent) == 2


def test_it_opens_what_is_saved(tmp_path: Path) -> None:
    async def use() -> None:
        environ = {"SMTP_DESK_HOME": str(tmp_path)}
        async with AsyncSender.from_settings(environ) as sender:
            receipt = await sender.send(INVITATION)
            assert receipt.recipients[0].status is Status.QUEUED

    asyncio.run(use())
    assert any(tmp_path.rglob("outbox.sqlite3"))
