"""Nobody's address or username is left in a report, however a server wrote it back."""

import base64
import html
import json
import quopri
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import quote, unquote

import hypothesis
import pytest
from hypothesis import strategies as st

from smtp_desk.core.hiding import without_addresses
from smtp_desk.core.reply import Reply
from smtp_desk.core.report import CheckReport, Direction, TranscriptLine
from smtp_desk.core.report_reader import read_report
from smtp_desk.core.stages import Json
from smtp_desk.core.translation import Text, mark
from tests.cli.reports import REPORT, UNKNOWN_ISSUER
from tests.table import each_row

FROM: Final = "ann.lee@example.org"
Coding = Callable[[str], str]


def xtext(text: str) -> str:
    """RFC 3461, 4."""
    return "".join(f"+{ord(c):02X}" if c in "+=@." else c for c in text)


def percent(text: str) -> str:
    return "".join(f"%{octet:02x}" for octet in text.encode())


CODINGS: Final[dict[str, Coding]] = {
    "plain": str,
    "upper": str.upper,
    "capitals": str.title,
    "percent": lambda text: quote(text, safe=""),
    "percent, all of it": percent,
    "percent, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "quoted-printable": lambda text: text.replace("@", "=40").replace(".", "=2E"),
    "encoded word": lambda text: f"=?utf-8?q?{text.replace('@', '=40')}?=",
    "encoded word, base64": lambda text: f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?=",
    "xtext": xtext,
    "entities": lambda text: text.replace("@", "&#64;"),
    "entities, all of it": lambda text: "".join(f"&#x{ord(c):x};" for c in text),
    "escapes": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, unpadded": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"??>{text}".encode()).decode(),
    "SASL PLAIN": lambda text: base64.b64encode(f"\0{text}\0secret".encode()).decode(),
    "XOAUTH2": lambda text: base64.b64encode(f"user={text}\1auth=Bearer x\1\1".encode()).decode(),
    "SCRAM": lambda text: base64.b64encode(f"n,,n={text},r=abc".encode()).decode(),
    "base64 of percent": lambda text: base64.b64encode(quote(text, safe="").encode()).decode(),
    "base64, twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "VERP": lambda text: f"bounce+{text.replace('@', '=')}@esp.test",
    "in words": lambda text: text.replace("@", " at "),
    "in brackets": lambda text: text.replace("@", " [at] "),
}


def hidden(text: str, **settings: Json) -> str:
    """Return what is left of a server's words."""
    (found,) = without_addresses(report_with(text, **settings))
    return found.transcript[0].text


def report_with(text: str, **settings: Json) -> CheckReport:
    line = TranscriptLine(1, Direction.SERVER, text)
    return replace(REPORT, transcript=(line,), settings={"from_email": FROM, **settings})


@each_row("coding", CODINGS.values(), ids=list(CODINGS))
@each_row("around", ["{}", "550 <{}>: unknown", "x={};y", '"{}"', "to:{}, bo"])
def test_an_address_is_hidden_in_every_coding(coding: Coding, around: str) -> None:
    found = hidden(around.format(coding(FROM)))
    assert not reveals(found, FROM), found
    assert "address " in found


@each_row("name", sorted(CODINGS.keys() - {"VERP"}))
def test_the_same_address_is_the_same_placeholder(name: str) -> None:
    assert "address 1" in hidden(f"550 {CODINGS[name](FROM)} unknown")


@each_row("coding", CODINGS.values(), ids=list(CODINGS))
def test_an_address_that_no_setting_names_is_hidden_too(coding: Coding) -> None:
    if coding in (CODINGS["in words"], CODINGS["in brackets"]):
        pytest.skip("so only a known one is written")
    found = hidden(f"550 {coding('somebody.else@other.test')} unknown")
    assert not reveals(found, "somebody.else@other.test"), found


@each_row("address", ["jörg@müller.example", "jörg@xn--mller-kva.example"])
@each_row("echoed", ["jörg@müller.example", "JÖRG@XN--MLLER-KVA.EXAMPLE",
                                    "j%C3%B6rg%40m%c3%bcller.example",
                                    "j=C3=B6rg=40xn--mller-kva.example",
                                    "jo\u0308rg@mu\u0308ller.example"])  # fmt: skip
def test_both_spellings_of_a_domain_are_one_address(address: str, echoed: str) -> None:
    assert hidden(f"<{echoed}>", from_email=address) == "<address 1>"


@each_row("coding", ["plain", "upper", "percent", "base64", "SASL PLAIN", "xtext",
                                    "hexadecimal", "escapes", "entities, all of it"])  # fmt: skip
@each_row("username", ["jane.doe", "res.app.tenant", "CORP\\jane", "Jane Doe",
                                      "4f1c9f80-9a1b-4c6e-8f6e-111122223333"])  # fmt: skip
def test_usernames_are_hidden(coding: str, username: str) -> None:
    found = hidden(f"535 {CODINGS[coding](username)} rejected", username=username)
    assert not reveals(found, username), found
    assert found == "535 username 1 rejected"


def test_what_stands_before_the_at_is_hidden_alone() -> None:
    assert hidden("550 ann.lee: user unknown") == "550 address 1: user unknown"
    assert hidden("550 ANN.LEE@other.test") == "550 address 2"
    # But not a part of a word or host name, and no word that names nobody.
    assert hidden("joann.lee ann.lee.example.org") == "joann.lee ann.lee.example.org"
    assert hidden("mail from mail", from_email="mail@example.org") == "mail from mail"


def test_short_names_are_hidden_where_a_setting_or_fact_has_them() -> None:
    (found,) = without_addresses(report_with("ok a", username="a"))
    assert found.settings["username"] == "username 1"
    assert found.transcript[0].text == "ok a"


