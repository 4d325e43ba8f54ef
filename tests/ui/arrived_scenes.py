"""Scenes of the page What arrived, made of real headers: for screenshots and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from smtp_desk.app.arrived.presenter import PASTED, ArrivalState
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.arrived import read_arrival
from tests.core.test_arrived import GMAIL

FORGED: Final = b"""\
Received: from mail.example.org (unknown [192.0.2.66])
        by mx.receiver.example (Postfix) with ESMTP id 1;
        Mon, 30 Nov 2026 08:06:40 +0000
Authentication-Results: mx.receiver.example;
        spf=softfail smtp.mailfrom=example.org;
        dkim=fail reason="body hash did not verify" header.d=example.org header.s=s2026;
        dmarc=fail header.from=example.org
X-Spam-Status: Yes, score=9.1 required=5.0
Authentication-Results: mx.google.com; dmarc=pass header.from=example.org
Received: from [10.0.0.5] by mail.example.org with SMTP; Mon, 30 Nov 2026 08:00:00 +0000
From: News <news@example.org>
Subject: Test

"""
HOSTILE: Final = (
    b"Received: from <b>x</b>" + b"y" * 3000 + b" by mx.\xe2\x80\xaeevil.example with ESMTPS; x\n"
    b"Authentication-Results: mx.evil.example; dmarc=<script>alert(1)</script>; spf=pass\n"
    + b"Authentication-Results: other.example; dmarc=pass\n" * 200
    + b"".join(b"X-Field-%d: \x1b[2J\n" % number for number in range(300))
    + b"Received: from a by b; x\n" * 90
    + b"From: =?utf-8?q?=3Cb=3E?= <a@evil.example>\n\n"
)


@dataclass(frozen=True)
class Scene:
    """What the page shows, and what stands in its field."""

    state: ArrivalState
    pasted: str = ""


SCENES: Final = {
    "empty": Scene(ArrivalState()),
    "believed": Scene(ArrivalState(arrival=read_arrival(GMAIL), source="test.eml")),
    "forged": Scene(ArrivalState(arrival=read_arrival(FORGED), source=PASTED), FORGED.decode()),
    "reading": Scene(ArrivalState(busy=Busy.READING)),
    "trouble": Scene(ArrivalState(notice=Notice("photo.jpg isn’t an email.", error=True)), "Hello"),
    "hostile": Scene(ArrivalState(arrival=read_arrival(HOSTILE), source="evil.eml")),
}
