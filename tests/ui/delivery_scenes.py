"""Scenes of the Delivery page: the real page and presenter over an outbox in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QLineEdit, QPushButton

from smtp_desk.app.delivery.overview import OverviewPresenter, Threads
from smtp_desk.app.delivery.presenter import DeliveryPresenter
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.outbox.outbox import OutboxLimits
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.sender.testing import MemoryHealth, MemoryOutbox
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.stored import DefaultKind, DefaultService
from smtp_desk.ui.delivery.table import EmailTable
from smtp_desk.ui.delivery.view import DeliveryView
from tests.app.delivery_page import services_with
from tests.app.faces import DeferredRunner
from tests.sender.mails import busy_morning
from tests.sender.outboxes import TurnedClock, message

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from smtp_desk.sender.mail.kinds import Email
    from smtp_desk.smtp.net.deadline import Cancel

SERVER: Final = ServerSettings(
    host="smtp.example.org", port=587, from_name="Example Partners", from_email="desk@example.org"
)


class Scene:
    """A page that is shown, with everything behind it."""

    def __init__(self, home: Path, limits: OutboxLimits | None = None) -> None:
        self.clock = TurnedClock()
        self.outbox = MemoryOutbox(self.clock, limits)
        self.health = MemoryHealth(self.clock)
        self.services = services_with(home, self.clock, self.outbox, self.health)
        self.runner = DeferredRunner()
        self.view = DeliveryView(refresh_ms=1_000_000, search_ms=0)
        self.presenter = DeliveryPresenter(self.services, self.runner, self.view)
        self.view.attach(self.presenter)
        self.drain, self.sending = DeferredRunner(), DeferredRunner()
        threads = Threads(self.runner, self.drain, self.sending)
        self.overview = OverviewPresenter(self.services, threads, self._send, self.view)
        self.view.attach_overview(self.overview)
        self.sent: list[Email | OutboxMessage] = []

    def _send(self, email: Email | OutboxMessage, cancel: Cancel) -> Receipt:
        cancel.check()
        self.sent.append(email)
        (to,) = email.recipients
        return Receipt("<1@example.org>", (RecipientReceipt(to, Status.ACCEPTED, "custom"),))

    @property
    def table(self) -> EmailTable:
        found = self.view.page.findChild(EmailTable)
        assert isinstance(found, EmailTable)
        return found

    def look(self) -> None:
        self.view.refresh()
        self.overview.refresh()
        self.runner.finish()

    def press(self, name: str) -> None:
        """Click a button of the page, or of a dialog in front of it, and wait for what it does."""
        button = self.view.page.findChild(QPushButton, name)
        assert isinstance(button, QPushButton), name
        button.click()
        for runner in (self.runner, self.sending):
            runner.finish()

    def type(self, name: str, text: str) -> None:
        edit = self.view.page.findChild(QLineEdit, name)
        assert isinstance(edit, QLineEdit), name
        edit.setText(text)
        edit.textEdited.emit(text)

    def choose(self, row: int) -> None:
        self.table.choose(self.table.emails.id_at(row))
        self.runner.finish()

    def configure(self) -> None:
        """Save and switch on a custom server, and a sendmail as the default service."""
        self.services.store.save_server(SERVER, Security.STARTTLS, Secret(""))
        self.services.store.set_enabled(True)
        self.services.store.save_default(
            DefaultService(
                kind=DefaultKind.SENDMAIL,
                sendmail_path="/usr/sbin/sendmail",
                from_email="relay@example.org",
            )
        )

    def close(self) -> None:
        self.view.page.deleteLater()


def empty(home: Path) -> Scene:
    """A fresh machine."""
    scene = Scene(home)
    scene.look()
    return scene


def morning(home: Path) -> Scene:
    """Forty emails, the custom route shut, nothing selected."""
    scene = Scene(home)
    scene.configure()
    busy_morning(scene.outbox, scene.health, scene.clock)
    scene.look()
    return scene


def selected(home: Path) -> Scene:
    """An email that waits after attempts by both routes."""
    scene = morning(home)
    scene.choose(4)
    return scene


def uncertain(home: Path) -> Scene:
    scene = morning(home)
    scene.presenter.show_only(DeliveryStatus.UNCERTAIN)
    scene.runner.finish()
    scene.choose(0)
    return scene


def no_match(home: Path) -> Scene:
    scene = morning(home)
    scene.presenter.search("nobody@example.org")
    scene.runner.finish()
    return scene


def stopped(home: Path) -> Scene:
    """A search that the person stopped after the newest emails."""
    scene = Scene(home, OutboxLimits(searched=12))
    scene.configure()
    busy_morning(scene.outbox, scene.health, scene.clock)
    scene.look()
    scene.presenter.search("fay")
    scene.runner.finish_next()
    scene.presenter.stop_search()
    scene.presenter._show(counts={})  # as where there are too many to count
    return scene


def searching(home: Path) -> Scene:
    """A search that goes on: the newest emails were searched."""
    scene = stopped(home)
    scene.runner.finish()
    scene.presenter.search_on()
    scene.runner = DeferredRunner()  # what is searched now takes a while
    return scene


def trouble(home: Path) -> Scene:
    """An outbox that is no outbox."""
    scene = Scene(home)
    file = scene.services.paths.outbox_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"this is no database, but somebody's notes" * 30)
    for name in ("outbox", "health", "control"):
        vars(scene.services).pop(name)
    scene.look()
    return scene


def long(home: Path) -> Scene:
    """Texts without end, and characters that must not act."""
    scene = Scene(home)
    scene.configure()
    subject = "Your \x1b[31m statement \u202efdp.exe " + "and more of it " * 30
    scene.outbox.add(
        [
            OutboxMessage(
                message_id="<" + "m" * 300 + "@example.org>",
                kind="notification",
                payload=b"Subject: x\r\n\r\n",
                recipients=(f"{'a' * 60}@{'very-long-name.' * 8}example.org",),
                subject=subject,
            )
        ]
    )
    scene.look()
    scene.choose(0)
    return scene


def paused(home: Path) -> Scene:
    scene = morning(home)
    scene.outbox.control.pause()
    scene.clock.turn(minutes=9)
    scene.overview.refresh()
    scene.look()
    return scene


def working(home: Path) -> Scene:
    """A worker runs in this window, and a pause has just ended."""
    scene = paused(home)
    scene.overview.start_worker()
    scene.press("resume_sending")
    return scene


def undrained(home: Path) -> Scene:
    """Nobody sends what is due."""
    scene = Scene(home)
    scene.configure()
    scene.outbox.add([message("ann@example.org", subject="Your statement")])
    for _ in range(12):
        scene.look()
        scene.clock.turn(seconds=1)
    scene.look()
    return scene


def ask_by_cause(scene: Scene) -> None:
    scene.press("retry_by_cause")


def ask_whom_to_erase(scene: Scene) -> None:
    """Somebody of whom something is stored."""
    scene.press("erase_recipient")
    scene.type("erase_address", scene.outbox.page().entries[-1].recipient)
    scene.press("look_up")


def ask_where_to_copy(scene: Scene) -> None:
    """An address that is none."""
    scene.press("send_copy")
    scene.type("copy_address", "nobody")
    scene.press("send_copy_now")


DIALOGS: Final[dict[str, Callable[[Scene], None]]] = {
    "causes": ask_by_cause,
    "erase": ask_whom_to_erase,
    "copy": ask_where_to_copy,
    "drop": lambda scene: scene.press("drop"),
}
"""What opens in front of the page once it is seen with an email selected."""
SCENES: Final[dict[str, Callable[[Path], Scene]]] = {
    "empty": empty,
    "morning": morning,
    "selected": selected,
    "uncertain": uncertain,
    "no_match": no_match,
    "search_stopped": stopped,
    "searching": searching,
    "trouble": trouble,
    "long": long,
    "paused": paused,
    "working": working,
    "undrained": undrained,
}