@each_row("text", ["220 mx.example.org ESMTP ready", "250-AUTH PLAIN LOGIN",
                                  "[192.0.2.7] connected", "TLS_AES_256_GCM_SHA384 TLSv1.3",
                                  "319bee0eef6f02ecec7729b54e94e5bbeebf8d97bb9eb723d1949d5954668f4a",
                                  "a @ b", "@everyone", "user@", "100% =20 +40"])  # fmt: skip
def test_what_names_nobody_stays(text: str) -> None:
    assert hidden(text) == text


def test_every_part_of_a_report_is_looked_through() -> None:
    finding = replace(
        UNKNOWN_ISSUER,
        summary=f"It knows no {FROM}.",
        explanation=f"{FROM} is unknown.",
        remedies=tuple(replace(each, text=FROM, changes={"username": FROM}, link=f"https://x.test/{FROM}")
                       for each in UNKNOWN_ISSUER.remedies),
        reply=Reply(550, "5.1.1", (FROM, f"<{FROM}>")),
    )  # fmt: skip
    stage = replace(REPORT.stages[0], facts={FROM: [FROM, {"account": FROM, "deep": [[FROM]]}]})
    report = replace(report_with(FROM), finding=finding, warnings=(finding,), stages=(stage,),
                     environment={"time": FROM}, id=FROM)  # fmt: skip
    (found,) = without_addresses(report)
    assert "ann" not in repr(found)
    assert found.outcome is report.outcome
    assert read_report(json.dumps(found.to_json()).encode()).to_json() == found.to_json()


def test_two_reports_share_their_placeholders() -> None:
    first, second = without_addresses(
        report_with("a", username="bo@b.test"), report_with(f"{FROM} bo@b.test")
    )
    assert first.settings["username"] == "address 2"
    assert second.transcript[0].text == "address 1 address 2"


def reveals(text: str, name: str, depth: int = 3) -> bool:
    """Whether anybody who decodes a text finds a name in it, or most of one."""
    wanted = name.casefold()
    views = [text, unquote(text), unquote(unquote(text)), html.unescape(text),
             quopri.decodestring(text.encode(), header=True).decode(errors="replace"),
             re.sub(r"\+([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), text),
             re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text)]  # fmt: skip
    if any(wanted in view.casefold() for view in views):
        return True
    if not depth:
        return False
    runs = [run.group() for run in re.finditer(r"[A-Za-z0-9+/_-]{8,}=*", text)]
    for run in runs:
        plain = run.rstrip("=").translate(str.maketrans("-_", "+/"))
        for start in range(4):
            chunk = plain[start:][: (len(plain) - start) // 4 * 4 + (len(plain) - start) % 4]
            if len(chunk) % 4 != 1:
                octets = base64.b64decode(chunk + "=" * (-len(chunk) % 4))
                if reveals(octets.decode(errors="replace"), name, depth - 1):
                    return True
        if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", run) and reveals(
            bytes.fromhex(run).decode(errors="replace"), name, depth - 1
        ):
            return True
    return False


LOCALS = st.from_regex(r"[a-z][a-z0-9]{2,6}([._+'-][a-z0-9]{1,6}){1,2}", fullmatch=True)
DOMAINS = st.from_regex(r"[a-z][a-z0-9-]{0,6}[a-z0-9](\.[a-z][a-z0-9]{1,5}){1,2}", fullmatch=True)
GLUE = st.sampled_from(["", " ", "<", ">", '"', "=", ":", ";", ",", "(", ")", "[", "/", "?", "&",
                        "user=", "mailto:", "%3C", "x ", "\x00", "|"])  # fmt: skip


@hypothesis.given(LOCALS, DOMAINS, st.sampled_from(sorted(CODINGS)), GLUE, GLUE, st.booleans())
@hypothesis.settings(max_examples=400, deadline=None)
def test_attacked(  # noqa: PLR0917 - what hypothesis draws
    local: str,
    domain: str,
    coding: str,
    before: str,
    after: str,
    known: bool,
) -> None:
    address = f"{local}@{domain}"
    if not known and coding in ("in words", "in brackets"):
        return
    settings: dict[str, Json] = {"username": address} if known else {}
    found = hidden(f"550 {before}{CODINGS[coding](address)}{after} end", **settings)
    assert not reveals(found, address), found
    assert not reveals(found, local), found


@hypothesis.given(st.text(max_size=80), st.sampled_from([FROM, "jane", ""]))
@hypothesis.settings(deadline=None)
def test_any_text_is_read(text: str, username: str) -> None:
    once = hidden(text, username=username)
    assert isinstance(once, str)


def test_a_huge_report_of_nothing_but_signs_ends() -> None:
    for text in ("@a" * 20_000, "%40" * 20_000, "Ab3" * 20_000, "&#64;a" * 10_000, '"@' * 20_000):
        assert hidden(text) is not None


def test_a_text_of_which_nothing_is_hidden_in_its_words_can_still_be_translated() -> None:
    report = report_with("", username="ann.lee")
    summary = mark("The server refused {username} on {host}.", username="ann.lee", host="a.test")
    split = mark("{name}@{domain} isn’t known.", name="bo", domain="example.org")
    finding = replace(UNKNOWN_ISSUER, summary=summary, explanation=split)
    (found,) = without_addresses(replace(report, finding=finding))
    assert found.finding is not None
    assert "ann.lee" not in json.dumps(found.to_json())
    assert found.finding.summary.endswith(" on a.test.")
    assert type(found.finding.summary) is Text
    assert "bo@" not in json.dumps(found.to_json())
    assert "isn’t known" in found.finding.explanation
