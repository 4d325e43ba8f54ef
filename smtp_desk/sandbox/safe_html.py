"""HTML of mails made safe to show: it loads nothing, runs nothing and has no links."""

import re
from collections.abc import Iterable
from html import escape, unescape
from html.parser import HTMLParser

# Elements that a rich-text widget renders and that can't load anything by themselves.
_ELEMENTS = frozenset(
    "abbr address b big blockquote caption center cite code dd del dfn div dl dt em font"  # noqa: SIM905 - words
    " h1 h2 h3 h4 h5 h6 i ins kbd li ol p pre q s samp small span strike strong sub sup table"
    " tbody td tfoot th thead tr tt u ul var".split()
)
_VOID_ELEMENTS = frozenset(("br", "hr", "wbr"))
# Their content is no text for a reader; `style` is kept where it asks for nothing.
_CONTENT_DROPPED = frozenset(
    "applet audio canvas frameset iframe math noembed noframes noscript object script"  # noqa: SIM905 - words
    " select style svg template textarea title video xmp".split()
)
_FOREIGN_ELEMENTS = frozenset(("math", "svg"))
_ATTRIBUTES = {
    **dict.fromkeys(("align", "valign", "dir"), re.compile(r"[a-z]{1,10}", re.IGNORECASE)),
    **dict.fromkeys(("bgcolor", "color"), re.compile(r"#?[a-z0-9]{1,24}", re.IGNORECASE)),
    **dict.fromkeys(
        ("border", "cellpadding", "cellspacing", "height", "width"), re.compile(r"\d{1,4}%?")
    ),
    **dict.fromkeys(("colspan", "rowspan"), re.compile(r"[1-9]\d?")),
    "size": re.compile(r"[+-]?\d"),
    "class": re.compile(r"[\w -]{1,200}"),
    "face": re.compile(r"[\w ,'-]{1,200}"),
    "title": re.compile(r"[^\x00-\x1f]{1,500}"),
}
_LOCAL_IMAGE = re.compile(
    r"cid:[^\s<>]{1,500}|data:image/(?:png|jpeg|gif|bmp|webp);base64,[a-z0-9+/=\s]*", re.IGNORECASE
)
# A backslash or a comment can hide any of the others in CSS.
_CSS_THAT_ASKS = re.compile(r"url|@|\\|/\*|expression|behavior|binding|image|src|<", re.IGNORECASE)
_MAX_DEPTH = 64

_Attributes = Iterable[tuple[str, str | None]]


def safe_html(source: str) -> str:
    """Return `source` as a fragment of HTML that can be shown without asking the network.

    Scripts, forms, frames, style sheets and images from elsewhere are dropped; images inside
    the mail (`data:`, `cid:`) stay. A link becomes underlined text with its target written
    behind it. Every element left is closed. Doing it twice changes nothing.
    """
    sanitizer = _Sanitizer()
    try:
        sanitizer.feed(source)
    except AssertionError:
        # The parser of some Python versions gives up at marked sections it doesn't know.
        return f"<pre>{escape(source)}</pre>"
    return sanitizer.finish()


class _Sanitizer(HTMLParser):
    """Writes down again only what is known to be harmless."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._written: list[str] = []
        self._open: list[str] = []
        self._dropped: list[str] = []
        self._style: list[str] = []
        self._link_target = ""
        self._link_text: list[str] = []

    def finish(self) -> str:
        """Close what is open and return the fragment.

        The rest that waits for its end is handled here: `close()` would look at it again from
        every "<", in quadratic time.
        """
        if not self.rawdata.startswith("<"):
            self.handle_data(unescape(self.rawdata))
        self._close_down_to(0)
        return "".join(self._written)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _CONTENT_DROPPED:
            self._dropped.append(tag)
        elif self._dropped:
            return
        elif tag == "img":
            self._write_image(attrs)
        elif tag in _VOID_ELEMENTS:
            self._written.append(f"<{tag}>")
        elif len(self._open) >= _MAX_DEPTH:
            return
        elif tag == "a":
            self._start_link(attrs)
        elif tag in _ELEMENTS:
            self._open.append(tag)
            self._written.append(f"<{tag}{_harmless(attrs)}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # The slash means something in SVG and MathML only; `<script/>` is just a start tag.
        if tag not in _FOREIGN_ELEMENTS:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._dropped:
            if tag == self._dropped[-1]:
                self._dropped.pop()
                self._end_style(tag)
        elif tag in self._open:
            self._close(tag)

    def handle_data(self, data: str) -> None:
        if self._dropped:
            if self._dropped == ["style"]:
                self._style.append(data)
            return
        self._link_text.append(data)
        self._written.append(escape(data))

    def _close(self, tag: str) -> None:
        """Close the innermost open `tag` and whatever is open inside it."""
        self._close_down_to(len(self._open) - 1 - self._open[::-1].index(tag))

    def _close_down_to(self, depth: int) -> None:
        while len(self._open) > depth:
            tag = self._open.pop()
            if tag == "a":
                self._end_link()
            else:
                self._written.append(f"</{tag}>")

    def _end_style(self, tag: str) -> None:
        css, self._style = "".join(self._style), []
        if tag == "style" and not self._dropped and css and not _CSS_THAT_ASKS.search(css):
            self._written.append(f"<style>{css}</style>")

    def _start_link(self, attrs: _Attributes) -> None:
        if "a" in self._open:
            self._close("a")
        self._open.append("a")
        target = next((value for name, value in attrs if name == "href" and value), "")
        self._link_target, self._link_text = target.strip(), []
        self._written.append("<u>")

    def _end_link(self) -> None:
        self._written.append("</u>")
        if self._link_target and self._link_target != "".join(self._link_text).strip():
            self._written.append(escape(f" <{self._link_target}>"))

    def _write_image(self, attrs: _Attributes) -> None:
        values = {name: value or "" for name, value in attrs}
        source, alt = values.get("src", ""), values.get("alt", "")
        if _LOCAL_IMAGE.fullmatch(source):
            self._written.append(
                f'<img src="{escape(source)}" alt="{escape(alt)}"{_harmless(attrs)}>'
            )
        elif alt:
            self._written.append(escape(f"[{alt}]"))


def _harmless(attrs: _Attributes) -> str:
    """Return the attributes that only say how something looks, ready to stand in a tag."""
    kept: dict[str, str] = {}
    for name, value in attrs:
        if name == "style":
            harmless = bool(value) and not _CSS_THAT_ASKS.search(value or "")
        else:
            pattern = _ATTRIBUTES.get(name)
            harmless = pattern is not None and pattern.fullmatch(value or "") is not None
        if harmless:
            kept.setdefault(name, value or "")
    return "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
