"""What a session signs in with: a credential, or who gets one when it is needed."""

from typing import Protocol, TypeAlias

from smtp_desk.core.secret import Secret
from smtp_desk.core.stages import Facts
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.smtp.wire.auth import Credential


class TokenGiver(Protocol):
    """Gets access tokens (OAuth 2.0). Many threads may use it."""

    @property
    def facts(self) -> Facts:
        """What is known of the newest token; no secret."""
        ...

    @property
    def clock_ahead(self) -> float | None:
        """Seconds by which the clock of who gave it is ahead of ours; None where unknown."""
        ...

    def token(self, cancel: Cancel) -> Secret:
        """Return a token.

        Raises:
            SmtpFailure: There is none to be had, and why.
            CancelledError: Cancelled.
        """
        ...

    def refuse(self, token: Secret) -> None:
        """Note that the mail server refused a token."""
        ...


SessionCredential: TypeAlias = Credential | TokenGiver
