"""The sandbox's side of an SMTP conversation."""

import asyncio
import collections
import contextlib
import hmac
import logging
import secrets
import ssl
from collections.abc import Callable
from typing import Any, AnyStr, Final, cast

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from smtp_desk.core.secret import Secret
from smtp_desk.sandbox.faults import NO_FAULT, At, Fault
from smtp_desk.sandbox.inbox import Inbox
from smtp_desk.sandbox.recipients import special_recipient

HOST: Final = "localhost"
SIZE_LIMIT: Final = 25 * 1024 * 1024
AUTH_LINE_LIMIT: Final = 12288
"""Octets of an AUTH command or answer (RFC 4954, 4)."""

_NULL_SENDER = "<>"
_MALFORMED = "553 5.1.3 The address is not valid UTF-8"
_NEEDS_SMTPUTF8 = "553 5.6.7 A non-ASCII address needs SMTPUTF8"

_log = logging.getLogger(__name__)


def silence_library_log() -> None:
    """Keep the library from logging: at its debug level it writes down what clients send."""
    library_log = logging.getLogger("mail.log")
    library_log.setLevel(logging.CRITICAL + 1)
    library_log.propagate = False


def _no_fault() -> Fault:
    return NO_FAULT


class Postmaster:
    """Decides about logins, senders and recipients, and puts mails into the inbox.

    Attributes:
        fault: Returns the server's current fault.
    """

    def __init__(
        self,
        inbox: Inbox,
        username: str,
        password: Secret,
        *,
        slow_seconds: float,
        fault: Callable[[], Fault] = _no_fault,
    ) -> None:
        self._inbox = inbox
        self._username = username
        self._password = password
        self._slow_seconds = slow_seconds
        self.fault = fault

    def authenticate(
        self,
        _server: SMTP,
        _session: Session,
        _envelope: Envelope,
        _mechanism: str,
        credentials: LoginPassword,
    ) -> AuthResult:
        """Check a name and a password from PLAIN or LOGIN."""
        expected = _pair(self._username.encode(), self._password.reveal().encode())
        return self._auth_result(expected, _pair(*credentials))

    async def auth_CRAM__MD5(  # noqa: N802 - the library finds mechanisms by name
        self, server: SMTP, arguments: list[str]
    ) -> AuthResult:
        """Check an answer to a CRAM-MD5 challenge (RFC 2195)."""
        if len(arguments) > 1:
            await server.push("501 5.7.0 CRAM-MD5 has no initial response")
            return AuthResult(success=False)
        challenge = f"<{secrets.token_hex(16)}@{HOST}>".encode("ascii")
        answer = await server.challenge_auth(challenge)
        if answer is MISSING:
            return AuthResult(success=False)
        digest = hmac.digest(self._password.reveal().encode(), challenge, "md5").hex()
        return self._auth_result(f"{self._username} {digest}".encode(), answer)

    async def handle_EHLO(  # noqa: N802 - the library's name
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Offer PIPELINING (RFC 2920) too."""
        session.host_name = hostname
        offered = [responses[0], "250-PIPELINING", *responses[1:]]
        hidden = self.fault().hidden
        return [line for line in offered if not hidden or line[4:].split(" ")[0] != hidden]

    async def handle_MAIL(  # noqa: N802 - the library's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Accept any well-formed sender."""
        refusal = _refusal_of_form(address, envelope) or self.fault().reply(At.MAIL)
        if refusal is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return refusal or "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Accept every recipient except the special ones."""
        refusal = _refusal_of_form(address, envelope) or self.fault().reply(At.RCPT)
        if refusal is not None:
            return refusal
        reply = "250 2.1.5 OK"
        special = special_recipient(address)
        if special is not None:
            reply = special.reply
            if special.slow:
                await asyncio.sleep(self._slow_seconds)
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return reply

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail."""
        refusal = self.fault().reply(At.MESSAGE)
        if refusal is not None:
            return refusal
        sender = envelope.mail_from or _NULL_SENDER
        mail = self._inbox.add(
            "" if sender == _NULL_SENDER else sender,
            envelope.rcpt_tos,
            envelope.original_content or b"",
        )
        return f"250 2.0.0 Mail {mail.number} is in the sandbox's inbox"

    async def handle_exception(self, error: Exception) -> str:
        """Answer what the library could not parse."""
        _log.debug("a command could not be handled: %s", type(error).__name__)
        return "500 5.5.2 The sandbox does not understand this"

    def _auth_result(self, expected: bytes, given: Any) -> AuthResult:  # noqa: ANN401
        success = hmac.compare_digest(expected, given)
        # handled=False lets the library send the reply; otherwise it takes it for sent.
        if success and (refusal := self.fault().reply(At.AUTH)) is not None:
            return AuthResult(success=False, handled=False, message=refusal)
        return AuthResult(success=success, handled=False)


class Conversation(SMTP):
    """One client's conversation, on either port."""

    def __init__(
        self,
        postmaster: Postmaster,
        connections: set["Conversation"],
        *,
        starttls: ssl.SSLContext | None,
    ) -> None:
        """Prepare for one client.

        Args:
            postmaster: Decides.
            connections: The open connections; this one enters and leaves it.
            starttls: The server's side of TLS for STARTTLS, which is then required; None
                where TLS was there from the start.
        """
        self._connections = connections
        self._postmaster = postmaster
        self._greeted = False
        # The library keeps these limits in the class, where conversations would share them.
        self.command_size_limits = collections.defaultdict(lambda: self.command_size_limit)
        # It reads at most this from the wire at once; for mails the class's limit stays.
        self.line_length_limit = AUTH_LINE_LIMIT + len("\r\n")
        super().__init__(
            postmaster,
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
            hostname=HOST,
            ident="ESMTP SMTP Desk sandbox",
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=True,
            authenticator=postmaster.authenticate,
            loop=asyncio.get_running_loop(),
        )
        del self.line_length_limit
        self.command_size_limits["AUTH"] = AUTH_LINE_LIMIT
        # It knows TLS by STARTTLS only; from the start, there is nothing left to require.
        self._auth_require_tls = starttls is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Enter; with STARTTLS a second time, when TLS stands."""
        if self not in self._connections:
            self._connections.add(self)
            self._connected = cast("asyncio.Transport", transport)
            self._socket = transport.get_extra_info("socket")
        super().connection_made(transport)

    def eof_received(self) -> bool:
        """Close at the client's end: the library does so only once the greeting is out."""
        super().eof_received()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Leave."""
        self._connections.discard(self)
        super().connection_lost(error)

    @property
    def socket_closed(self) -> bool:
        """Whether the connection is fully closed."""
        return bool(self._socket.fileno() == -1)

    def abort(self) -> None:
        """End the connection where it is; its socket closes in a later round of the loop."""
        # A TLS transport of Python 3.11.2 that has ended can't be aborted any more.
        with contextlib.suppress(AttributeError):
            self._connected.abort()

    async def push(self, status: AnyStr) -> None:
        """Send a reply, then let the others have a turn.

        Pipelined commands need no waiting; without the turn a lost connection would be
        noticed only after all of them.
        """
        greeting = None if self._greeted else self._postmaster.fault().reply(At.GREETING)
        self._greeted = True
        if greeting is None:
            await super().push(status)
        else:
            if greeting:
                await super().push(greeting)
            # It hangs up, with what it said still on its way.
            self._connected.close()
        await asyncio.sleep(0)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 - the library's name
        """Begin TLS, or say why not."""
        refusal = self._postmaster.fault().reply(At.STARTTLS)
        if refusal is None:
            await super().smtp_STARTTLS(arg)
        else:
            await self.push(refusal)


def _refusal_of_form(address: str, envelope: Envelope) -> str | None:
    """Return the reply to an address that is no text or needs an option, None if it is fine."""
    if address.isascii():
        return None
    try:
        address.encode("utf-8")
    except UnicodeEncodeError:
        return _MALFORMED
    return None if envelope.smtp_utf8 else _NEEDS_SMTPUTF8


def _pair(login: bytes, password: bytes) -> bytes:
    return login + b"\0" + password
