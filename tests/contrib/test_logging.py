"""Errors by email: at once, then bundled; never in a circle, and nobody waits."""

from __future__ import annotations

import logging
import logging.config
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest

from smtp_desk.contrib import logging as handling
from smtp_desk.contrib.logging import EmailHandler
from smtp_desk.contrib.shared_sender import shared_sender
from smtp_desk.sender import EmailError, OutboxUnavailableError, Sender
from smtp_desk.sender.outbox.outbox import EVERYTHING
from tests.sender.ways import Way, failing
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sender.test_sender import Office

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling, "_TOGETHER_S", 0.0)


@pytest.fixture
def made() -> Iterator[list[EmailHandler]]:
    made: list[EmailHandler] = []
    yield made
    for handler in made:
        handler.close()


@pytest.fixture
def log(office: Office, made: list[EmailHandler]) -> Iterator[Callable[..., logging.Logger]]:
    """Makes a logger of a program with a handler."""
    loggers: list[logging.Logger] = []

    def make(name: str = "shop", **values: Any) -> logging.Logger:  # noqa: ANN401
        made.append(EmailHandler("it@example.org", **{"every": HOUR, **values}))
        made[-1].setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        loggers.append(logging.getLogger(name))
        loggers[-1].addHandler(made[-1])
        return loggers[-1]

    yield make
    for logger, handler in zip(loggers, made, strict=False):
        logger.removeHandler(handler)


