"""Messages of other programs: accepted, stored and sent, with the result on standard error."""

import subprocess
import sys
from enum import StrEnum
from typing import Final

from smtp_desk.app.intake import Intake
from smtp_desk.cli.invocation import ExitError, Invocation, say
from smtp_desk.cli.sending import no_route, open_sender, receipt_row, services_to_send
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.translation import _, told
from smtp_desk.sender.mail.submission import ForeignMessageError, Submission
from smtp_desk.sender.outbox.outbox import OutboxLimits
from smtp_desk.sender.receipts import Receipt
from smtp_desk.smtp.session.envelope import Status

MOST_OCTETS: Final = OutboxLimits().message_octets
_WORKER: Final = (sys.executable, "-m", "smtp_desk", "worker", "--once")


class DeliveryMode(StrEnum):
    """When a message is sent, as sendmail's DeliveryMode has it."""

    NOW = "i"
    BACKGROUND = "b"
    QUEUE = "q"


class Submitter:
    """Accepts messages of other programs for the user who runs this one.

    Args:
        invocation: What to use; its standard error gets what was not sent, and why.
        delivery: When to send.

    Attributes:
        intake: Reads the messages.
    """

    def __init__(self, invocation: Invocation, delivery: DeliveryMode) -> None:
        self._invocation = invocation
        self._delivery = delivery
        self._services = services_to_send(invocation)
        self.intake = Intake(self._services)
        for problem in self.intake.aliases.problems:
            self._tell(_(problem))

    def submit(self, octets: bytes, submission: Submission) -> Receipt:
        """Store a message and send it when `delivery` says.

        Raises:
            ExitError: Nothing was stored: the message is wrong, or the outbox can't take it.
        """
        try:
            submitted = self.intake.read(octets, submission, MOST_OCTETS)
        except ForeignMessageError as error:
            raise ExitError(told(error), ExitStatus.DATAERR) from error
        with open_sender(self._services) as desk:
            if self._delivery is DeliveryMode.NOW:
                receipt = desk.send(submitted.message)
            else:
                receipt = desk.queue(submitted.message)
        for remark in submitted.remarks:
            self._tell(_(remark))
        if self._delivery is DeliveryMode.BACKGROUND:
            self._send_in_background()
        else:
            self._tell_of(receipt)
        return receipt

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
            self._tell(_("stored, not sent: “smtp-desk worker” sends it."))
            return
        found = next((each.finding for each in waiting if each.finding), None)
        why = _(found.summary) if found is not None else no_route(self._services)
        self._tell(f"{_('stored, not sent yet.')} {why}".rstrip())

    def _tell(self, text: str) -> None:
        say(self._invocation.err, f"smtp-desk: {text}")
