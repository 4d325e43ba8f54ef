"""The embedded mail server: everything a test and a first mail need, on this machine alone.

    with Sandbox() as sandbox:
        # host "localhost", starttls_port or tls_port, username, password, ca_pem
        ...
        sandbox.inbox.mails()

It accepts mail from any sender to any recipient, after a login inside TLS, and shows it in
its inbox; nothing goes further. Some recipients fail on purpose, whatever their domain:

- unknown@…     is refused permanently: the mailbox doesn’t exist (550 5.1.1)
- greylisted@…  is refused for now: the server asks for a second attempt later (450 4.7.1)
- full@…        is refused for now: the mailbox is full (452 4.2.2)
- slow@…        is accepted after a few seconds, so that you can watch the stages and try Cancel

`TRY_THESE` in `smtp_desk.sandbox.recipients` has them as data; `smtp_desk.sandbox.faults` has
what can be wrong with the server itself.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from smtp_desk.core.secret import Secret
from smtp_desk.sandbox.authority import make_tls_identity
from smtp_desk.sandbox.conversation import HOST, Postmaster, silence_library_log
from smtp_desk.sandbox.faults import NO_FAULT, Fault
from smtp_desk.sandbox.inbox import Inbox
from smtp_desk.sandbox.published import configuration
from smtp_desk.sandbox.recipients import DOMAIN
from smtp_desk.sandbox.service import Service, listen_on_loopback

SLOW_SECONDS: Final = 4.0
"""How long the reply for slow@… is held back."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Run:
    """What lives from start to stop, and is forgotten then."""

    service: Service
    password: Secret
    ca_pem: str
    starttls_port: int
    tls_port: int
    https_port: int


class Sandbox:
    """The embedded mail server, in a thread of its own; a context manager.

    Each start makes new ports, a new password and a new certificate authority. All of them
    and the mails are forgotten at stop; only the inbox's listeners stay.

    Attributes:
        host: The name to connect to; the certificate is made for it.
        username: The name to sign in with; an address that mails can be sent from, too.
        inbox: The mails received.
        fault: What is wrong with the server; another one may be set while it runs.
    """

    host: Final = HOST
    username: Final = f"desk@{DOMAIN}"

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = _utc_now,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            clock: Gives the present time with a time zone.
            slow_seconds: How long the reply for slow@… is held back.
        """
        self._clock = clock
        self._slow_seconds = slow_seconds
        self.fault: Fault = NO_FAULT
        self._run: _Run | None = None
        self.inbox = Inbox(clock)

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._run is not None

    @property
    def starttls_port(self) -> int:
        """The port that wants STARTTLS. Raises RuntimeError where nothing runs."""
        return self._running.starttls_port

    @property
    def tls_port(self) -> int:
        """The port that speaks TLS from the start. Raises RuntimeError where nothing runs."""
        return self._running.tls_port

    @property
    def https_port(self) -> int:
        """The port that publishes the mail configuration. Raises RuntimeError if nothing runs."""
        return self._running.https_port

    @property
    def password(self) -> Secret:
        """The password of `username`. Raises RuntimeError where nothing runs."""
        return self._running.password

    @property
    def ca_pem(self) -> str:
        """The CA certificate to trust, PEM. Raises RuntimeError where nothing runs."""
        return self._running.ca_pem

    def start(self) -> None:
        """Start the server; when this returns, it answers.

        Raises:
            RuntimeError: It runs already.
            OSError: This machine gives no loopback port or no temporary file.
        """
        if self._run is not None:
            raise RuntimeError("the sandbox runs already")
        silence_library_log()
        identity = make_tls_identity(self._clock(), lambda: self.fault.certificate)
        password = Secret(secrets.token_urlsafe(12))
        postmaster = Postmaster(
            self.inbox,
            self.username,
            password,
            slow_seconds=self._slow_seconds,
            fault=lambda: self.fault,
        )
        starttls, tls, https = (listen_on_loopback() for _ in range(3))
        ports = [at[0].getsockname()[1] for at in (starttls, tls, https)]
        service = Service(
            postmaster,
            identity.context,
            starttls=starttls,
            tls=tls,
            https=https,
            document=configuration(ports[0], ports[1]),
        )
        service.start()
        self._run = _Run(service, password, identity.ca_pem, *ports)

    def stop(self) -> None:
        """Stop at once, whoever is connected, and forget everything. Twice does no harm.

        Not to be called by a listener of the inbox: it waits for the server's thread.
        """
        run, self._run = self._run, None
        if run is not None:
            run.service.stop()
            self.inbox.clear()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _running(self) -> _Run:
        if self._run is None:
            raise RuntimeError("the sandbox does not run")
        return self._run