def told(office: Office) -> list[EmailMessage]:
    """Each email so far, the oldest first."""
    found = []
    for entry in reversed(office.outbox.page(EVERYTHING).entries):
        parsed = message_from_bytes(office.outbox.message(entry.id).payload, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        found.append(parsed)
    return found


def wait_for(office: Office, count: int) -> list[EmailMessage]:
    wait_until(lambda: len(told(office)) == count, f"{count} emails")
    return told(office)


def test_the_first_error_is_sent_at_once(
    log: Callable[..., logging.Logger], office: Office, custom: Way
) -> None:
    shop = log(prefix="[shop] ")
    shop.info("All is well")
    try:
        _ = 1 // len("")
    except ZeroDivisionError:
        shop.exception("Order %s failed\nwith a second line", 4711)
    (email,) = wait_for(office, 1)
    assert email["Subject"] == "[shop] ERROR: Order 4711 failed"
    assert (email["To"], email["Auto-Submitted"]) == ("it@example.org", "auto-generated")
    text = email.get_content()
    assert "ERROR shop: Order 4711 failed" in text
    assert text.rstrip().endswith("ZeroDivisionError: integer division or modulo by zero")
    assert "All is well" not in text
    wait_until(lambda: len(custom.given) == 1, "the email to be sent")


def test_what_comes_later_is_one_email_with_each_text_once(
    log: Callable[..., logging.Logger], made: list[EmailHandler], office: Office
) -> None:
    shop = log()
    shop.error("first")
    wait_for(office, 1)
    for number in range(1200):
        shop.error("order %d failed", number)
    shop.critical("disk full")
    assert len(told(office)) == 1
    made[0].close()
    email = told(office)[1]
    assert email["Subject"] == "ERROR: order 0 failed (and 1,200 more)"
    text = email.get_content()
    assert text.count("order") == 1
    assert "(logged 1,200 times)" in text
    assert "CRITICAL shop: disk full" in text


def test_a_storm_and_a_huge_text_stay_bounded(
    log: Callable[..., logging.Logger], made: list[EmailHandler], office: Office
) -> None:
    shop = log()
    shop.error("first")
    wait_for(office, 1)
    for line in range(80):
        record = shop.makeRecord(shop.name, logging.ERROR, "shop.py", line, "x" * 20_000, (), None)
        shop.handle(record)
    made[0].close()
    email = told(office)[1]
    text = email.get_content()
    assert "30 others are left out of this email." in text
    assert "characters are left out]" in text
    assert len(text) < 50 * 17_000
    assert len(email["Subject"]) < 200


def test_lines_and_signs_of_a_text_forge_nothing(
    log: Callable[..., logging.Logger], office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = log()
    monkeypatch.setattr(shop, "propagate", False)  # pytest-xdist could not pass it on
    shop.error("a\r\nBcc: bo@example.org\n\x1b[31m\u202e \udcff")
    (email,) = wait_for(office, 1)
    assert email["Bcc"] is None
    assert email["Subject"] == "ERROR: a"
    assert "\x1b" not in email.get_content()


def test_what_sending_logs_is_not_told(
    log: Callable[..., logging.Logger], made: list[EmailHandler], office: Office
) -> None:
    """Else each failure would be a new email, which fails, too."""
    office.ways(failing("connect.refused"))
    everything = log("")
    logging.getLogger("smtp_desk.sender.dispatcher").error("our own fault")

    def sender() -> Sender:
        logging.getLogger("keyring").error("a library, while we send")
        return office.sender

    made[0]._sender = sender
    everything.error("first")
    wait_for(office, 1)
    made[0].close()
    assert len(told(office)) == 1


def test_what_a_value_logs_while_it_is_written_is_not_told(
    log: Callable[..., logging.Logger], office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = log()
    monkeypatch.setattr(shop, "propagate", False)  # other handlers would read the value, too

    class Value:
        def __str__(self) -> str:
            shop.error("a value is read")
            return "value"

    shop.error("this %s", Value())
    (email,) = wait_for(office, 1)
    assert email.get_content().strip() == "ERROR shop: this value"


def test_nobody_waits_for_a_sender_that_hangs(
    log: Callable[..., logging.Logger], made: list[EmailHandler], office: Office
) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def sender() -> Sender:
        asked.set()
        goes_on.wait()
        return office.sender

    shop = log(sender=sender)
    shop.error("first")
    asked.wait()
    for _ in range(1000):
        shop.error("more")
    assert told(office) == []
    goes_on.set()
    wait_for(office, 1)


def test_what_could_not_be_stored_is_told_with_the_next(
    log: Callable[..., logging.Logger],
    made: list[EmailHandler],
    office: Office,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries: list[int] = []

    def sender() -> Sender:
        tries.append(1)
        if len(tries) < 4:
            raise OutboxUnavailableError("the disk is full")
        return office.sender

    log(every=0.0, sender=sender).error("first")
    (email,) = wait_for(office, 1)
    assert "first" in email.get_content()
    made[0].close()
    caplog.set_level(logging.INFO, "smtp_desk.contrib.logging")
    said = [each.getMessage() for each in caplog.records if each.name == handling.__name__]
    assert said[0] == "errors can’t be emailed: the disk is full"
    assert len(said) <= 2


def test_a_refused_email_is_not_sent_again(
    log: Callable[..., logging.Logger],
    made: list[EmailHandler],
    office: Office,
    caplog: pytest.LogCaptureFixture,
) -> None:
    office.ways(failing("recipient.unknown"))
    log(every=0.0).error("first")
    made[0].close()
    assert len(told(office)) == 1
    assert any("errors can’t be emailed: 1 of 1" in each.getMessage() for each in caplog.records)


def test_it_goes_on_after_it_was_closed(
    log: Callable[..., logging.Logger], made: list[EmailHandler], office: Office
) -> None:
    shop = log(every=0.0)
    shop.error("first")
    made[0].close()
    shop.error("second")
    made[0].close()
    made[0].close()
    assert [each["Subject"] for each in told(office)] == ["ERROR: first", "ERROR: second"]


def test_a_child_tells_nothing_of_its_parent(
    log: Callable[..., logging.Logger], made: list[EmailHandler], office: Office
) -> None:
    shop, handler = log(), made[0]
    shop.error("first")
    wait_for(office, 1)
    shop.error("of the parent")
    handler._changed.acquire()  # as another thread of the parent may have had it
    thread = handler._thread
    handler.after_fork()
    handler.close()
    assert len(told(office)) == 1
    assert thread is not None


def test_it_is_set_up_by_a_dictionary(office: Office, made: list[EmailHandler]) -> None:
    values = {"class": "smtp_desk.contrib.logging.EmailHandler", "to": ["it@example.org"]}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"mail": {**values, "prefix": "[shop] "}},
            "loggers": {"shop.dict": {"handlers": ["mail"]}},
        }
    )
    logger = logging.getLogger("shop.dict")
    (handler,) = logger.handlers
    assert isinstance(handler, EmailHandler)
    made.append(handler)
    logger.error("It happened")
    wait_for(office, 1)
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    ("to", "prefix"), [("nobody", ""), ((), ""), ("it@example.org", "a\nb"), (["a@b.org", ""], "")]
)
def test_bad_values_are_refused_at_once(to: str | list[str], prefix: str) -> None:
    with pytest.raises(EmailError):
        EmailHandler(to, prefix=prefix)


def test_the_sender_of_the_process_is_what_sends() -> None:
    handler = EmailHandler("it@example.org")
    assert handler._sender == shared_sender.get
    handler.close()
