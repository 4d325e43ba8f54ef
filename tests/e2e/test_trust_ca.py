"""A company server whose CA nobody knows: refused, trusted on the phone, proven, saved."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING, Final, TypeVar

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.services import Services
from smtp_desk.core.problems import Field
from smtp_desk.core.report_reader import read_report
from smtp_desk.ui.desk import Desk
from tests.e2e.program import run
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.ui.garbage import garbage_stays_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.servers.certs import Certificates, Identity

__all__ = ["garbage_stays_here"]

pytestmark = pytest.mark.qt_log_ignore("support (raise|propagateSizeHints)")

W = TypeVar("W", bound=QWidget)
SLOW_MS: Final = 30_000
UNREACHABLE: Final = "Could not reach the SMTP server. Verify the host and port."
CHANGED: Final = "Settings changed since the last test. Re-test to enable saving."
SUCCESS: Final = "Test email sent successfully"


class Person:
    """The administrator at the window, with the mail administrator on the phone."""

    def __init__(self, desk: Desk, qtbot: QtBot) -> None:
        self.desk = desk
        self._qtbot = qtbot

    def see(self, kind: type[W], name: str) -> W:
        """Return the newest of that name: what it replaced may still wait to be deleted."""
        return self.desk.window.findChildren(kind, name)[-1]

    def offered(self) -> bool:
        buttons = self.desk.window.findChildren(QPushButton, "remedy_trust_ca")
        return any(button.isVisible() for button in buttons)

    def wait(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=SLOW_MS)

    @property
    def outcome(self) -> str:
        label = self.see(QLabel, "outcome")
        return label.text() if label.isVisible() else ""

    def test(self, outcome: str) -> None:
        self.see(QPushButton, "send_test").click()
        self.wait(lambda: self.outcome == outcome)

    def answer(self, digits: str) -> None:
        """Type digits into the question, and confirm if that is possible."""
        self.wait(lambda: bool(self.desk.window.findChildren(QLineEdit, "ca_digits")))
        edit = self.see(QLineEdit, "ca_digits")
        edit.clear()
        QTest.keyClicks(edit, digits)
        self.see(QPushButton, "trust_ca").click()


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services.sandbox(tmp_path / "home")


@pytest.fixture
def person_at(qtbot: QtBot, services: Services) -> Iterator[Callable[[ScriptedServer], Person]]:
    desks: list[Desk] = []

    def sit_down(server: ScriptedServer) -> Person:
        filled = {
            Field.HOST: "localhost",
            Field.PORT: str(server.port),
            Field.USERNAME: "desk",
            Field.PASSWORD: "s3cret",
            Field.FROM_EMAIL: "desk@example.test",
            Field.RECIPIENT: "ann@example.test",
        }
        desk = Desk(lambda: services, filled=filled)
        desks.append(desk)
        qtbot.addWidget(desk.window)
        with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
            desk.window.show()
        person = Person(desk, qtbot)
        person.wait(lambda: person.see(QLineEdit, "recipient").text() != "")
        return person

    yield sit_down
    for desk in desks:
        desk.close()


def served(identity: Identity) -> ScriptedServer:
    return ScriptedServer(Script(tls=identity.tls))


def test_from_the_finding_on_integrations_to_saved_settings(
    person_at: Callable[[ScriptedServer], Person], certs: Certificates, services: Services
) -> None:
    with served(certs.unknown_issuer) as server:
        person = person_at(server)
        person.test(UNREACHABLE)
        assert person.offered()
        person.see(QPushButton, "remedy_trust_ca").click()
        person.answer("0123 4567")
        assert not person.see(QPushButton, "trust_ca").isEnabled()
        assert "digits don’t match" in person.see(QLabel, "ca_verdict").text()
        assert person.see(QLineEdit, "ca_file").text() == ""
        person.answer(certs.other_root.fingerprint[-8:].upper())
        person.wait(lambda: person.see(QLineEdit, "ca_file").text() != "")
        assert person.outcome == CHANGED
        assert person.desk.window.focusWidget() is person.see(QLabel, "outcome")
        assert not person.see(QPushButton, "save").isEnabled()
        person.test(SUCCESS)
        person.see(QPushButton, "save").click()
        person.wait(lambda: not person.see(QPushButton, "save").isEnabled())
        person.wait(lambda: services.store.load().server is not None)
        assert len(server.messages) == 1
    stored = services.store.load().server
    assert stored is not None
    assert stored.settings.ca_pem == certs.other_root.chain_file.read_text()
    (trusted,) = services.paths.trusted_cas.iterdir()
    assert stat.S_IMODE(trusted.stat().st_mode) == 0o600


def test_from_diagnostics_after_a_check_without_signing_in(
    person_at: Callable[[ScriptedServer], Person], certs: Certificates
) -> None:
    with served(certs.unknown_issuer) as server:
        person = person_at(server)
        pages = person.desk.workshop.navigation
        pages.open_page("diagnostics")
        person.see(QCheckBox, "without_signing_in").click()
        person.see(QPushButton, "run_again").click()
        person.wait(person.offered)
        person.see(QLineEdit, "host").setText("127.0.0.1")
        person.wait(lambda: not person.offered())
        person.see(QLineEdit, "host").setText("localhost")
        person.wait(person.offered)
        person.see(QPushButton, "remedy_trust_ca").click()
        assert person.see(QWidget, "integrations").isVisible()
        person.answer(certs.other_root.fingerprint[-8:])
        person.wait(lambda: person.see(QLineEdit, "ca_file").text() != "")
        person.test(SUCCESS)
        assert server.auth_attempts == 1


def test_what_was_trusted_serves_no_other_host(
    person_at: Callable[[ScriptedServer], Person], certs: Certificates
) -> None:
    with served(certs.unknown_issuer) as server:
        person = person_at(server)
        person.test(UNREACHABLE)
        person.see(QPushButton, "remedy_trust_ca").click()
        person.answer(certs.other_root.fingerprint[-8:])
        ca_file = person.see(QLineEdit, "ca_file")
        person.wait(lambda: ca_file.text() != "")
        connections = len(server.sessions)
        person.see(QLineEdit, "host").setText("127.0.0.1")
        assert "only for localhost" in ca_file.accessibleDescription()
        assert ca_file.isVisible()
        person.see(QPushButton, "send_test").click()
        assert ca_file.hasFocus() or person.desk.window.focusWidget() is ca_file
        assert len(server.sessions) == connections


@pytest.mark.parametrize("identity", ["unknown_issuer_unsent", "self_signed", "intercepted"])
def test_no_ca_no_question(
    person_at: Callable[[ScriptedServer], Person], certs: Certificates, identity: str
) -> None:
    with served(getattr(certs, identity)) as server:
        person = person_at(server)
        person.test(UNREACHABLE)
        assert person.see(QWidget, "finding").isVisible()
        assert not person.offered()
        person.see(QPushButton, "details").click()
        person.wait(lambda: person.see(QLabel, "verdict").text() != "")
        assert not person.offered()


def test_the_command_line_names_its_own_way(certs: Certificates) -> None:
    check = ("check", "--host", "localhost", "--no-login")
    with served(certs.unknown_issuer) as server:
        address = ("--port", str(server.port))
        refused = run(*check, *address)
        trusting = ("--ca-file", str(certs.other_root.chain_file))
        done = run(*check, *address, *trusting, "--json")
    said = re.sub(r"\s+", " ", refused.stdout.decode())
    assert refused.returncode == 69
    assert "compare its SHA-256 fingerprint with them by phone" in said
    assert "then give the file with --ca-file FILE." in said
    assert "The mail administrator has it. Here: --ca-file FILE." in said
    assert (done.returncode, read_report(done.stdout).finding) == (0, None)
