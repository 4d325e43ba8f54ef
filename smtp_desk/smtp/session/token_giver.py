"""What a session signs in with: a credential, or an object that obtains one when needed."""

from typing import Protocol, TypeAlias

from smtp_desk.core.secret import Secret
from smtp_desk.core.stages import Facts
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.smtp.wire.auth import Credential


class TokenGiver(Protocol):
    """Obtains access tokens (OAuth 2.0). Safe to use from several threads."""

    @property
    def facts(self) -> Facts:
        """Facts about the latest token, without secrets."""
        ...

    @property
    def clock_ahead(self) -> float | None:
        """Seconds by which the issuer's clock is ahead of ours; None where unknown."""
        ...

    def token(self, cancel: Cancel) -> Secret:
        """Return a token.

        Raises:
            SmtpFailure: No token could be obtained, and why.
            CancelledError: Cancelled.
        """
        ...

    def refuse(self, token: Secret) -> None:
        """Note that the mail server refused a token."""
        ...


SessionCredential: TypeAlias = Credential | TokenGiver
