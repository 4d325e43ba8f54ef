"""Scenes of the Email types page: the real page and presenter, sending replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QLineEdit, QPushButton

from smtp_desk.app.email_types.presenter import EmailTypesPresenter
from smtp_desk.app.services import Services
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.stored import DefaultKind, DefaultService, Preferences
from smtp_desk.ui.email_types.view import EmailTypesView
from tests.app.faces import DeferredRunner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from smtp_desk.sender.mail.kinds import Email
    from smtp_desk.smtp.net.deadline import Cancel

SERVER: Final = ServerSettings(
    host="smtp.example.org", port=587, from_name="Example Network", from_email="desk@example.org"
)
SENDMAIL: Final = DefaultService(
    kind=DefaultKind.SENDMAIL,
    sendmail_path="/usr/sbin/sendmail",
    from_email="platform@example.test",
)


class Scene:
    """A page that is shown, with everything behind it."""

    def __init__(self, home: Path) -> None:
        self.services = Services.sandbox(home)
        self.runner = DeferredRunner()
        self.sending = DeferredRunner()
        self.sent: list[Email] = []
        self.receipt: Callable[[Email], Receipt] = accepted
        self.opened: list[Path] = []
        self.view = EmailTypesView()
        self.view.open_file = self._open  # type: ignore[method-assign]
        self.presenter = EmailTypesPresenter(
            self.services, self.runner, self.sending, self.view, self._send
        )
        self.view.attach(self.presenter)
        self.services.store.save_preferences(Preferences(company_name="Example Network"))

    @property
    def folder(self) -> Path:
        """The person's own templates."""
        folder = self.services.paths.templates
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def configure(self) -> None:
        """Save and switch on a custom server, and a sendmail as the default service."""
        self.services.store.save_server(SERVER, Security.STARTTLS, Secret(""))
        self.services.store.set_enabled(True)
        self.services.store.save_default(SENDMAIL)

    def send(self, recipient: str) -> None:
        """Type an address and press Send sample."""
        edit = self.view.page.findChild(QLineEdit, "sample_recipient")
        assert isinstance(edit, QLineEdit)
        edit.setText(recipient)
        button = self.view.page.findChild(QPushButton, "send_sample")
        assert isinstance(button, QPushButton)
        button.click()

    def finish(self) -> None:
        """Run what waits."""
        self.runner.finish()
        self.sending.finish()

    def _send(self, email: Email, cancel: Cancel) -> Receipt:
        cancel.check()
        self.sent.append(email)
        return self.receipt(email)

    def _open(self, file: Path) -> bool:
        self.opened.append(file)
        return True


def accepted(email: Email) -> Receipt:
    """What comes of an email that the custom server takes."""
    return Receipt(
        "<1@example.org>",
        tuple(RecipientReceipt(each, Status.ACCEPTED, "custom") for each in email.recipients),
    )


def _fresh(_scene: Scene) -> None:
    pass


def _own(scene: Scene) -> None:
    scene.configure()
    (scene.folder / "welcome_affiliate_approved.subject.txt").write_text("Hi {{ name }}!", "utf-8")


def _broken(scene: Scene) -> None:
    scene.configure()
    (scene.folder / "layout.html").write_text("<p>\n{{ compny }}</p>", "utf-8")


def _sent(scene: Scene) -> None:
    scene.configure()
    scene.presenter.choose("invitation")
    scene.send("ann@example.org")


def _wrong_address(scene: Scene) -> None:
    scene.configure()
    scene.presenter.choose("message")
    scene.send("ann@")


def _long(scene: Scene) -> None:
    scene.configure()
    scene.services.store.save_preferences(Preferences(company_name="Vereinigte Beispiele " * 8))
    scene.presenter.choose("notification")


SCENES: Final[dict[str, Callable[[Scene], None]]] = {
    "fresh": _fresh,
    "own": _own,
    "broken": _broken,
    "sent": _sent,
    "wrong_address": _wrong_address,
    "long": _long,
}
