"""What a scripted SMTP server does where its script says nothing, and what it remembers."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hmac
from typing import TYPE_CHECKING, Final

from tests.servers.script import CREDENTIALS, END_OF_DATA, Reply

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from tests.servers.script import Action, Script
    from tests.servers.wire import Wire

_CRAM_CHALLENGE: Final = b"<1896.697170952@mail.example.test>"


@dataclasses.dataclass(frozen=True)
class Message:
    """A message whose final dot has arrived.

    Attributes:
        content: as received, without dot-stuffing and the final dot.
        username: who had signed in, or None.
    """

    mail_from: str
    recipients: tuple[str, ...]
    content: bytes
    username: str | None
    in_tls: bool
    _wire: Wire = dataclasses.field(repr=False)
    _answered_at: int = dataclasses.field(repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the server answered the dot with a 2xx."""
        return self._wire.sent[self._answered_at :].startswith(b"2")


class Session:
    """One connection, played by its script.

    Attributes:
        wire: the bytes; see there for what it records.
        line: the command at hand, without line end.
        commands: all command lines, AUTH continuations included.
        commands_in_clear: those of them received outside TLS.
        auth_attempts: how many AUTH commands came.
        pipelined: whether the client ever sent a command before the reply to the one before.
        username: who signs in (from the AUTH exchange, before it is answered).
        password: the password or token given, empty for CRAM-MD5.
        authenticated: whether the credentials were right.
        mail_accepted: whether MAIL was answered with a 2xx and no message or RSET followed.
        ended: whether the connection is over.
    """

    def __init__(self, wire: Wire, script: Script, changed: Callable[[], None]) -> None:
        self.wire = wire
        self.script = script
        self._changed = changed
        self.line = ""
        self.in_tls = False
        self.commands: list[str] = []
        self.commands_in_clear: list[str] = []
        self.messages: list[Message] = []
        self.auth_attempts = 0
        self.pipelined = False
        self.username = ""
        self.password = ""
        self.authenticated = False
        self.ended = False
        self.mail_from = ""
        self.mail_accepted = False
        self.recipients: list[str] = []
        self._credentials_right = False

    def run(self) -> None:
        """Play the script until `HangupError`."""
        self.perform(self.script.connect)
        if self.script.implicit_tls:
            self.start_tls()
        self.perform(self.script.greeting)
        while True:
            line = self._read_line()
            if self.wire.holds_more:
                self.pipelined = True
            if line.upper().startswith("AUTH"):
                self.auth_attempts += 1
            self._act(line)

    def perform(self, action: Action) -> None:
        """Carry out an action of the script."""
        if isinstance(action, tuple):
            for part in action:
                self.perform(part)
        elif callable(action):
            self.perform(action(self))
        else:
            action.perform(self)

    def start_tls(self, context: ssl.SSLContext | None = None) -> None:
        """Speak TLS from here on."""
        context = context or self.script.tls
        if context is None:
            raise AssertionError("the script starts TLS, but has no `tls`")
        self.wire.handshake(context)
        self.in_tls = True

    def behave(self) -> None:
        """Do the default for the command (or pseudo-command) at hand."""
        handlers: dict[str, Callable[[], Action]] = {
            "EHLO": self._ehlo,
            "HELO": lambda: Reply("250 mail.example.test"),
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            CREDENTIALS: self._credentials,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            END_OF_DATA: lambda: Reply("250 2.0.0 Ok: queued as 4C1D2E3F"),
            "RSET": self._rset,
            "NOOP": lambda: Reply("250 2.0.0 Ok"),
            "QUIT": self._quit,
        }
        verb = self.line.split(" ", 1)[0].upper()
        unknown = Reply("502 5.5.2 Error: command not recognized")
        handler = handlers.get(verb, lambda: unknown)
        self.perform(handler())

    def _read_line(self) -> str:
        text = self.wire.line().decode("utf-8", "backslashreplace").rstrip("\r\n")
        self.commands.append(text)
        if not self.in_tls:
            self.commands_in_clear.append(text)
        self._changed()
        return text

    def _act(self, line: str) -> None:
        self.line = line
        answered_at = len(self.wire.sent)
        self.perform(self.script.action(line, in_tls=self.in_tls))
        if line.upper().startswith("MAIL"):
            self.mail_accepted = self.wire.sent[answered_at:].startswith(b"2")
        self._changed()

    def _ehlo(self) -> Action:
        lines = ["mail.example.test", *self.script.keywords(in_tls=self.in_tls)]
        last = lines.pop()
        return Reply(*(f"250-{line}" for line in lines), f"250 {last}")

    def _starttls(self) -> Action:
        if self.script.tls is None or self.in_tls:
            return Reply("503 5.5.1 Error: TLS not available")
        self.wire.send(b"220 2.0.0 Ready to start TLS\r\n")
        self.start_tls()
        return ()

    def _auth(self) -> Action:
        mechanism, _, initial = self.line[5:].partition(" ")
        exchange = {
            "PLAIN": self._auth_plain,
            "LOGIN": self._auth_login,
            "CRAM-MD5": self._auth_cram_md5,
            "XOAUTH2": self._auth_xoauth2,
            "OAUTHBEARER": self._auth_oauthbearer,
        }.get(mechanism.upper())
        if exchange is None:
            return Reply("504 5.5.4 Unrecognized authentication type")
        try:
            self._credentials_right = exchange(initial)
        except (binascii.Error, ValueError):
            return Reply("501 5.5.2 Cannot decode the response")
        self._act(CREDENTIALS)
        return ()

    def _ask(self, challenge: bytes) -> bytes:
        self.wire.send(b"334 " + base64.b64encode(challenge) + b"\r\n")
        return base64.b64decode(self._read_line(), validate=True)

    def _auth_plain(self, initial: str) -> bool:
        response = base64.b64decode(initial, validate=True) if initial else self._ask(b"")
        _, username, password = response.decode().split("\0")
        self.username, self.password = username, password
        return self.script.users.get(username) == password

    def _auth_login(self, initial: str) -> bool:
        name = base64.b64decode(initial, validate=True) if initial else self._ask(b"Username:")
        self.username = name.decode()
        self.password = self._ask(b"Password:").decode()
        return self.script.users.get(self.username) == self.password

    def _auth_cram_md5(self, _: str) -> bool:
        self.username, digest = self._ask(_CRAM_CHALLENGE).decode().rsplit(" ", 1)
        secret = self.script.users.get(self.username)
        if secret is None:
            return False
        return hmac.new(secret.encode(), _CRAM_CHALLENGE, "md5").hexdigest() == digest

    def _auth_xoauth2(self, initial: str) -> bool:
        response = base64.b64decode(initial, validate=True) if initial else self._ask(b"")
        fields = dict(part.split("=", 1) for part in response.decode().split("\1") if part)
        return self._bearer(fields["user"], fields["auth"], b'{"status":"400","schemes":"Bearer"}')

    def _auth_oauthbearer(self, initial: str) -> bool:
        response = base64.b64decode(initial, validate=True) if initial else self._ask(b"")
        header, *pairs = response.decode().split("\1")
        name = header.removeprefix("n,a=").removesuffix(",").replace("=2C", ",").replace("=3D", "=")
        fields = dict(pair.split("=", 1) for pair in pairs if pair)
        return self._bearer(name, fields["auth"], b'{"status":"invalid_token","scope":"smtp"}')

    def _bearer(self, username: str, credential: str, refusal: bytes) -> bool:
        self.username, self.password = username, credential.removeprefix("Bearer ")
        if self.script.users.get(username) == self.password:
            return True
        self._ask(refusal)
        return False

    def _credentials(self) -> Action:
        self.authenticated = self._credentials_right
        if self.authenticated:
            return Reply("235 2.7.0 Authentication successful")
        return Reply("535 5.7.8 Error: authentication failed")

    def _mail(self) -> Action:
        if self.script.login_required and not self.authenticated:
            return Reply("530 5.7.0 Authentication required")
        self.mail_from = _path(self.line)
        self.recipients.clear()
        return Reply("250 2.1.0 Ok")

    def _rcpt(self) -> Action:
        if not self.mail_accepted:
            return Reply("503 5.5.1 Error: need MAIL command")
        address = _path(self.line)
        if address.startswith("reject@"):
            return Reply(f"550 5.7.1 <{address}>: refused by policy")
        if address.startswith("tempfail@"):
            return Reply(f"450 4.2.1 <{address}>: try later")
        self.recipients.append(address)
        return Reply("250 2.1.5 Ok")

    def _data(self) -> Action:
        if not self.mail_accepted or not self.recipients:
            return Reply("554 5.5.1 Error: no valid recipients")
        self.wire.send(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        self.receive_message()
        return ()

    def receive_message(self) -> None:
        """Take a message up to the final dot, answer it and remember it."""
        cut = self.script.cut_body
        head = b""
        if cut is not None:
            head = self.wire.receive(cut.after)
            self.perform(cut.then)
        if not head and self.wire.starts_with(b".\r\n"):
            content = self.wire.receive(3)[3:]
        else:
            content = (head + self.wire.until(b"\r\n.\r\n"))[:-3]
        self.messages.append(
            Message(
                mail_from=self.mail_from,
                recipients=tuple(self.recipients),
                content=_unstuffed(content),
                username=self.username if self.authenticated else None,
                in_tls=self.in_tls,
                _wire=self.wire,
                _answered_at=len(self.wire.sent),
            )
        )
        self.mail_accepted = False
        self._act(END_OF_DATA)

    def _rset(self) -> Action:
        self.mail_from = ""
        self.mail_accepted = False
        self.recipients.clear()
        return Reply("250 2.0.0 Ok")

    def _quit(self) -> Action:
        self.wire.send(b"221 2.0.0 Bye\r\n")
        self.wire.close(notify=True)
        return ()


def _path(line: str) -> str:
    """The address between the angle brackets of MAIL or RCPT."""
    return line.partition("<")[2].rpartition(">")[0]


def _unstuffed(content: bytes) -> bytes:
    """The message without transparency dots (RFC 5321 section 4.5.2)."""
    if content.startswith(b"."):
        content = content[1:]
    return content.replace(b"\r\n.", b"\r\n")
