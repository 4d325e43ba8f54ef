"""Templates: ours, and a person's own, which can never stop an email."""

import os
from html.parser import HTMLParser
from pathlib import Path

import pytest

from smtp_desk.sender.mail.kinds import VARIANTS, Invitation, Message, Notification, sample
from smtp_desk.sender.mail.templates import Templates

EVIL = "<script>alert(1)</script> & \"'"
_VOID = {"meta", "br", "img"}


class _Reader(HTMLParser):
    """Notes tags, and that each is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, list[dict[str, str | None]]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.setdefault(tag, []).append(dict(attrs))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(html: str) -> dict[str, list[dict[str, str | None]]]:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader.seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def invitation() -> Invitation:
    return Invitation(to="ann@example.org", invited_by="Bo", link="https://example.org/join")


@pytest.mark.parametrize("company", ["", "Example Network"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_ours_say_the_same_in_text_and_html(variant: str, company: str, folder: Path) -> None:
    email = sample(variant)
    rendered = Templates(folder).render(email, company=company)
    assert not rendered.problem
    assert not rendered.overrides
    assert "\n" not in rendered.subject
    assert "  " not in rendered.subject
    for name, value in email.variables().items():
        if isinstance(value, str) and name not in ("audience", "subject", "title"):
            for paragraph in value.split("\n\n"):
                assert paragraph in rendered.text
                assert paragraph in rendered.html
    assert company in rendered.text
    assert company in rendered.html
    assert "\n\n\n" not in rendered.text
    assert "None" not in rendered.text + rendered.html


@pytest.mark.parametrize("variant", VARIANTS)
def test_ours_can_be_read_by_everybody_and_load_nothing(variant: str, folder: Path) -> None:
    rendered = Templates(folder).render(sample(variant), company="Example Network")
    seen = read(rendered.html)
    assert seen["html"] == [{"lang": "en", "dir": "ltr"}]
    assert len(seen["h1"]) == len(seen["title"]) == 1
    assert all(table["role"] == "presentation" for table in seen["table"])
    assert not seen.keys() & {"script", "style", "link", "img", "form", "iframe", "object"}
    for attributes in seen.get("a", []):
        assert str(attributes["href"]).startswith(("https://", "mailto:"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_optional_values_may_be_missing(variant: str, folder: Path) -> None:
    email = sample(variant)
    for name in ("login_link", "contact", "role", "link"):
        if name in email.variables() and not (variant == "invitation" and name == "link"):
            object.__setattr__(email, name, None)
    rendered = Templates(folder).render(email)
    assert not rendered.problem
    assert "None" not in rendered.text + rendered.html
    read(rendered.html)


def test_values_are_text_in_html_and_as_they_are_in_text(folder: Path) -> None:
    email = Message(to="ann@example.org", subject=EVIL, body=f"{EVIL}\nb", audience="affiliates")
    rendered = Templates(folder).render(email, company=EVIL)
    assert rendered.subject == EVIL
    assert EVIL in rendered.text
    assert "<script" not in rendered.html
    assert "&lt;script&gt;" in rendered.html
    read(rendered.html)


def test_paragraphs_and_lines_of_a_body_stay(folder: Path) -> None:
    email = Notification(to="ann@example.org", title="t", body="a\nb\n \n\nSee https://x.test/")
    html = Templates(folder).render(email).html
    assert "a<br>b</p>" in html
    assert 'href="https://x.test/"' in html


def test_a_company_name_stays_in_its_line(folder: Path) -> None:
    rendered = Templates(folder).render(invitation(), company="A\r\nBcc: x")
    assert rendered.subject == "Bo invites you to A Bcc: x"


def test_a_file_of_the_persons_own_takes_the_place_of_ours(folder: Path) -> None:
    templates = Templates(folder)
    (folder / "invitation.subject.txt").write_text("Grüße von {{ invited_by }}", "utf-8")
    rendered = templates.render(invitation())
    assert rendered.subject == "Grüße von Bo"
    assert "https://example.org/join" in rendered.text
    assert not rendered.problem
    assert rendered.overrides == ("invitation.subject.txt",)
    assert not templates.render(sample("notification")).overrides


def test_a_layout_of_the_persons_own_holds_all_emails(folder: Path) -> None:
    (folder / "layout.html").write_text("<main>{% block content %}{% endblock %}</main>", "utf-8")
    for variant in VARIANTS:
        rendered = Templates(folder).render(sample(variant))
        assert rendered.html.startswith("<main>")
        assert rendered.overrides == ("layout.html",)


def test_a_changed_file_is_read_anew(folder: Path) -> None:
    templates, file = Templates(folder), folder / "invitation.subject.txt"
    file.write_text("one", "utf-8")
    assert templates.render(invitation()).subject == "one"
    file.write_text("two", "utf-8")
    os.utime(file, (1, 1))
    assert templates.render(invitation()).subject == "two"
    file.unlink()
    assert templates.render(invitation()).subject == "Bo invites you"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("invitation.html", b"<p>\n{% if %}", "invitation.html, line 2: Expected an expression"),
        ("invitation.txt", b"a\n\n{{ nme }}", "invitation.txt, line 3: 'nme' is undefined."),
        ("invitation.txt", b"Gr\xfc\xdfe", "invitation.txt: not UTF-8."),
        ("invitation.txt", b"{{ 1 / 0 }}", "invitation.txt, line 1: division by zero."),
        ("invitation.txt", b"{% for i in range(10**9) %}{% endfor %}", "invitation.txt, line 1: "),
        ("invitation.txt", b"{% include 'other.txt' %}", "invitation.txt, line 1: there is no"),
        ("invitation.txt", b"{% include '../settings.toml' %}", "invitation.txt, line 1: "),
        ("invitation.subject.txt", b"a\nb", "invitation.subject.txt: the subject has a line break"),
        ("invitation.subject.txt", b" \n", "invitation.subject.txt: the subject is empty."),
        (
            "invitation.html",
            b"{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "invitation.html, line 1: access to attribute '__class__'",
        ),
        ("layout.html", b"{{ self.nothing() }}", "layout.html, line 1: "),
        ("parts.html", b"{% macro paragraph() %}", "parts.html, line 1: "),
    ],
)
def test_a_broken_one_is_passed_over_and_told(
    name: str, content: bytes, problem: str, folder: Path
) -> None:
    templates = Templates(folder)
    ours = templates.render(invitation())
    (folder / name).write_bytes(content)
    rendered = templates.render(invitation())
    assert rendered.problem.startswith(problem)
    assert rendered.problem.endswith(".")
    assert str(folder) not in rendered.problem
    assert rendered.overrides == (name,)
    assert (rendered.subject, rendered.text, rendered.html) == (
        ours.subject,
        ours.text,
        ours.html,
    )
    (folder / name).unlink()
    assert templates.render(invitation()) == ours


@pytest.mark.skipif(os.name == "nt", reason="folders have no such modes there")
def test_a_folder_that_cant_be_read_stops_no_email(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **_options: object) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    rendered = Templates(folder).render(invitation())
    assert rendered.subject == "Bo invites you"
    assert rendered.problem == "invitation.subject.txt: Permission denied."


def test_the_values_of_an_email_cant_be_changed_by_a_template(folder: Path) -> None:
    (folder / "message.txt").write_text("{{ [1].append(2) }}", "utf-8")
    assert "unsafe" in Templates(folder).render(sample("message")).problem


@pytest.mark.skipif(os.name == "nt", reason="has no such modes")
@pytest.mark.parametrize("name", ["invitation.txt", "part.txt", "below", "below/part.txt", "."])
def test_templates_that_somebody_else_may_change_are_not_used(folder: Path, name: str) -> None:
    (folder / "below").mkdir()
    include = "{% include 'part.txt' %}{% include 'below/part.txt' %}"
    (folder / "invitation.txt").write_text(f"own {include}", "utf-8")
    (folder / "part.txt").write_text("part", "utf-8")
    (folder / "below" / "part.txt").write_text("part", "utf-8")
    ours = Templates(folder / "nowhere").render(invitation())
    templates = Templates(folder)
    assert templates.render(invitation()).text.startswith("own partpart")
    changed = folder / name
    mode = changed.stat().st_mode
    changed.chmod(mode | 0o002)
    rendered = templates.render(invitation())
    assert rendered.text == ours.text
    assert f"other users can change {changed.resolve()}" in rendered.problem
    changed.chmod(mode)
    assert not templates.render(invitation()).problem


@pytest.mark.parametrize(
    "text",
    [
        "{{ 9 ** 99999999 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(x=9) %}{% for i in range(70) %}{% set n.x = n.x * n.x %}{% endfor %}",
        '{{ "x" * 99999999999 }}',
        '{{ "%99999999999d" % 1 }}',
        "{% macro a() %}{% for b in range(99) %}{{ a() }}{% endfor %}{% endmacro %}{{ a() }}",
    ],
)
def test_one_that_never_ends_holds_no_email(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr("smtp_desk.sender.mail.templates._OWN_S", 0.3)
    (folder / "invitation.txt").write_text(text)
    rendered = Templates(folder).render(invitation())
    assert "Bo" in rendered.text, "ours is used"
    assert rendered.problem


def test_sums_of_a_usual_size_are_allowed(folder: Path) -> None:
    (folder / "invitation.txt").write_text(
        '{{ 2 ** 10 }} {{ 6 * 7 }} {{ "-" * 3 }} {{ "%05d" % 42 }}'
    )
    assert Templates(folder).render(invitation()).text == "1024 42 --- 00042\n"


def test_links_of_a_body_are_made_ones(folder: Path) -> None:
    body = "plain & <simple>\nhttps://example.org/x?a=1&b=2, ann@example.org\nwww.example.org"
    html = (
        Templates(folder)
        .render(Message(to="a@x.org", audience="affiliates", subject="s", body=body))
        .html
    )
    assert "plain &amp; &lt;simple&gt;<br>" in html
    assert html.count("<a href") == 3
