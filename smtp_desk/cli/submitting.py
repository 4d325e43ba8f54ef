"""Messages of other programs: taken, stored and sent, and what came of it on standard error."""

import socket
import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from smtp_desk.app.services import Services
from smtp_desk.cli.invocation import ExitError, Invocation, say
from smtp_desk.cli.sending import (
    no_route,
    open_sender,
    receipt_row,
    services_to_send,
)
from smtp_desk.core.address import AddressError, Mailbox, parse_mailbox
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.sender.mail.aliases import LOCALHOST, Aliases, AliasLoopError
from smtp_desk.sender.mail.submission import (
    ForeignMessageError,
    Submission,
    Submitted,
    read_foreign,
)
from smtp_desk.sender.outbox.outbox import OutboxLimits
from smtp_desk.sender.receipts import Receipt
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.files import read_regular
from smtp_desk.store.settings_file import SettingsFileError

MOST_OCTETS: Final = OutboxLimits().message_octets
_MOST_ALIASES_OCTETS: Final = 1024 * 1024
_HOSTS: Final = Path("/etc/hosts")
_WORKER: Final = (sys.executable, "-m", "smtp_desk", "worker", "--once")


class DeliveryMode(StrEnum):
    """When a message is sent, as sendmail's DeliveryMode has it."""

    NOW = "i"
    BACKGROUND = "b"
    QUEUE = "q"


class Submitter:
    """Takes messages of other programs for the user who runs this one.

    Args:
        invocation: What to work with; standard error is told what was not sent, and why.
        delivery: When to send.
        full_name: The display name for a From without one.
    """

    def __init__(self, invocation: Invocation, delivery: DeliveryMode, full_name: str = "") -> None:
        self._invocation = invocation
        self._delivery = delivery
        self._full_name = full_name
        self._services = services_to_send(invocation)
        self._home = _home(self._services)
        self._aliases = read_aliases(self._services)
        for problem in self._aliases.problems:
            self._tell(problem)

    def submission(
        self, recipients: Sequence[str], *, from_header: bool = False, sender: str = ""
    ) -> Submission:
        """Return what is said beside a message."""
        return Submission(
            recipients=recipients,
            from_header=from_header,
            envelope_sender=sender,
            full_name=self._full_name,
            home=self._home,
            aliases=self._aliases,
        )

    def refusal(self, recipient: str) -> str:
        """Return why a recipient can't be sent to; "" where one can."""
        submission = self.submission(())
        try:
            for each in submission.aliases.expand(recipient):
                submission.mailbox(each, "RCPT TO")
        except (ForeignMessageError, AliasLoopError) as error:
            return str(error)
        return ""

    def submit(self, octets: bytes, submission: Submission) -> Receipt:
        """Store a message and send it when `delivery` says.

        Raises:
            ExitError: Nothing was stored: the message is wrong, or the outbox can't take it.
        """
        submitted = self._read(octets, submission)
        with open_sender(self._services) as desk:
            if self._delivery is DeliveryMode.NOW:
                receipt = desk.send(submitted.message)
            else:
                receipt = desk.queue(submitted.message)
        for remark in submitted.remarks:
            self._tell(remark)
        if self._delivery is DeliveryMode.BACKGROUND:
            self._send_in_background()
        else:
            self._tell_of(receipt)
        return receipt

    def _read(self, octets: bytes, submission: Submission) -> Submitted:
        now = self._services.now()
        try:
            return read_foreign(octets, submission, now=now, most_octets=MOST_OCTETS)
        except ForeignMessageError as error:
            raise ExitError(str(error), ExitStatus.DATAERR) from error

    def _send_in_background(self) -> None:
        """Let a process of its own send what is due: this one ends before."""
        subprocess.Popen(  # noqa: S603 - this program
            _WORKER,
            env=dict(self._invocation.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _tell_of(self, receipt: Receipt) -> None:
        for each in receipt.recipients:
            if each.status is Status.REFUSED:
                self._tell("{}: {}".format(*receipt_row(each)))
        waiting = [each for each in receipt.recipients if each.status is Status.QUEUED]
        if not waiting:
            return
        if self._delivery is DeliveryMode.QUEUE:
            self._tell("stored, not sent: “smtp-desk worker” sends it.")
            return
        found = next((each.finding for each in waiting if each.finding), None)
        why = found.summary if found is not None else no_route(self._services)
        self._tell(f"stored, not sent yet. {why}".rstrip())

    def _tell(self, text: str) -> None:
        say(self._invocation.err, f"smtp-desk: {text}")


def read_aliases(services: Services) -> Aliases:
    """Return the aliases of this user; none where there is no table."""
    path = services.paths.aliases_file
    hosts = frozenset({LOCALHOST, *_own_names()}) - _configured_domains(services)
    try:
        text = read_regular(path, _MOST_ALIASES_OCTETS).decode("utf-8", "replace")
    except FileNotFoundError:
        text = ""
    except OSError as error:
        return Aliases(hosts=hosts, problems=(f"{path} can’t be read: {error.strerror}.",))
    return Aliases.parse(text, hosts)


def _own_names() -> set[str]:
    """Return the names of this machine, without asking any network."""
    name = socket.gethostname().lower()
    names = {name, name.partition(".")[0]}
    try:
        lines = _HOSTS.read_text("utf-8", "replace").lower().splitlines()
    except OSError:
        return names
    for line in lines:
        _, *known = line.partition("#")[0].split()
        if names.intersection(known):
            names.update(known)
    return names


def _configured_domains(services: Services) -> set[str]:
    home = _home(services)
    return {home.ascii_domain.lower(), home.domain.lower()} if home else set()


def _home(services: Services) -> Mailbox | None:
    """Return the configured From email: the custom server's, else the default service's."""
    try:
        stored = services.store.load()
        settings = stored.server.settings if stored.server else stored.default
        return parse_mailbox(settings.from_email)
    except (SettingsFileError, AddressError):  # the message is stored all the same
        return None
