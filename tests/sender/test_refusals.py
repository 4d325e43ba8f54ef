"""Who gets an email that a server refuses, by which route: stage, words, and either route."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.findings.finding import Scope
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.routes.health import Resting, Shut, Usable
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from tests.sender.post_office import accepted, mail, opened, route_to
from tests.sender.posts import fates
from tests.servers.script import END_OF_DATA, Default, Reply, Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sender.post_office import PostOffice
    from tests.servers.certs import Certificates
    from tests.servers.script import Action
    from tests.servers.session import Session

TO: Final = ("bo@example.test",)

THEIRS: Final = (
    ("RCPT", "550 5.1.1 No such user here"),
    (
        "RCPT",
        (
            "550 5.1.1 <bo@example.test>: Recipient address rejected: "
            "User unknown in virtual mailbox table"
        ),
    ),
    ("RCPT", "550 unknown user"),
    ("RCPT", "552 5.2.2 Mailbox full"),
    ("RCPT", "550 5.1.1 The email account that you tried to reach does not exist."),
    (
        "RCPT",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    ),
    (END_OF_DATA, "554 5.7.1 Message rejected as spam"),
    (END_OF_DATA, "552 5.3.4 Message size exceeds fixed limit"),
    (END_OF_DATA, "552 5.2.0 Message contains bare CR and is violating 822.bis section 2.3"),
    (
        END_OF_DATA,
        (
            "550 5.7.1 Content-Policy reject msg: Message headers can "
            "not have 8-bit non-ASCII characters"
        ),
    ),
    (END_OF_DATA, "554 5.7.1 Message contains a virus"),
)
"""The matter of the recipient or of the message: no route can help."""

ACCOUNT: Final = (
    (
        "RCPT",
        "502 5.7.0 Your SMTP account is not yet activated. Please contact us to request activation",
    ),
    (
        END_OF_DATA,
        "502 5.7.0 Your SMTP account is not yet activated. Please contact us to request activation",
    ),
    (
        END_OF_DATA,
        (
            "550 5.7.1 Your plan does not include SMTP sending, upgrade "
            "at https://provider.example/billing"
        ),
    ),
    (
        "RCPT",
        (
            "550 5.7.68 TenantInboundAttribution; Direct Send not "
            "allowed for this organization from unauthorized sources"
        ),
    ),
    (
        "RCPT",
        (
            "550 5.7.0 Mail relay denied [192.0.2.17]. Email is being "
            "sent from a domain or IP address which isn't registered in your G Suite account"
        ),
    ),
    (
        "DATA",
        (
            "421 Domain sandbox.mail.example is not allowed to send: "
            "Please activate your account. Check your inbox or log in to your contr"
            "ol panel to resend the activation email."
        ),
    ),
    (
        "DATA",
        (
            "421 Your account is on probation and domains are limited to "
            "100 messages / hour. To maintain the rate the account has been disable"
            "d until Tue, 23 Oct 2026 08:42:36 GMT."
        ),
    ),
    ("MAIL", "550 that IP address is not allowed to send"),
    (END_OF_DATA, "550 Request failed; Mailbox unavailable"),
    ("MAIL", "550 Request failed; Mailbox unavailable"),
    ("RCPT", "554 5.7.1 Relay access denied"),
    ("RCPT", "550 5.7.1 relaying denied"),
    ("MAIL", "553 5.7.1 not owned by user desk"),
    (
        END_OF_DATA,
        "554 5.2.252 SendAsDenied; desk@example.test not allowed to send as ann@example.org",
    ),
    (END_OF_DATA, "550 5.4.5 Daily user sending limit exceeded"),
    ("RCPT", "550 5.4.5 Daily sending quota exceeded"),
    (
        END_OF_DATA,
        (
            "550 5.7.26 Unauthenticated email from example.org is not "
            "accepted due to domain's DMARC policy"
        ),
    ),
    (END_OF_DATA, "554 5.1.8 Access denied, bad outbound sender"),
    ("RCPT", "530 5.7.0 Authentication required"),
    ("MAIL", "530 5.7.1 Client was not authenticated"),
    (END_OF_DATA, "550 5.4.6 Unusual sending activity detected"),
)
"""The matter of the account, the sender or the organization, at whatever stage."""

SOFT: Final = (
    ("RCPT", "450 4.2.0 Greylisted, see http://postgrey.example/help"),
    ("RCPT", "451 4.3.0 try later"),
    (END_OF_DATA, "451 4.3.0 queue file write error"),
    ("DATA", "451 4.3.0 not now"),
    (END_OF_DATA, "452 4.3.1 Insufficient system storage"),
)
"""Not now."""

SLOW: Final = (
    ("RCPT", "450 4.2.1 The user is receiving mail too quickly"),
    (END_OF_DATA, "432 4.3.2 Concurrent connections limit exceeded"),
    ("MAIL", "450 4.7.0 Rate limit exceeded, slow down"),
)
"""Slower."""

UNKNOWN: Final = (
    ("RCPT", "550 5.0.0 computer says no"),
    ("RCPT", "550 no"),
    ("RCPT", "554 5.7.1 zebra"),
    ("RCPT", "553 odd moon phase"),
    ("RCPT", "550 5.7.1 refused by policy"),
    ("RCPT", "551 go elsewhere"),
    ("RCPT", "550 5.9.9 code 17"),
    ("RCPT", "500 5.5.2 what"),
    ("DATA", "554 5.0.0 no"),
    ("DATA", "550 5.7.1 rule 4711"),
    ("DATA", "503 5.5.1 bad sequence"),
    (END_OF_DATA, "554 5.0.0 no"),
    (END_OF_DATA, "550 5.6.0 zebra"),
    (END_OF_DATA, "554 5.7.1 rule 4711 matched"),
    (END_OF_DATA, "550 we do not like this"),
    (END_OF_DATA, "552 Message rejected by policy, see https://postmaster.example.org/e/4711"),
    (END_OF_DATA, "541 hmm"),
    (END_OF_DATA, "571 5.7.1 refused"),
    ("MAIL", "550 5.0.0 zebra"),
    ("MAIL", "571 rule 9"),
    ("RCPT", "555 5.5.4 unsupported"),
)
"""Words that no row of the catalogue knows."""


def refusing(certs: Certificates, moment: str, words: str, healed: list[bool]) -> ScriptedServer:
    """A server that says these words at this moment until it is healed."""

    def answer(_session: Session) -> Action:
        return Default() if healed else Reply(words)

    return ScriptedServer(Script(tls=certs.good.tls, on={moment: answer}))


@pytest.fixture
def good(certs: Certificates) -> ScriptedServer:
    return ScriptedServer(Script(tls=certs.good.tls))


@contextmanager
def beside(
    good: ScriptedServer, custom: ScriptedServer, certs: Certificates, folder: Path
) -> Iterator[tuple[PostOffice, ScriptedServer]]:
    """A sender with that custom server, and a default one that takes all."""
    with (
        custom,
        good,
        opened(folder, route_to(custom, certs), route_to(good, certs, DEFAULT)) as office,
    ):
        yield office, custom


def test_the_table_is_long_enough() -> None:
    rows = {*THEIRS, *ACCOUNT, *SOFT, *SLOW, *UNKNOWN}
    assert len(rows) >= 60
    assert len(UNKNOWN) >= 20


@pytest.mark.parametrize(("moment", "words"), [*ACCOUNT, *SOFT, *UNKNOWN])
def test_what_another_route_may_take_it_takes(
    certs: Certificates, good: ScriptedServer, tmp_path: Path, moment: str, words: str
) -> None:
    with beside(good, refusing(certs, moment, words, []), certs, tmp_path) as (office, custom):
        receipt = office.sender.send(mail(1, TO))
        assert fates(receipt) == [("accepted", DEFAULT)]
        assert receipt.fallback is not None
        assert receipt.fallback.reply is not None
        rests = receipt.fallback.scope is Scope.ROUTE and receipt.fallback.code[:6] != "sender"
        assert isinstance(office.health.may_use(CUSTOM), Resting | Shut if rests else Usable)
        assert (sum(accepted(custom).values()), sum(accepted(good).values())) == (0, 1)


@pytest.mark.parametrize(("moment", "words"), THEIRS)
def test_what_no_route_can_help_is_refused(
    certs: Certificates, good: ScriptedServer, tmp_path: Path, moment: str, words: str
) -> None:
    with beside(good, refusing(certs, moment, words, []), certs, tmp_path) as (office, _custom):
        assert fates(office.sender.send(mail(1, TO))) == [("refused", CUSTOM)]
        assert isinstance(office.health.may_use(CUSTOM), Usable)
        assert not accepted(good)


@pytest.mark.parametrize(("moment", "words"), SLOW)
def test_what_is_too_fast_waits_for_its_own_route(
    certs: Certificates, good: ScriptedServer, tmp_path: Path, moment: str, words: str
) -> None:
    with beside(good, refusing(certs, moment, words, []), certs, tmp_path) as (office, _custom):
        receipt = office.sender.send(mail(1, TO), timeout=0.3)
        assert [str(each.status) for each in receipt.recipients] == ["queued"]
        assert isinstance(office.health.may_use(CUSTOM), Usable)
        assert not accepted(good)


@pytest.mark.parametrize(("moment", "words"), [*ACCOUNT, *SOFT, *UNKNOWN])
def test_what_the_default_service_refuses_the_custom_server_takes_when_it_works_again(
    certs: Certificates, tmp_path: Path, moment: str, words: str
) -> None:
    healed: list[bool] = []
    with (
        refusing(certs, "EHLO", "421 4.3.2 closed for today", healed) as custom,
        refusing(certs, moment, words, []) as default,
        opened(tmp_path, route_to(custom, certs), route_to(default, certs, DEFAULT)) as office,
    ):
        assert fates(office.sender.send(mail(1, TO))) == [("queued", DEFAULT)]
        office.clock.turn(hours=2)
        office.sender.drain()
        assert [entry.state for entry in office.entries] == [EntryState.READY]
        healed.append(True)
        office.settle()
        assert [entry.state for entry in office.entries] == [EntryState.ACCEPTED]
        assert sum(accepted(custom).values()) == 1


@pytest.mark.parametrize(("moment", "words"), THEIRS)
def test_what_the_default_service_knows_for_good_is_refused(
    certs: Certificates, tmp_path: Path, moment: str, words: str
) -> None:
    with (
        refusing(certs, moment, words, []) as default,
        opened(tmp_path, None, route_to(default, certs, DEFAULT)) as office,
    ):
        assert fates(office.sender.send(mail(1, TO))) == [("refused", DEFAULT)]


@pytest.mark.parametrize("count", [2, 3])
def test_three_refusals_in_unknown_words_are_the_routes_fault(
    certs: Certificates, good: ScriptedServer, tmp_path: Path, count: int
) -> None:
    """Of different recipients and messages; one recipient's or message's are not."""
    with (
        refusing(certs, "RCPT", "550 5.0.0 computer says no", []) as custom,
        good,
        opened(tmp_path, route_to(custom, certs), route_to(good, certs, DEFAULT)) as office,
    ):
        for _ in range(4):
            office.sender.send(mail("same", TO))
        assert isinstance(office.health.may_use(CUSTOM), Usable)
        for number in range(1, count):
            office.sender.send(mail(number, (f"p{number}@example.test",)))
        expected = Resting if count == 3 else Usable
        assert isinstance(office.health.may_use(CUSTOM), expected)
        assert (office.health.status(CUSTOM).out_since is not None) == (count == 3)
