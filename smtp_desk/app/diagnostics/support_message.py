"""The message that support sends about a report: to the customer, or to whoever runs the server.

It is plain text. Text from a server or a stranger is quoted and shortened, and its links are
broken, so that our message leads nobody to a stranger's page.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from smtp_desk.app.diagnostics.report_text import Row, head_rows, shown
from smtp_desk.core.findings.finding import Finding, Who
from smtp_desk.core.report import CheckReport
from smtp_desk.core.stages import Stage

_LONGEST: Final = 1000
_MOST_REMEDIES: Final = 6
_LINK: Final = re.compile(
    r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{0,30}):(?=//)"
    r"|(?<![A-Za-z])(mailto|javascript|data|file|tel|sms|vbscript|xmpp|skype|magnet):",
    re.IGNORECASE,
)
_WEB: Final = re.compile(r"(?<![A-Za-z0-9])(www)\.(?=\w)", re.IGNORECASE)
_ASK: Final = re.compile(
    r"(?:Or )?[Aa]sk (?:the|your|this computer’s) "
    r"(?P<whom>[^,.;]{0,40}?(?:administrator|provider|support)(?: of [^,.;]{1,40}?)?) "
    r"(?P<how>to|for(?! both)|whether|which|what|why|how) (?P<what>.+)"
)
_PLEASE: Final = {"to": "Please ", "for": "Please give us "}


class Audience(StrEnum):
    """The reader of a message."""

    CUSTOMER = "customer"
    ADMINISTRATOR = "administrator"
    PROVIDER = "provider"


AUDIENCES: Final = {
    Audience.CUSTOMER: "To the customer",
    Audience.ADMINISTRATOR: "To the mail administrator",
    Audience.PROVIDER: "To the provider",
}
"""Each in words, in the order in which they are offered."""

COPIED: Final[Mapping[Audience | None, str]] = {
    None: "Copied as Markdown.",
    Audience.CUSTOMER: "Copied the message to the customer.",
    Audience.ADMINISTRATOR: "Copied the message to the mail administrator.",
    Audience.PROVIDER: "Copied the message to the provider.",
}
"""What is told once the message to each, or for None the report, is on the clipboard."""

_OPENINGS: Final = {
    Audience.CUSTOMER: "Thank you for the report. Your system emails can’t be sent at the moment.",
    Audience.ADMINISTRATOR: "Our platform sends its system emails through your mail server. That "
    "doesn’t work at the moment, and we need your help.",
    Audience.PROVIDER: "We send system emails with the account below. That doesn’t work at the "
    "moment, and we need your help.",
}
_WORKED: Final = {
    Audience.CUSTOMER: "Thank you for the report. The mail server accepted the test email, so "
    "sending works. If the email doesn’t arrive, check the spam folder first.",
    Audience.ADMINISTRATOR: "Your mail server accepted our test email, but we don’t see it arrive. "
    "Please check in its log what happened to it.",
    Audience.PROVIDER: "Your mail server accepted our test email, but we don’t see it arrive. "
    "Please check in its log what happened to it.",
}
_NOTHING_WRONG: Final = (
    "The check found no problem, but it didn’t send an email. Please send a test email and "
    "send us the new report."
)
_CANCELLED: Final = (
    "The test was cancelled before it had a result. Please run it again and send us the new report."
)
_WHO: Final = {
    Who.YOU: "You can fix this, or whoever manages these settings at your company.",
    Who.MAIL_ADMINISTRATOR: "The administrator of your mail server can fix this. Please forward "
    "this message.",
    Who.NETWORK_ADMINISTRATOR: "The administrator of your network can fix this. Please forward "
    "this message.",
    Who.PROVIDER: "Your email provider can fix this. Please forward this message to its support.",
    Who.PROGRAM: "We have to fix this ourselves. You don’t need to do anything.",
}
_AGAIN: Final = "Then send another test email. If it fails again, please send us the new report."
_ANSWER: Final = "Please tell us when we can try again. Thank you!"


def message_text(report: CheckReport, audience: Audience) -> str:
    """Return the whole message, as plain text to paste."""
    return "\n\n".join(("Hello,", *_parts(report, audience))) + "\n"


def broken_links(text: str) -> str:
    """Return `text` with no link that a mail program or chat would make clickable."""
    broken = _LINK.sub(lambda found: f"{found[1] or found[2]}[:]", text)
    return _WEB.sub(r"\1[.]", broken)


def _parts(report: CheckReport, audience: Audience) -> Iterator[str]:
    finding = report.finding
    details = _details(report, audience)
    if report.cancelled:
        yield _CANCELLED
    elif finding is None:
        yield _WORKED[audience] if report.sent else _NOTHING_WRONG
        yield details
    else:
        yield _OPENINGS[audience]
        yield f"What happened: {_said(finding.summary)}"
        if finding.reply is not None:
            yield f"The server’s reply:\n    {_said(str(finding.reply))}"
        if audience is Audience.CUSTOMER:
            yield from _for_customer(finding)
            yield details
        else:
            yield details
            yield from _for_others(finding, audience)


def _for_customer(finding: Finding) -> Iterator[str]:
    if finding.explanation:
        yield _said(finding.explanation)
    yield _WHO[finding.who]
    if finding.remedies:
        told = [_said(remedy.text) for remedy in finding.remedies[:_MOST_REMEDIES]]
        yield _listed("What to do:", told)
        yield _AGAIN


def _for_others(finding: Finding, audience: Audience) -> Iterator[str]:
    """Ask for what is theirs to do, and tell what we can do ourselves."""
    asked, ours = list[str](), list[str]()
    for remedy in finding.remedies[:_MOST_REMEDIES]:
        request = _request(remedy.text, audience)
        (asked if request else ours).append(_said(request or remedy.text))
    if asked:
        yield _listed("What we ask for:", asked)
    if ours:
        yield _listed("On our side, SMTP Desk suggests:", ours)
    yield _ANSWER


def _request(text: str, audience: Audience) -> str:
    """Return "Ask the administrator to allow it" as it is said to that administrator."""
    found = _ASK.fullmatch(text)
    if found is None or "network" in found["whom"]:
        return ""
    if audience is Audience.ADMINISTRATOR and "administrator" not in found["whom"]:
        return ""
    how, what = found["how"], found["what"].replace("this computer", "our computer")
    if how == "to":
        what = what.replace(" and to ", " and ")
    return _PLEASE.get(how, f"Please tell us {how} ") + what


def _details(report: CheckReport, audience: Audience) -> str:
    rows = head_rows(report)
    if audience is not Audience.CUSTOMER:
        rows += _technical(report)
    if report.id:
        rows.append(("Report", report.id))
    return "\n".join(f"{label}: {_said(value)}" for label, value in rows)


def _technical(report: CheckReport) -> Iterator[Row]:
    """Tell what is needed to find the session in a log."""
    facts = {result.stage: result.facts for result in report.stages}
    for label, stage, name in (
        ("Server address", Stage.CONNECT, "address"),
        ("We introduced ourselves as", Stage.EHLO, "ehlo_name"),
        ("TLS", Stage.TLS, "version"),
        ("Sign-in method", Stage.AUTH, "mechanism"),
    ):
        if found := facts.get(stage, {}).get(name):
            yield label, shown(found)
    if report.finding is not None:
        yield "Failed at", f"{report.finding.stage} ({report.finding.code})"


def _listed(title: str, texts: list[str]) -> str:
    lines = (f"{number}. {text}" for number, text in enumerate(texts, start=1))
    return "\n".join((title, *lines))


def _said(text: str) -> str:
    """Return a text of a report: on one line, bounded, without a link."""
    told = broken_links(" ".join(text.split()))
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"
