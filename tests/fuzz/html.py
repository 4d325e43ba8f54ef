"""The HTML of a mail, made safe to show."""

from __future__ import annotations

from typing import Final

from smtp_desk.sandbox.safe_html import safe_html
from tests.sandbox.inspector import Inspector

WORDS: Final = (
    b"<a href='https://x.test'>", b"</a>", b"<b>", b"<p style='", b"'>", b"<style>", b"</style>",
    b"<script>", b"</script>", b"<img src=", b"cid:a", b"data:image/png;base64,", b"<svg>",
    b"<svg/>", b"<!--", b"-->", b"<![", b"]]>", b"<?", b"url(", b"@import", b"&lt", b"&#", b";",
    b"<table>", b"<td width=1>", b"<textarea>", b"<title>", b"<plaintext>", b" onload=x ", b"<xmp>",
)  # fmt: skip


def seeds() -> list[bytes]:
    """Mails as they come."""
    return [
        b"<html><body><p style='color:red'>Hello <b>Ann</b></p><img src=https://x.test/a.png>",
        b"<style>p{color:red}</style><a href=https://x.test>here</a><script>x</script><br>",
        b"<table><tr><td width=1 colspan=2>a&amp;b</td></table><img src='cid:a' alt=x>",
    ]


def run(data: bytes) -> None:
    """Make these octets safe, and look at what a client would find in the result."""
    made = safe_html(data.decode("utf-8", "replace"))
    Inspector(made).find_harmless()
    assert safe_html(made) == made
