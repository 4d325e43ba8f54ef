"""A whole test of a configuration against a server that says anything."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import TYPE_CHECKING, Final
from unittest import mock

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.report_reader import read_report
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import AuthMethod, Security, ServerSettings
from smtp_desk.core.stages import Json, Stage
from smtp_desk.smtp.check.check import CheckRequest, Steps, run_check
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.smtp.net.stream import ClosedError, ResetError, Stream, TimedOutError
from smtp_desk.smtp.net.tls import TlsInfo, TlsTicket
from smtp_desk.smtp.session import opening
from smtp_desk.smtp.session.transcript import MAX_LINES, MAX_TEXT
from smtp_desk.smtp.wire.auth import Token
from tests.core.replies import FILES, examples, load_catalogue
from tests.fuzz.server_script import ECHO, NEXT, REPEAT, pieces

if TYPE_CHECKING:
    import ssl

    from smtp_desk.core.report import CheckReport
    from smtp_desk.smtp.net.deadline import Deadline

PASSWORD: Final = "Tr0ub4dor&3"
USERNAME: Final = "desk@example.org"
MAIL: Final = b"From: desk@example.org\r\nTo: bo@example.test\r\n\r\n.hidden dot\r\n"
SECONDS: Final = 60.0
WORDS: Final = (
    b"220 x\r\n", b"221 ", b"235 ", b"250 ok\r\n", b"250-", b"334 ", b"354 go\r\n", b"421 ",
    b"535 5.7.8 ", b"550 5.1.1 ", b"\r\n", NEXT, REPEAT, ECHO, b"250-PIPELINING\r\n",
    b"250-AUTH PLAIN\r\n", b"250-AUTH LOGIN\r\n", b"250-AUTH CRAM-MD5\r\n", b"250-SIZE 1\r\n",
    b"250-AUTH SCRAM-SHA-256\r\n", b"250-AUTH XOAUTH2\r\n", b"250 STARTTLS\r\n",
    b"250-SMTPUTF8\r\n", b"250-8BITMIME\r\n",
    PASSWORD.encode(), base64.b64encode(PASSWORD.encode()),
)  # fmt: skip

_CATALOGUE: Final = load_catalogue()
_LATE: Final = 5.0  # seconds that the machine may be busy
_DOT: Final = b"\r\n.\r\n"
_POSITIVE: Final = re.compile(rb"2\d\d[ \-\r\n]")
_READS_AFTER_THE_END: Final = 20
_ENDS: Final = (ClosedError, TimedOutError, ResetError, CancelledError)
_METHODS: Final = (AuthMethod.AUTO, AuthMethod.PLAIN, AuthMethod.LOGIN, AuthMethod.CRAM_MD5)
_STEPS: Final = (Steps.FULL, Steps.FULL, Steps.NO_SEND, Steps.NO_LOGIN)


class HostileServer:
    """Says its script, to one connection after the other, and notes what it should never get.

    Attributes:
        faults: What a client must not do, and did.
        after_dot: What was said after the final dot; None before it.
    """

    def __init__(self, said: list[bytes], end: type[Exception], *, tls_works: bool) -> None:
        self.faults: list[str] = []
        self.after_dot: bytes | None = None
        self.tls_works = tls_works
        self._said = said
        self._end = end
        self._began = time.monotonic()
        self._idle_reads = 0
        self._signed_in = 0
        self._written = b""
        self._in_message = False

    def say(self, deadline: Deadline) -> bytes:
        """Return the next piece, or raise how the connection ends."""
        self._judge(deadline)
        while self._said:
            said = self._said.pop(0).replace(ECHO, self._written.rstrip(b"\r\n"))
            if not said:
                continue
            if self.after_dot is not None:
                self.after_dot += said
            self._in_message |= b"354" in said
            return said
        self._idle_reads += 1
        if self._idle_reads > _READS_AFTER_THE_END:
            self.faults.append("goes on reading after the end")
        raise self._end

    def hear(self, octets: bytes, deadline: Deadline, *, secure: bool) -> None:
        """Take what the client writes."""
        self._judge(deadline)
        if not secure:
            self._judge_plain_text(octets)
        lines = octets.split(b"\r\n")
        self._signed_in += sum(line.startswith(b"AUTH ") for line in lines)
        if self._signed_in > 1:
            self.faults.append("signs in twice")
        self._written = lines[-2] if len(lines) > 1 else octets
        if self._in_message and (_DOT in octets or octets.startswith(b".\r\n")):
            self.after_dot = self.after_dot or b""

    @property
    def accepted(self) -> bool:
        """Whether the first thing said after the dot was yes."""
        return self.after_dot is not None and _POSITIVE.match(self.after_dot) is not None

    def _judge(self, deadline: Deadline) -> None:
        if deadline.at > self._began + SECONDS + _LATE:
            self.faults.append("waits longer than the test may take")

    def _judge_plain_text(self, octets: bytes) -> None:
        if not re.fullmatch(rb"(?:(?:EHLO [^\r\n]+|STARTTLS|QUIT)\r\n)+", octets):
            self.faults.append(f"says in plain text: {octets!r}")


class _MemoryStream(Stream):
    """A connection to a hostile server without a socket."""

    def __init__(self, server: HostileServer) -> None:
        self.local_address = "192.0.2.7"
        self.peer_address = "192.0.2.10"
        self.tls = None
        self._server = server
        self._closed = False

    def read(self, deadline: Deadline, limit: int = 0) -> bytes:
        if self._closed:
            self._server.faults.append("reads from a closed connection")
        return self._server.say(deadline)

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        if self._closed:
            self._server.faults.append("writes to a closed connection")
        self._server.hear(bytes(data), deadline, secure=self.tls is not None)

    def ready(self) -> bytes:
        return b""

    @property
    def ended(self) -> bool:
        return False

    def keep_ticket(self) -> None:
        pass

    def start_tls(
        self,
        context: ssl.SSLContext,
        host: str,
        mode: Security,
        deadline: Deadline,
        ticket: TlsTicket | None = None,
    ) -> TlsInfo:
        if not self._server.tls_works:
            raise SmtpFailure(Stage.TLS, "tls.unknown_issuer", facts={"issuer": "CN=Nobody"})
        self.tls = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", ())
        return self.tls

    def close(self) -> None:
        self._closed = True

    def abort(self) -> None:
        self._closed = True


class _MemoryDialer:
    """Connects to a hostile server."""

    has_more = False

    def __init__(self, server: HostileServer) -> None:
        self._server = server

    def connect(self, _deadline: Deadline) -> Stream:
        return _MemoryStream(self._server)

    def facts(self) -> dict[str, Json]:
        return {"addresses": [{"address": "192.0.2.10", "result": "connected"}]}


class _Resolver:
    def resolve(self, _host: str, _cancel: Cancel, _deadline: Deadline) -> tuple[str, ...]:
        return ("192.0.2.10",)


def seeds() -> list[bytes]:
    """Whole sessions, and a session that ends with each reply known of real servers."""
    before = [b"220 x\r\n", b"250-x\r\n250-SIZE 9999\r\n250 STARTTLS\r\n", b"220 go\r\n"]
    inside = b"250-x\r\n250-%bAUTH %b\r\n250 SIZE\r\n"
    ehlo = inside % (b"", b"PLAIN LOGIN")
    one_by_one = [b"250 a\r\n", b"250 b\r\n", b"354 c\r\n", b"250 2.0.0 queued\r\n", b"221 bye\r\n"]
    scram = b"334 " + base64.b64encode(b"r=x,s=c2FsdA==,i=4096") + b"\r\n"
    made = [
        (0, [*before, ehlo, b"235 ok\r\n", *one_by_one]),
        (0, [*before, inside % (b"PIPELINING\r\n250-", b"LOGIN"), b"334 VQ==\r\n", b"334 UA==\r\n",
             b"235 ok\r\n", b"250 a\r\n250 b\r\n354 c\r\n", b"250 queued\r\n221 bye\r\n"]),
        (1, [b"220 x\r\n", inside % (b"", b"CRAM-MD5"), b"334 PDFAeD4=\r\n", b"535 no " + ECHO]),
        (1, [b"220 x\r\n", inside % (b"", b"SCRAM-SHA-256"), b"334 \r\n", scram, b"235 ok\r\n"]),
        (1 | 8 << 4, [b"220 x\r\n", inside % (b"", b"XOAUTH2"), b"334 eyJhIjoxfQ==\r\n"]),
        (2, [b"220 x\r\n", ehlo]),
        (0, [b"220 x\r\n", b"250 STARTTLS\r\n", b"220 go\r\n250 injected\r\n"]),
        (0, [REPEAT + b"\xff220-" + b"x" * 500 + b"\r\n"]),
        (4, []),
    ]  # fmt: skip
    at = {Stage.GREETING: 0, Stage.EHLO: 1, Stage.TLS: 2, Stage.AUTH: 4, Stage.SENDER: 5,
          Stage.RECIPIENT: 6, Stage.MESSAGE: 8}  # fmt: skip
    whole = made[0][1]
    for example in examples(*FILES):
        if example.stage in at:
            said = example.text.replace("\n", "\r\n").encode() + b"\r\n"
            made.append((0, [*whole[: at[example.stage]], said]))
    return [bytes([options & 255, options >> 8]) + NEXT.join(said) for options, said in made]


def run(data: bytes) -> None:
    """Play a script: two octets of options, then what the server says."""
    options = int.from_bytes(data[:2].ljust(2, b"\0"), "little")
    server = HostileServer(
        pieces(data[2:]), _ENDS[options >> 2 & 3], tls_works=not options >> 1 & 1
    )
    request = _request(options)
    with (
        mock.patch.object(opening, "Dialer", return_value=_MemoryDialer(server)),
        mock.patch.object(opening, "client_context", return_value=None),
    ):
        report = run_check(
            request,
            catalogue=lambda: _CATALOGUE,
            on_event=lambda _: None,
            cancel=Cancel(),
            environment={"program": "test"},
            report_id="0123abcd",
        )
    assert not server.faults, server.faults
    assert not report.sent or server.accepted
    _judge(report, secret=request.secret is not None)


def _request(options: int) -> CheckRequest:
    steps = _STEPS[options >> 8 & 3]
    secret = Secret(PASSWORD) if steps is not Steps.NO_LOGIN else None
    return CheckRequest(
        settings=ServerSettings(
            host="smtp.example.org",
            port=587,
            from_email=USERNAME,
            username=USERNAME,
            security=Security.TLS if options & 1 else Security.STARTTLS,
            auth_method=_METHODS[options >> 4 & 3],
        ),
        secret=Token(secret) if secret and options >> 7 & 1 else secret,
        recipient="bo@example.test",
        content=MAIL,
        steps=steps,
        probe_ports=False,
        resolver=_Resolver(),
        total_seconds=SECONDS,
    )


def _judge(report: CheckReport, *, secret: bool) -> None:
    finding = report.finding
    assert finding is None or finding.code in _CATALOGUE.codes
    assert finding is None or finding.code != "session.internal_error", finding
    assert len(report.transcript) <= MAX_LINES + 1
    assert all(len(line.text) <= MAX_TEXT + 1 for line in report.transcript)
    written = json.dumps(report.to_json(), ensure_ascii=False)
    for spelled in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode()):
        assert not secret or spelled not in written
    # Support reads back what the customer saved.
    assert read_report(written.encode()).to_json() == report.to_json()
