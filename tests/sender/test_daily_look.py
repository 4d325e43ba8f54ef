"""Once a day a worker looks whether each route still works, and tells what of it ends soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.outbox import Query
from smtp_desk.sender.routes.health import Ending, Needed, Resting, Shut, Usable
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from tests.sender.test_sender import INVITATION, Office
from tests.sender.ways import Way, failing, finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from smtp_desk.core.findings.finding import Finding

ADMIN = "it@example.org"
URL = "jsons://example.org/hook"
SERVER_ENDS = Ending(datetime(2027, 3, 1, tzinfo=UTC), Needed.SERVER_CERTIFICATE)
SECRET_ENDS = Ending(datetime(2027, 3, 5, 23, 59, 59, tzinfo=UTC), Needed.CLIENT_SECRET)
SIGN_IN_ENDS = Ending(datetime(2027, 3, 6, tzinfo=UTC), Needed.REFRESH_TOKEN)
OUR_END = Ending(datetime(2027, 3, 9, tzinfo=UTC), Needed.CLIENT_CERTIFICATE)


class Watched(Way):
    """A route that counts how often somebody looked after it."""

    looks = 0
    why = ""

    def probe(self) -> Finding | None:
        self.looks += 1
        return finding(self.why) if self.why else None


@pytest.fixture
def office(tmp_path: Path, sent: list[tuple[str, str]]) -> Iterator[Office]:
    office = Office(tmp_path, alerts=URL)
    with office.sender:
        yield office


def pass_time(office: Office, days: int) -> None:
    """Let a worker run that long."""
    for _ in range(days * 24):
        office.clock.turn(hours=1)
        office.sender.drain()


def told(office: Office) -> list[str]:
    """Each notice, the oldest first."""
    entries = office.outbox.page(Query(text=ADMIN)).entries
    return [office.outbox.message(entry.id).payload.decode() for entry in reversed(entries)]


def test_each_route_is_looked_after_once_a_day(office: Office) -> None:
    custom, default = Watched(), Watched(DEFAULT)
    office.ways(custom, default, tell=ADMIN)
    office.sender.drain()
    assert (custom.looks, default.looks) == (0, 0), "what was just proven works"
    pass_time(office, 10)
    assert (custom.looks, default.looks) == (10, 10)
    assert told(office) == []


def test_what_no_email_found_out_is_told_before_one_does(
    office: Office, sent: list[tuple[str, str]]
) -> None:
    custom, default = Watched(), Way(DEFAULT)
    office.ways(custom, default, tell=ADMIN)
    pass_time(office, 1)
    custom.why = "auth.sign_in_again"
    pass_time(office, 5)
    (text,) = told(office)
    assert "Your SMTP server is unavailable" in text
    assert [title for title, _ in sent] == ["Your SMTP server is unavailable"]
    assert office.health.may_use(CUSTOM) == Shut("auth.sign_in_again")
    assert custom.looks == 1, "a sign-in that was refused is left alone"
    assert office.sender.send(INVITATION).route == DEFAULT


@pytest.mark.parametrize("why", ["greeting.busy", "settings.secret_unavailable"])
def test_what_is_not_the_route_s_fault_shuts_nothing(office: Office, why: str) -> None:
    custom = Watched()
    custom.why = why
    office.ways(custom, tell=ADMIN)
    pass_time(office, 2)
    verdict = office.health.may_use(CUSTOM)
    assert isinstance(verdict, Usable | Resting)
    assert isinstance(verdict, Usable) == (why == "settings.secret_unavailable")


def test_a_look_that_comes_through_says_nothing_of_uncertain_emails(office: Office) -> None:
    office.ways(Watched(), tell=ADMIN)
    office.health.record_uncertain(CUSTOM)
    pass_time(office, 2)
    assert office.health.status(CUSTOM).uncertain == 1


def test_what_rests_is_probed_as_ever(office: Office) -> None:
    custom = failing("connect.refused")
    office.ways(custom, Way(DEFAULT))
    office.sender.send(INVITATION)
    assert not office.health.may_look(CUSTOM)
    office.clock.turn(days=2)
    assert not office.health.may_look(CUSTOM)


def test_what_ends_is_told_once_in_one_message(office: Office, sent: list[tuple[str, str]]) -> None:
    custom = Watched(ends=(OUR_END, SERVER_ENDS, SECRET_ENDS, SIGN_IN_ENDS))
    office.ways(custom, Way(DEFAULT), tell=ADMIN)
    pass_time(office, 20)
    (text,) = told(office)
    assert "Subject: A certificate, client secret or sign-in expires soon" in text
    assert text.index("2027-03-01") < text.index("2027-03-09")
    ((title, body),) = sent
    assert title == "A certificate, client secret or sign-in expires soon"
    assert "your SMTP server expires on 2027-03-01" in body
    assert "uses to sign in to your SMTP server expires on 2027-03-09" in body
    assert "The sign-in to your SMTP server is valid until 2027-03-06." in body
    assert "secret for the sign-in to your SMTP server is valid until 2027-03-05." in body


def test_only_what_is_new_is_told_later(office: Office, sent: list[tuple[str, str]]) -> None:
    custom = Watched(ends=(OUR_END,))
    office.ways(custom, Way(DEFAULT), tell=ADMIN)
    pass_time(office, 2)
    custom.ends = (SERVER_ENDS, OUR_END)
    pass_time(office, 2)
    assert len(sent) == 2
    assert "2027-03-09" not in sent[1][1]
    custom.ends = ()
    pass_time(office, 2)
    renewed = Ending(SERVER_ENDS.at + timedelta(days=90), SERVER_ENDS.what)
    custom.ends = (renewed,)
    pass_time(office, 2)
    assert len(sent) == 3
    assert "2027-05-30" in sent[2][1]


def test_the_relay_s_certificate_is_named_as_its_own(
    office: Office, sent: list[tuple[str, str]]
) -> None:
    office.ways(Watched(), Watched(DEFAULT, ends=(SERVER_ENDS,)), tell=ADMIN)
    pass_time(office, 3)
    ((_, body),) = sent
    assert "The certificate of the default email service expires on 2027-03-01" in body
    assert len(told(office)) == 1


def test_settings_that_are_saved_begin_anew(office: Office, sent: list[tuple[str, str]]) -> None:
    office.ways(Watched(ends=(OUR_END,)), tell=ADMIN)
    pass_time(office, 2)
    office.health.reopen(CUSTOM)
    assert office.health.status(CUSTOM).endings == ()
    office.ways(Watched(), tell=ADMIN)
    pass_time(office, 3)
    assert len(sent) == 1
