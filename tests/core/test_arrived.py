"""The header of a received email, explained: what its receiver wrote, and nothing else."""

import contextlib
from datetime import UTC, datetime
from typing import Final

import hypothesis
import pytest
from hypothesis import strategies as st

from smtp_desk.core.arrived import (
    AuthResult,
    Belief,
    NotAnEmailError,
    NothingToldError,
    SpamVerdict,
    read_arrival,
    read_signatures,
)
from tests.table import each_row

GMAIL = b"""\
Delivered-To: ann@example.net
Received: by 2002:a05:7300:1234 with SMTP id x1csp123; Mon, 30 Nov 2026 08:00:07 -0800 (PST)
ARC-Authentication-Results: i=1; mx.google.com; spf=fail
Received: from mail.example.org (mail.example.org. [192.0.2.7])
        by mx.google.com with ESMTPS id z9si5
        for <ann@example.net>
        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);
        Mon, 30 Nov 2026 08:00:05 -0800 (PST)
Received-SPF: pass (google.com: domain of news@example.org designates 192.0.2.7)
Authentication-Results: mx.google.com;
       dkim=pass (2048-bit key; (nested)) header.i=@example.org header.s=s2026 header.b=abc;
       spf=pass (google.com: domain of news@example.org) smtp.mailfrom=news@example.org;
       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org
DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s2026; b=abc
Received: from [192.0.2.50] (desk.example.org [192.0.2.50])
        by mail.example.org (Postfix) with ESMTPSA id 4711
        (using TLSv1.2 with cipher X);
        Mon, 30 Nov 2026 16:00:00 +0000 (UTC)
From: News <news@example.org>
To: ann@example.net
Subject: Test

Hello.
"""


def test_an_email_that_was_believed() -> None:
    found = read_arrival(GMAIL)
    assert (found.belief, found.receiver) == (Belief.BELIEVED, "mx.google.com")
    assert found.sender == "News <news@example.org>"
    assert found.results == (
        AuthResult("dkim", "pass", "example.org", "s2026"),
        AuthResult("spf", "pass", "example.org"),
        AuthResult("dmarc", "pass", "example.org"),
    )
    ways = [(hop.sent_by, hop.taken_by, hop.protocol, hop.tls_version) for hop in found.hops]
    assert ways == [
        ("[192.0.2.50]", "mail.example.org", "ESMTPSA", "TLS 1.2"),
        ("mail.example.org", "mx.google.com", "ESMTPS", "TLS 1.3"),
        ("", "2002:a05:7300:1234", "SMTP", ""),
    ]
    assert [hop.tls for hop in found.hops] == [True, True, False]
    assert [hop.seconds for hop in found.hops] == [None, 5.0, 2.0]
    assert found.hops[0].at == datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
    assert "DKIM-Signature" in found.added
    assert found.added.count("Received") == 1
    assert not {"From", "To", "Subject"} & set(found.added)


@each_row(
    ("results", "belief"),
    [
        ("spf=pass; dkim=fail; dmarc=pass", Belief.BELIEVED),
        ("spf=pass; dkim=pass; dmarc=fail (p=none)", Belief.DISBELIEVED),
        ("spf=pass smtp.mailfrom=a@example.org; dkim=none", Belief.DOUBTED),
        ("dkim=pass; dmarc=none", Belief.DOUBTED),
        ("spf=softfail; dkim=none", Belief.DISBELIEVED),
        ("spf=none; dkim=none", Belief.UNKNOWN),
        ("spf=neutral", Belief.UNKNOWN),
        ("none", Belief.UNKNOWN),
        ('dkim=permerror reason="bad key; no"', Belief.DISBELIEVED),
    ],
)  # fmt: skip
def test_what_the_results_come_to(results: str, belief: Belief) -> None:
    header = f"Received: by mx.test; x\r\nAuthentication-Results: mx.test 1; {results}\r\n\r\n"
    assert read_arrival(header.encode()).belief is belief


def test_results_that_a_sender_wrote_himself_do_not_count() -> None:
    header = (
        b"Received: from evil.test by mx.test with ESMTP; Mon, 30 Nov 2026 08:00:00 +0000\r\n"
        b"Authentication-Results: mx.test; dmarc=fail header.from=bank.test\r\n"
        b"Authentication-Results: other.test; dmarc=pass header.from=bank.test\r\n"
        b"From: x@bank.test\r\n\r\n"
    )
    found = read_arrival(header)
    assert (found.belief, found.receiver) == (Belief.DISBELIEVED, "mx.test")
    assert [result.result for result in found.results] == ["fail"]


