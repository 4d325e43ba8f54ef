"""The routes follow what is saved: proven settings only, and nothing is lost where they break."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.sender import Invitation, Sender, Status
from smtp_desk.sender.mail.addressing import Identity
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.routes.health import Shut
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.sender.routes.sendmail import SendmailRoute
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.testing import MemoryHealth, MemoryOutbox
from smtp_desk.store.settings_file import SettingsFileError, SettingsFileProblem
from smtp_desk.store.stored import DefaultKind, DefaultService, Preferences
from tests.sender.homes import Home, code, identity
from tests.sender.outboxes import TurnedClock
from tests.sender.post_office import accepted
from tests.sender.ways import CATALOGUE
from tests.servers.script import CREDENTIALS, Reply, Script
from tests.servers.scripted import ScriptedServer
from tests.store.settings import NEW, NEW_SECRET, OLD, OLD_SECRET, RELAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtp_desk.core.settings import ServerSettings
    from smtp_desk.store.stored import StoredSettings
    from tests.servers.certs import Certificates

INVITATION: Final = Invitation(
    to="ann@example.test", invited_by="Bo", link="https://example.org/join"
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.source.close()


def test_a_fresh_machine_has_no_route(home: Home) -> None:
    assert (home.routes.custom, home.routes.default) == (None, None)
    assert home.routes is home.routes, "read once"


def test_proven_settings_are_a_route(home: Home) -> None:
    home.save(OLD, OLD_SECRET)
    assert identity(home.routes.custom) == Identity(OLD.from_email, OLD.from_name)
    assert home.routes.from_email == OLD.from_email
    home.store.set_enabled(False)
    assert home.routes.custom is None


def test_other_settings_are_followed_and_the_old_route_retires(home: Home) -> None:
    home.save(OLD, OLD_SECRET)
    before = home.routes
    assert before.current()
    home.save(replace(OLD, from_name="Another"), NEW_SECRET)
    assert not before.current()
    after = home.routes
    assert after is not before
    assert identity(after.custom).from_name == "Another"
    home.source.close()


def test_a_hand_edited_file_is_not_used(home: Home) -> None:
    home.save(OLD, OLD_SECRET)
    home.edit(OLD.host, "evil.example.test")
    assert code(home.routes.custom) == "settings.not_proven"


def test_a_file_that_breaks_while_sending_keeps_the_default_service(home: Home) -> None:
    home.save(OLD, OLD_SECRET)
    home.save(RELAY, None, default=True)
    before = home.routes
    home.edit("schema", "schema = [")
    assert code(home.routes.custom) == "settings.file_unreadable"
    assert home.routes.default is before.default
    assert home.routes.from_email == OLD.from_email


def test_a_file_that_can_be_read_at_last_holds_as_a_whole(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.save(RELAY, None, default=True)
    assert identity(home.routes.default).from_email == RELAY.from_email
    home.save(replace(RELAY, from_email="other@corp.local"), None, default=True)
    with monkeypatch.context() as patch:
        patch.setattr(home.store, "load", _unreadable)
        assert identity(home.routes.default).from_email == RELAY.from_email
    home.seconds += 60
    assert identity(home.routes.default).from_email == "other@corp.local"


def _unreadable() -> StoredSettings:
    raise SettingsFileError(SettingsFileProblem.UNREADABLE, Path("settings.toml"), "no right")


def test_a_file_that_was_broken_before_gives_no_route(home: Home) -> None:
    home.save(OLD, OLD_SECRET)
    home.edit("schema", "schema = [")
    assert code(home.routes.custom) == "settings.file_unreadable"
    assert code(home.routes.default) == "settings.file_unreadable"


def test_our_own_fault_while_reading_keeps_every_email(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home.save(OLD, OLD_SECRET)

    def no_memory(*_args: object, **_kwargs: object) -> bytes:
        raise ValueError("memory limit exceeded")

    with monkeypatch.context() as patch:
        patch.setattr("hmac.digest", no_memory)
        outbox, clock = MemoryOutbox(), TurnedClock()
        templates = Templates(home.paths.templates)
        sender = Sender(outbox, MemoryHealth(clock), home.source, templates, CATALOGUE, clock=clock)
        (receipt,) = sender.send(INVITATION).recipients
    assert receipt.status is Status.QUEUED
    assert code(home.routes.custom) == "session.internal_error"
    assert "memory limit exceeded" in caplog.text
    home.seconds += 60
    assert isinstance(home.routes.custom, SmtpRoute)


def test_who_emails_come_from_on_the_default_route(home: Home) -> None:
    home.store.save_preferences(Preferences(company_name="Example", notify="it@x.test"))
    home.save(RELAY, None, default=True)
    assert identity(home.routes.default) == Identity(RELAY.from_email, "Example")
    assert home.routes.from_email == RELAY.from_email
    assert home.routes.notify == "it@x.test"
    home.save(NEW, NEW_SECRET)
    expected = Identity(RELAY.from_email, NEW.from_name, NEW.from_email)
    assert identity(home.routes.default) == expected
    home.store.set_enabled(False)
    assert identity(home.routes.default) == Identity(RELAY.from_email, NEW.from_name)


def test_an_unproven_relay_is_not_used(home: Home) -> None:
    home.save(RELAY, None, default=True)
    home.edit(RELAY.host, "evil.corp.local")
    assert code(home.routes.default) == "settings.not_proven"


def test_the_machines_own_mta(home: Home) -> None:
    service = DefaultService(DefaultKind.SENDMAIL, "/usr/sbin/sendmail", "root@example.org")
    home.store.save_default(service)
    assert isinstance(home.routes.default, SendmailRoute)
    assert identity(home.routes.default) == Identity("root@example.org")


def test_re_sends_can_be_turned_off_in_the_file(home: Home) -> None:
    home.store.save_preferences(Preferences())
    assert home.routes.resend_uncertain
    text = home.paths.settings_file.read_text("utf-8")
    home.paths.settings_file.write_text(f'uncertain = "hold"\n{text}', "utf-8")
    assert not home.routes.resend_uncertain


class Traffic:
    """A sender over a home, with a custom server and a relay that are real."""

    def __init__(
        self, home: Home, certs: Certificates, custom: ScriptedServer, relay: ScriptedServer
    ) -> None:
        self.home, self.certs = home, certs
        self.clock = TurnedClock()
        self.health = MemoryHealth(self.clock)
        self.outbox = MemoryOutbox(self.clock)
        home.save(self.at(custom, OLD), Secret("s3cret"))
        home.save(self.at(relay, RELAY), Secret("s3cret"), default=True)
        self.sender = Sender(
            self.outbox,
            self.health,
            home.source,
            Templates(home.paths.templates),
            CATALOGUE,
            clock=self.clock,
        )

    def at(self, server: ScriptedServer, settings: ServerSettings) -> ServerSettings:
        return replace(
            settings,
            host=server.host,
            port=server.port,
            username="desk",
            ca_pem=self.certs.root.chain_file.read_text(),
        )


def test_a_wrong_password_is_tried_once_in_an_hour_of_traffic(
    home: Home, certs: Certificates
) -> None:
    tls = certs.good.tls
    refusing = Script(tls=tls, on={CREDENTIALS: Reply("535 5.7.8 Error: authentication failed")})
    with ScriptedServer(refusing) as custom, ScriptedServer(Script(tls=tls)) as relay:
        traffic = Traffic(home, certs, custom, relay)
        with traffic.sender as sender:
            for _ in range(60):
                (each,) = sender.send(INVITATION).recipients
                assert (each.status, each.route) == (Status.ACCEPTED, DEFAULT)
                sender.drain()
                traffic.clock.turn(minutes=1)
            assert custom.auth_attempts == 1
            assert traffic.health.may_use(CUSTOM) == Shut("auth.rejected")
            traffic.health.try_again(CUSTOM)
            sender.send(INVITATION)
            sender.drain()
            assert custom.auth_attempts == 2, "once more, for a person asked for it"
        assert accepted(relay) == {"ann@example.test": 61}


def test_new_settings_are_used_by_the_very_next_email(home: Home, certs: Certificates) -> None:
    tls = certs.good.tls
    refusing = Script(tls=tls, on={CREDENTIALS: Reply("535 5.7.8 Error: authentication failed")})
    with (
        ScriptedServer(refusing) as wrong,
        ScriptedServer(Script(tls=tls)) as right,
        ScriptedServer(Script(tls=tls)) as relay,
    ):
        traffic = Traffic(home, certs, wrong, relay)
        with traffic.sender as sender:
            assert sender.send(INVITATION).route == DEFAULT
            home.save(traffic.at(right, OLD), Secret("s3cret"))
            traffic.health.reopen(CUSTOM)
            assert sender.send(INVITATION).route == CUSTOM
        sent = right.messages[0].content
        assert b"From: Example <desk@example.org>" in sent
        fallen_back = relay.messages[0].content
        assert b"From: Example <desk@corp.local>" in fallen_back
        assert b"Reply-To: Example <desk@example.org>" in fallen_back or (
            b"Reply-To: desk@example.org" in fallen_back
        )


def test_routes_that_retired_are_not_kept_for_ever(home: Home) -> None:
    home.save(OLD, OLD_SECRET)
    retired = weakref.ref(home.routes.custom)
    home.save(replace(OLD, from_name="Another"), NEW_SECRET)
    assert isinstance(home.routes.custom, SmtpRoute)
    gc.collect()
    assert retired() is None


def test_a_broken_file_lets_the_health_of_the_default_service_be_told(home: Home) -> None:
    home.save(OLD, OLD_SECRET)
    home.save(RELAY, None, default=True)
    assert home.routes.current()
    home.edit("schema", "schema = [")
    assert code(home.routes.custom) == "settings.file_unreadable"
    assert home.routes.current()


@pytest.mark.parametrize("wrong", ["root", "", "a@b@c", "a@example.org\\r\\nBcc: eve@example.org"])
def test_a_default_service_whose_address_is_none_is_not_used(home: Home, wrong: str) -> None:
    home.store.save_default(
        DefaultService(DefaultKind.SENDMAIL, "/usr/sbin/sendmail", "root@example.org")
    )
    home.edit("root@example.org", wrong)
    assert code(home.routes.default) == "settings.value_invalid"
    outbox, clock = MemoryOutbox(), TurnedClock()
    templates = Templates(home.paths.templates)
    sender = Sender(outbox, MemoryHealth(clock), home.source, templates, CATALOGUE, clock=clock)
    with sender:
        (receipt,) = sender.send(INVITATION).recipients
    assert receipt.status is Status.QUEUED, "stored, and sent when that is corrected"


def test_a_company_name_that_is_no_line_harms_no_mail(home: Home) -> None:
    home.store.save_preferences(Preferences(company_name="Example"))
    home.store.save_default(
        DefaultService(DefaultKind.SENDMAIL, "/usr/sbin/sendmail", "root@example.org")
    )
    home.edit('"Example"', '"Example\\r\\nBcc: eve@example.org"')
    assert code(home.routes.default) == "settings.value_invalid"
