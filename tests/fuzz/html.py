"""The HTML of a mail, made safe to show."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

from smtp_desk.sandbox.safe_html import safe_html

WORDS: Final = (
    b"<a href='https://x.test'>", b"</a>", b"<b>", b"<p style='", b"'>", b"<style>", b"</style>",
    b"<script>", b"</script>", b"<img src=", b"cid:a", b"data:image/png;base64,", b"<svg>",
    b"<svg/>", b"<!--", b"-->", b"<![", b"]]>", b"<?", b"url(", b"@import", b"&lt", b"&#", b";",
    b"<table>", b"<td width=1>", b"<textarea>", b"<title>", b"<plaintext>", b" onload=x ", b"<xmp>",
)  # fmt: skip

_FORBIDDEN: Final = frozenset(
    ("a", "audio", "base", "body", "embed", "form", "frame", "html", "iframe", "input", "link",
     "meta", "object", "script", "svg", "video")
)  # fmt: skip
_ASKING: Final = frozenset(("action", "background", "href", "srcset"))
_LOCAL: Final = ("cid:", "data:image/")


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
    finder = _Finder()
    finder.feed(made)
    finder.close()
    assert not finder.tags & _FORBIDDEN
    assert not finder.attributes & _ASKING
    assert not [name for name in finder.attributes if name.startswith("on")]
    assert all(source.lower().startswith(_LOCAL) for source in finder.sources)
    assert not [style for style in finder.styles if "url" in style or "\\" in style]
    assert safe_html(made) == made


class _Finder(HTMLParser):
    """Notes what could ask the network."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.sources: list[str] = []
        self.styles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.sources += [value or "" for name, value in attrs if name == "src"]
        self.styles += [value or "" for name, value in attrs if name == "style"]
