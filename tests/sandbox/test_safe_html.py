"""HTML made safe: loads nothing, runs nothing, leads nowhere, whatever comes."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.sandbox.safe_html import safe_html
from tests.sandbox.inspector import Inspector
from tests.table import each_row

PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="


@each_row(
    ("source", "expected"),
    [
        ("<p>Hello <b>Ann</b></p>", "<p>Hello <b>Ann</b></p>"),
        ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
        ("caf&eacute; &lt;b&gt;", "café &lt;b&gt;"),
        ("caf&eacute", "café"),
        ("a<br>b<br/>c<hr>", "a<br>b<br>c<hr>"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<script/>alert(1)</script>b", "ab"),
        ("a<svg/>b<svg><script>x</script><p>y</p></svg>c", "abc"),
        ("a<SCRIPT>never closed <p>text", "a"),
        ("a<!-- comment -->b<!DOCTYPE html><?php x ?>c", "abc"),
        ("<title>Subject</title>Body", "Body"),
        ("<html><head><meta http-equiv=refresh content='0;url=//x'></head><body>a", "a"),
        ("<link rel=stylesheet href=https://x.test/a.css>a", "a"),
        ("<form action=https://x.test><input name=p><button>Go</button></form>", "Go"),
        ("<iframe src=https://x.test>old</iframe>a", "a"),
        ("<p onclick='x()' id=a>b</p>", "<p>b</p>"),
        ("<select><option>a</select>b", "b"),
        ("<p><i>open", "<p><i>open</i></p>"),
        ("<b>a</i></b></p>b", "<b>a</b>b"),
        ("<p><b>a</p>b</b>", "<p><b>a</b></p>b"),
        ("<a", ""),
    ],
)
def test_elements(source: str, expected: str) -> None:
    assert safe_html(source) == expected


@each_row(
    ("source", "expected"),
    [
        ('<a href="https://x.test/a">Go</a>', "<u>Go</u> &lt;https://x.test/a&gt;"),
        ('<a href="https://x.test/a"> https://x.test/a</a>', "<u> https://x.test/a</u>"),
        ('<a href="javascript:x()">Go</a>', "<u>Go</u> &lt;javascript:x()&gt;"),
        ("<a name=top>Top</a>", "<u>Top</u>"),
        ("<a href>Top</a>", "<u>Top</u>"),
        ("<a href=x><b>Go</a> on</b>", "<u><b>Go</b></u> &lt;x&gt; on"),
        ("<a href=x>a<a href=y>b</a>", "<u>a</u> &lt;x&gt;<u>b</u> &lt;y&gt;"),
        ("<a href=x>a", "<u>a</u> &lt;x&gt;"),
    ],
)
def test_links_become_text_with_their_target(source: str, expected: str) -> None:
    assert safe_html(source) == expected


@each_row(
    ("source", "expected"),
    [
        (f'<img src="{PIXEL}" alt="dot">', f'<img src="{PIXEL}" alt="dot">'),
        ('<img src="cid:logo@x" width=10>', '<img src="cid:logo@x" alt="" width="10">'),
        ('<img src="https://x.test/a.png" alt="Logo">', "[Logo]"),
        ('<img src="//x.test/a.png">', ""),
        ('<img src="file:///etc/passwd">', ""),
        ('<img src="data:image/svg+xml;base64,AAAA">', ""),
        ('<img src="data:text/html;base64,AAAA">', ""),
        ('<img srcset="https://x.test/a.png 2x" src>', ""),
        ("<table background='https://x.test'><tr><td>a", "<table><tr><td>a</td></tr></table>"),
    ],
)
def test_only_images_inside_the_mail_stay(source: str, expected: str) -> None:
    assert safe_html(source) == expected


@each_row(
    ("source", "expected"),
    [
        ("<p style='color: red'>a</p>", '<p style="color: red">a</p>'),
        ("<p style='background: url(https://x)'>a</p>", "<p>a</p>"),
        (r"<p style='background: u\72l(https://x)'>a</p>", "<p>a</p>"),
        ("<p style='background: u/**/rl(//x)'>a</p>", "<p>a</p>"),
        ("<p style>a</p>", "<p>a</p>"),
        ("<style>p { color: red }</style>a", "<style>p { color: red }</style>a"),
        ("<style>@import 'https://x.test/a.css';</style>a", "a"),
        ("<style></style>a", "a"),
        ("<style>p { color: red }", ""),
        ("<object><style>p { color: red }</style></object>a", "a"),
        ("<td width=100000>a", "<td>a</td>"),
        ("<td width='50%' colspan=2 rowspan=0 bgcolor='#fff'>a",
         '<td width="50%" colspan="2" bgcolor="#fff">a</td>'),
        ("<td width=1 width=2>a", '<td width="1">a</td>'),
        ("<td title='\"><script>'>a", '<td title="&quot;&gt;&lt;script&gt;">a</td>'),
    ],
)  # fmt: skip
def test_looks_stay_where_they_ask_for_nothing(source: str, expected: str) -> None:
    assert safe_html(source) == expected


def test_depth_has_an_end_and_no_text_is_lost() -> None:
    made = safe_html("<div>" * 500 + "deep" + "</div>" * 500 + "after")
    assert made.count("<div>") == made.count("</div>") == 64
    assert "deep" in made
    assert made.endswith("after")


def test_a_marked_section_that_a_parser_may_refuse_is_still_shown() -> None:
    made = safe_html("<b>a</b><![strange[ x ]]> <img src=https://x.test>")
    assert "<img" not in made
    assert "a" in made


def test_a_parser_that_gives_up_leaves_the_source_to_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def give_up(parser: HTMLParser, source: str) -> None:
        raise AssertionError("unknown status keyword")

    monkeypatch.setattr(HTMLParser, "feed", give_up)
    assert safe_html("<b>a</b>") == "<pre>&lt;b&gt;a&lt;/b&gt;</pre>"


@each_row(
    "unit",
    ["<", "<a ", "<!--", "<a b='", "&#", "</a", "<?", "<![CDATA[", "<style></styl", "<p>", "<a/",
     "<a href=x>", "<b></i>", "<p a=1 ", "<svg>", "<script>"],
)  # fmt: skip
@each_row("end", ["", ">"])
def test_hostile_repetition_takes_no_long_time(unit: str, end: str) -> None:
    begun = time.thread_time()  # however busy the machine is
    safe_html(unit * (128 * 1024 // len(unit)) + end)
    assert time.thread_time() - begun < 15


FRAGMENTS = st.sampled_from([
    "<a href='https://x.test'>", "</a>", "<b>", "</b>", "<p style='", "'>", "<style>", "</style>",
    "<script>", "</script>", "<img src=", "https://x.test/a.png", "cid:a", f"'{PIXEL}'", " alt=x>",
    "<svg>", "</svg>", "<svg/>", "<!--", "-->", "<![", "]]>", "<?", ">", "<", "&", "&lt", ";",
    "url(", "@import", "\\", "\x00", "\u202e", "<table><tr>", "</table>", "<form>", "<iframe>",
    "<td width=1>", "<textarea>", "<title>", "</title>", "<plaintext>", " onload=x ", '"', "/",
])  # fmt: skip


@given(st.lists(FRAGMENTS | st.text(max_size=8), max_size=40).map("".join))
def test_whatever_comes_the_result_is_harmless_balanced_and_stable(source: str) -> None:
    made = safe_html(source)
    inspector = Inspector(made)
    inspector.find_harmless()
    assert inspector.balanced
    assert not inspector.open
    assert safe_html(made) == made