def results_of(*fields: str) -> tuple[str, list[str], tuple[str, ...]]:
    found = read_arrival("\n".join((*fields, "From: x@bank.example", "", "")).encode())
    return found.receiver, [each.result for each in found.results], found.ignored


RECEIVED: Final = "Received: from out.evil.example by mx.receiver.example with ESMTPS; x"
FORGED: Final = "Authentication-Results: mx.google.com; dmarc=pass header.from=bank.example"


@each_row(
    "forged",
    [
        (FORGED,),
        ("Authentication-Results: spf=pass smtp.mailfrom=bank.example; dmarc=pass",),
        # With a Received field of its own, to look like a server on the way.
        ("Received: from a by mail.evil.example with ESMTP; x",
         "Authentication-Results: mail.evil.example; dmarc=pass"),
        ("Authentication-Results: receiver.example.evil.example; dmarc=pass",),
        ("Authentication-Results: notreceiver.example; dmarc=pass",),
        ("Received-SPF: pass (evil.example: fine) receiver=evil.example",),
        ("Received-SPF: pass",),
    ],
)  # fmt: skip
def test_results_count_only_under_the_name_of_the_receiver(forged: tuple[str, ...]) -> None:
    receiver, results, ignored = results_of(RECEIVED, *forged)
    assert (receiver, results) == ("", [])
    assert bool(ignored) is not forged[0].startswith("Received-SPF")
    own = "Authentication-Results: mx.receiver.example; dmarc=fail"
    for fields in ((own, RECEIVED, *forged), (RECEIVED, own, *forged)):
        receiver, results, _ = results_of(*fields)
        assert (receiver, results) == ("mx.receiver.example", ["fail"])


@each_row(
    ("fields", "receiver"),
    [
        # Above every Received field: written by the last server, whatever it calls itself.
        (("Authentication-Results: checks; spf=pass", RECEIVED), "checks"),
        # Another host of the same organization.
        ((RECEIVED, "Authentication-Results: spam.receiver.example; spf=pass"),
         "spam.receiver.example"),
        (("Received: by mx1.receiver.co.uk; x", "Authentication-Results: receiver.co.uk; spf=pass"),
         "receiver.co.uk"),
        # Servers inside have no name on the internet.
        (("Received: from a by compute1.internal (LMTPProxy); x",
          "Received: from b by 10.1.2.3 with SMTP; x", "Received: by localhost; x",
          "Authentication-Results: mx1.receiver.example; spf=pass", RECEIVED),
         "mx1.receiver.example"),
        (("Received: from a by b.prod.outlook.com with HTTPS; x",
          "Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.example"), ""),
        (("Received: from a by a.me.com; x", "Authentication-Results: dmarc.icloud.com; spf=pass"),
         "dmarc.icloud.com"),
    ],
)  # fmt: skip
def test_receivers_as_they_name_themselves(fields: tuple[str, ...], receiver: str) -> None:
    assert results_of(*fields) == (receiver, ["pass"], ())


def test_names_of_one_country_are_not_one_organization() -> None:
    fields = ("Received: by mx.receiver.co.uk; x", "Authentication-Results: evil.co.uk; spf=pass")
    assert results_of(*fields) == ("", [], ("evil.co.uk",))


def test_results_of_one_receiver_by_several_names_count_together() -> None:
    names = ("spf", "dkim", "dmarc")
    fields = [f"Authentication-Results: {name}.receiver.example; {name}=pass" for name in names]
    assert results_of(*fields, RECEIVED, FORGED) == (
        "spf.receiver.example",
        ["pass"] * 3,
        ("mx.google.com",),
    )


def test_a_spam_verdict_among_the_message_s_own_fields_can_be_the_sender_s() -> None:
    forged = read_arrival(f"{RECEIVED}\nX-Spam-Flag: NO\nFrom: a@b.example\n\n".encode()).spam
    assert forged == SpamVerdict(False, "", "X-Spam-Flag", own=False)
    fields = f"X-Spam-Flag: YES\n{RECEIVED}\nX-Spam-Flag: NO\nFrom: a@b.example\n\n"
    assert read_arrival(fields.encode()).spam == SpamVerdict(True, "", "X-Spam-Flag")


