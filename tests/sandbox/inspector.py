"""What a client would find in the HTML of a mail."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

_FORBIDDEN: Final = frozenset(
    ("a", "audio", "base", "body", "embed", "form", "frame", "html", "iframe", "input", "link",
     "meta", "object", "script", "svg", "video")
)  # fmt: skip
_ASKING: Final = frozenset(("action", "background", "href", "srcset"))
_LOCAL: Final = ("cid:", "data:image/")


class Inspector(HTMLParser):
    """Notes what could ask the network, and what was left open."""

    def __init__(self, made: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.sources: list[str] = []
        self.styles: list[str] = []
        self.open: list[str] = []
        self.balanced = True
        self.feed(made)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.sources += [value or "" for name, value in attrs if name == "src"]
        self.styles += [value or "" for name, value in attrs if name == "style"]
        if tag not in {"br", "hr", "wbr", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.balanced = self.balanced and bool(self.open) and self.open.pop() == tag

    def find_harmless(self) -> None:
        """Fail if anything in it asks the network, or a person to click."""
        assert not self.tags & _FORBIDDEN
        assert not self.attributes & _ASKING
        assert not [name for name in self.attributes if name.startswith("on")]
        assert all(source.lower().startswith(_LOCAL) for source in self.sources)
        assert not [style for style in self.styles if "url" in style or "\\" in style]
