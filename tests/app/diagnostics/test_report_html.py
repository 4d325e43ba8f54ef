"""HTML to look at: nothing in it runs, loads or leads anywhere."""

from html.parser import HTMLParser

import hypothesis
import pytest
from hypothesis import strategies as st

from smtp_desk.app.diagnostics.report_html import report_html
from smtp_desk.core.reply import visible
from smtp_desk.core.report import CheckReport
from tests.app.diagnostics.hostile import ALL, HTML, hostile
from tests.table import each_row
from tests.ui import reports

TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "pre", "div"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "dir"}


class Seen(HTMLParser):
    """What a browser makes of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._texts: list[str] = []
        self.feed(html)
        self.close()
        self.text = "".join(self._texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self._texts.append(data)


def only_ours(html: str) -> Seen:
    seen = Seen(html)
    assert {tag for tag, _ in seen.tags} <= TAGS
    assert {name for _, attributes in seen.tags for name in attributes} <= ATTRIBUTES
    assert "<!--" not in html
    return seen


@each_row("text", [ALL, HTML, "</pre></div></body><script>", "{style}", "&lt;b&gt;"])
def test_all_of_it_is_text(text: str) -> None:
    seen = only_ours(report_html(hostile(visible(text))))
    assert visible(text) in seen.text


@hypothesis.given(st.text(alphabet="<>&\"'/=! -abcript", max_size=60))
def test_no_text_becomes_markup(text: str) -> None:
    only_ours(report_html(hostile(text)))


SMALL = {name: each for name, each in reports.REPORTS.items() if name != "hostile"}


@pytest.mark.soak
def test_the_largest_report_is_text_as_well() -> None:
    only_ours(report_html(reports.REPORTS["hostile"]))


@each_row("report", SMALL.values(), ids=SMALL.keys())
def test_charset_and_policy_come_first(report: CheckReport) -> None:
    seen = only_ours(report_html(report))
    head = seen.tags.index(("head", {}))
    assert seen.tags[head + 1] == ("meta", {"charset": "utf-8"})
    assert seen.tags[head + 2] == (
        "meta",
        {
            "http-equiv": "Content-Security-Policy",
            "content": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )
    # The style asks for nothing either.
    assert "url(" not in seen.text
    assert "@import" not in seen.text
