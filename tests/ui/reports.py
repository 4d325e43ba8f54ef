"""Reports of several causes, made by hand with the real catalogue: for screenshots and tests."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.reply import Reply
from smtp_desk.core.report import (
    CheckReport,
    Direction,
    ReportOutcome,
    StageResult,
    TranscriptLine,
)
from smtp_desk.core.stages import Facts, Json, Stage, StageStatus
from smtp_desk.store.resources import read_catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "smtp.example.org"
_CONTEXT: Mapping[str, Json] = {
    "host": HOST,
    "host_is_ip": False,
    "port": 587,
    "security": "auto",
    "mode": "starttls",
    "username": "desk@example.org",
    "from_email": "desk@example.org",
    "recipient": "ann@example.org",
    "ehlo_name": "[192.0.2.7]",
    "mechanism": "PLAIN",
    "mechanisms": ["PLAIN", "LOGIN"],
    "seconds": 60,
}
_TIMES = dict(zip(Stage, (1, 640, 12, 24, 131, 42, 188, 235, 21, 22, 1240, 19), strict=True))
LEAF: dict[str, Json] = {
    "subject": f"CN={HOST}",
    "issuer": "CN=Example Company CA,O=Example Ltd",
    "names": [HOST, "mail.example.org"],
    "not_before": "2026-01-01T00:00:00+00:00",
    "not_after": "2026-11-20T23:59:59+00:00",
    "key": "RSA 2048",
    "signature": "sha256WithRSAEncryption",
    "fingerprint": "319bee0eef6f02ecec7729b54e94e5bbeebf8d97bb9eb723d1949d5954668f4a",
    "serial": "4d7c",
    "is_ca": False,
}
ROOT: dict[str, Json] = {
    **LEAF,
    "subject": "CN=Example Company CA,O=Example Ltd",
    "names": [],
    "not_after": "2036-01-01T00:00:00+00:00",
    "fingerprint": "d6614895d08ebb59ab7d10ce6ac5df98974c52e99cb33b6b6bccfa894b891cc8",
    "is_ca": True,
}
_FACTS: Mapping[Stage, Facts] = {
    Stage.RESOLVE: {"host": HOST, "found": ["192.0.2.10", "2001:db8::10"]},
    Stage.CONNECT: {
        "addresses": [
            {"address": "2001:db8::10", "family": "IPv6", "result": "not_tried", "ms": 0},
            {"address": "192.0.2.10", "family": "IPv4", "result": "connected", "ms": 24},
        ],
        "port": 587,
        "address": "192.0.2.10",
    },
    Stage.GREETING: {"reply_code": 220, "words": f"{HOST} ESMTP", "banner": f"{HOST} ESMTP"},
    Stage.EHLO: {
        "ehlo_name": "[192.0.2.7]",
        "extensions_before_tls": ["PIPELINING", "SIZE 26214400", "STARTTLS"],
        "extensions": ["PIPELINING", "SIZE 26214400", "AUTH PLAIN LOGIN"],
    },
    Stage.TLS: {
        "mode": "starttls",
        "version": "TLSv1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "chain": [LEAF, ROOT],
    },
    Stage.AUTH: {"mechanisms": ["PLAIN", "LOGIN"], "mechanism": "PLAIN"},
    Stage.MESSAGE: {"size": 506, "reply_code": 250, "words": "2.0.0 Ok: queued as 4XyZ"},
}
_KNOWN_IN_FAILURE: Mapping[Stage, Facts] = {
    Stage.TLS: {"mode": "starttls"},
    Stage.AUTH: _FACTS[Stage.AUTH],
    Stage.MESSAGE: {"size": 506, "stage": "message"},
}
_TALK = (
    (Stage.GREETING, Direction.SERVER, f"220 {HOST} ESMTP"),
    (Stage.EHLO, Direction.CLIENT, "EHLO [192.0.2.7]"),
    (Stage.EHLO, Direction.SERVER, f"250-{HOST}"),
    (Stage.EHLO, Direction.SERVER, "250 STARTTLS"),
    (Stage.TLS, Direction.CLIENT, "STARTTLS"),
    (Stage.TLS, Direction.SERVER, "220 2.0.0 Ready to start TLS"),
    (Stage.AUTH, Direction.CLIENT, "AUTH PLAIN ‹hidden›"),
)


_FOR_TEXTS = frozenset(
    {"working_port", "working_security", "suggestion", "names", "host", "from_email", "ca"}
)
"""Told to the catalogue only; no facts of a stage."""


@cache
def catalogue() -> Catalogue:
    """Read the catalogue that ships."""
    return read_catalogue()


def stages(until: Stage, last: StageStatus, facts: Facts | None = None) -> tuple[StageResult, ...]:
    """Return the stages of a session that came to `until`."""
    usual: list[Stage] = [stage for stage in Stage if stage is not Stage.TOKEN]
    begun = usual[: usual.index(until) + 1]
    return tuple(
        StageResult(
            stage,
            last if stage is until else StageStatus.PASSED,
            _TIMES[stage],
            facts if stage is until and facts is not None else _FACTS.get(stage, {}),
        )
        for stage in begun
    )


def failed(
    stage: Stage, code: str | None, reply: Reply | None = None, **facts: Json
) -> CheckReport:
    """Return the report of a test that failed in `stage`."""
    failure = SmtpFailure(stage, code, reply=reply, facts=facts)
    finding = catalogue().find(failure, _CONTEXT)
    facts = {name: fact for name, fact in facts.items() if name not in _FOR_TEXTS}
    said: dict[str, Json] = {}
    if reply is not None:
        said = {"reply_code": reply.code, "enhanced": reply.enhanced, "words": reply.text}
    known = _KNOWN_IN_FAILURE.get(stage, {})
    return report(finding, stages(stage, StageStatus.FAILED, {**known, **said, **facts}))


def report(finding: Finding | None, results: tuple[StageResult, ...]) -> CheckReport:
    """Return a report; `sent` where nothing failed and the message was taken."""
    sent = any(result.stage is Stage.MESSAGE for result in results)
    well = ReportOutcome.SENT if sent else ReportOutcome.PASSED
    outcome = well if finding is None else ReportOutcome.UNREACHABLE
    return CheckReport(
        outcome=outcome,
        finding=finding,
        stages=results,
        transcript=tuple(
            TranscriptLine(30 + 20 * number, direction, text)
            for number, (stage, direction, text) in enumerate(_TALK)
            if stage in {result.stage for result in results}
        ),
        settings={"host": HOST, "port": 587, "security": "auto", "username": "desk@example.org"},
        environment={
            "program": "SMTP Desk 0.1.0",
            "python": "3.11.7",
            "system": "Debian 12",
            "time": "2026-11-23T13:00:00+00:00",
        },
        mode="starttls",
        id="793935dbd88c14a7",
    )


_PORTS: list[Json] = [
    {"port": 465, "answer": "tls", "detail": ""},
    {"port": 25, "answer": "silent", "detail": "connect.timeout"},
    {"port": 2525, "answer": "closed", "detail": "connect.refused"},
]
WRONG_PASSWORD = failed(
    Stage.AUTH, None, Reply(535, "5.7.8", ("Error: authentication failed: bad password",))
)
APP_PASSWORD = failed(
    Stage.AUTH,
    None,
    Reply(
        534,
        "5.7.9",
        (
            "Application-specific password required. For more information, go to",
            "https://support.google.com/mail/?p=InvalidSecondFactor 5b1f17b1804b1 - gsmtp",
        ),
    ),
    host="smtp.gmail.com",
)
REFUSED = failed(
    Stage.CONNECT,
    "connect.refused",
    addresses=[{"address": "192.0.2.10", "result": "refused", "reason": "Connection refused"}],
    other_ports=_PORTS,
    working_port=465,
    working_security="tls",
)
NOT_FOUND = failed(Stage.RESOLVE, "resolve.not_found")
TIMEOUT = failed(
    Stage.CONNECT,
    "connect.timeout",
    port=587,
    addresses=[
        {"address": "2001:db8::10", "result": "unreachable", "reason": "Network is unreachable"},
        {"address": "192.0.2.10", "result": "no answer", "ms": 15_000},
    ],
    other_ports=_PORTS,
    working_port=465,
    working_security="tls",
)
EXPIRED = failed(
    Stage.TLS,
    "tls.expired",
    certificate=f"CN={HOST}",
    since="2026-11-20T23:59:59+00:00",
    clock="2026-11-23T13:00:00+00:00",
    chain=[LEAF, ROOT],
)
UNKNOWN_ISSUER = failed(Stage.TLS, "tls.unknown_issuer", issuer="CN=Example Company CA")
COMPANY_CA = failed(
    Stage.TLS,
    "tls.unknown_issuer",
    issuer="Example Company CA",
    ca=ROOT,
    chain=[LEAF, ROOT],
)
SELF_SIGNED = failed(
    Stage.TLS, "tls.self_signed", chain=[{**LEAF, "issuer": LEAF["subject"], "names": [HOST]}]
)
WRONG_NAME = failed(
    Stage.TLS,
    "tls.name_mismatch",
    names=["mail.example.org"],
    suggestion="mail.example.org",
    chain=[{**LEAF, "subject": "CN=mail.example.org", "names": ["mail.example.org"]}, ROOT],
)
NOT_OFFERED = failed(Stage.TLS, "tls.not_offered", extensions=["PIPELINING", "SIZE"], mode="")
_NOT_OWNED = Reply(553, "5.7.1", ("Sender address rejected: not owned by user desk@example.org",))
SENDER_REFUSED = failed(Stage.SENDER, None, _NOT_OWNED, from_email="news@example.org")
OWN_ADDRESS_REFUSED = failed(Stage.SENDER, None, _NOT_OWNED)
RELAY_DENIED = failed(Stage.RECIPIENT, None, Reply(554, "5.7.1", ("Relay access denied",)))
INTERCEPTED = failed(
    Stage.TLS,
    "tls.unknown_issuer",
    issuer="CN=Avast Web/Mail Shield Root,O=Avast",
    interceptor="Avast",
    chain=[{**LEAF, "issuer": "CN=Avast Web/Mail Shield Root,O=Avast"}],
)
GREYLISTED = failed(Stage.RECIPIENT, None, Reply(450, "4.2.0", ("Greylisted, try again",)))
UNCONFIRMED = failed(Stage.MESSAGE, "message.unconfirmed", cause="session.timeout")
SENT = report(None, stages(Stage.DONE, StageStatus.PASSED))
WARNED = replace(
    SENT,
    warnings=(
        catalogue().warning(
            "tls.expires_soon",
            Stage.TLS,
            {"expires_soon": {"not_after": "2026-12-08", "days": 9}, "host": HOST},
        ),
    ),
)
CHECKED = report(None, stages(Stage.TLS, StageStatus.PASSED))
LONG = replace(
    WRONG_PASSWORD,
    finding=replace(
        WRONG_PASSWORD.finding or catalogue().warning("tls.expires_soon", Stage.TLS, {}),
        summary="The server has refused the username or the password, and says so at length. " * 2,
        explanation="Every translation is longer than the original. " * 8,
        reply=Reply(535, "5.7.8", ("x" * 300, "<b>BadCredentials</b> " * 40)),
    ),
    settings={"host": "l" * 255, "port": 587},
)
HOSTILE = replace(
    LONG,
    stages=(WRONG_PASSWORD.stages[0],) * 900,
    transcript=(TranscriptLine(1, Direction.SERVER, "<img src=x>" * 400),) * 5000,
    environment={f"k{number}": "<b>v</b>" * 500 for number in range(900)},
    id="../../<b>etc",
)

REPORTS = {
    "wrong_password": WRONG_PASSWORD,
    "app_password": APP_PASSWORD,
    "refused": REFUSED,
    "not_found": NOT_FOUND,
    "timeout": TIMEOUT,
    "expired": EXPIRED,
    "unknown_issuer": UNKNOWN_ISSUER,
    "company_ca": COMPANY_CA,
    "self_signed": SELF_SIGNED,
    "wrong_name": WRONG_NAME,
    "not_offered": NOT_OFFERED,
    "sender_refused": SENDER_REFUSED,
    "own_address_refused": OWN_ADDRESS_REFUSED,
    "relay_denied": RELAY_DENIED,
    "intercepted": INTERCEPTED,
    "greylisted": GREYLISTED,
    "unconfirmed": UNCONFIRMED,
    "sent": SENT,
    "warned": WARNED,
    "checked": CHECKED,
    "long": LONG,
    "hostile": HOSTILE,
}