def test_without_results_received_spf_tells_at_least_that() -> None:
    header = b"Received-SPF: Pass (mx.test: ...) client-ip=192.0.2.7\nReceived: by mx.test; x\n\n"
    assert read_arrival(header).results == (AuthResult("spf", "pass"),)


@each_row(
    ("field", "verdict"),
    [
        ("X-Spam-Flag: YES", SpamVerdict(True, "", "X-Spam-Flag")),
        ("X-Spam-Status: No, score=-1.9 required=5.0", SpamVerdict(False, "-1.9", "X-Spam-Status")),
        ("X-Spam-Status: Yes, score=7.2", SpamVerdict(True, "7.2", "X-Spam-Status")),
        ("X-Forefront-Antispam-Report: CIP:192.0.2.7;SCL:1;SFV:NSPM",
         SpamVerdict(False, "1", "X-Forefront-Antispam-Report")),
        ("X-MS-Exchange-Organization-SCL: 9",
         SpamVerdict(True, "9", "X-MS-Exchange-Organization-SCL")),
        ("X-Rspamd-Score: 3.4", SpamVerdict(None, "3.4", "X-Rspamd-Score")),
        ("X-Other: 1", None),
    ],
)  # fmt: skip
def test_the_verdict_of_the_filter(field: str, verdict: SpamVerdict | None) -> None:
    assert read_arrival(f"{field}\nReceived: by mx.test; x\n\n".encode()).spam == verdict


@each_row("octets", [b"", b"Hello: you\n", b"\xff\xfe", b'{"a": 1}', b"\0" * 99])
def test_what_is_no_email(octets: bytes) -> None:
    with pytest.raises(NotAnEmailError):
        read_arrival(octets)


@pytest.mark.parametrize("octets", [b"From: a@b\n", b"Date: x\nSubject: x\n\nReceived: by mx"])
def test_an_email_that_was_not_received(octets: bytes) -> None:
    with pytest.raises(NothingToldError):
        read_arrival(octets)


def test_controls_and_turned_text_are_made_visible() -> None:
    header = "Received: from a\x1b[2J by mx\u202e.test; x\nFrom: e\u202evil\n\n".encode()
    found = read_arrival(header)
    assert "\x1b" not in found.hops[0].sent_by
    assert "\u202e" not in found.sender + found.hops[0].taken_by


@hypothesis.given(st.binary(max_size=300))
def test_nothing_is_raised_but_that_it_was_not_received(junk: bytes) -> None:
    header = b"Received: " + junk + b"\nAuthentication-Results: " + junk + b"\n\n"
    with contextlib.suppress(NotAnEmailError, NothingToldError):
        read_arrival(header).to_json()


@each_row(
    ("header", "signatures"),
    [
        ("DKIM-Signature: v=1; d=a.test; s=one; b=x", (("one", "a.test"),)),
        ("dkim-signature: s=one;\r\n d=A.Test;\r\n\tb=x", (("one", "a.test"),)),
        ("DKIM-Signature: s = o\r\n ne ; d = a.test", (("one", "a.test"),)),
        (
            "DKIM-Signature: d=a.test; s=one\r\nDKIM-Signature: d=b.test; s=two",
            (("one", "a.test"), ("two", "b.test")),
        ),
        ("DKIM-Signature: d=a.test; s=one\r\n" * 30, (("one", "a.test"),)),
        ("DKIM-Signature: d=a.test; b=x", ()),
        ("DKIM-Signature: s=one", ()),
        ("DKIM-Signature:", ()),
        ("X-Google-DKIM-Signature: d=a.test; s=one", ()),
        ("", ()),
    ],
)
def test_who_signed(header: str, signatures: tuple[tuple[str, str], ...]) -> None:
    octets = f"{header.rstrip()}\r\nFrom: a@a.test\r\n\r\nDKIM-Signature: d=c.test; s=no".encode()
    assert read_signatures(octets) == signatures


def test_no_more_signatures_are_read_than_an_honest_email_has() -> None:
    octets = b"".join(b"DKIM-Signature: d=a.test; s=s%d\r\n" % n for n in range(500))
    assert len(read_signatures(octets)) == 10
