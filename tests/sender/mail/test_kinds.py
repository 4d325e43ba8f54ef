"""The kinds: what they take, and that a wrong value is named."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from smtp_desk.sender.mail.kinds import (
    VARIANTS,
    Attachment,
    EmailError,
    Invitation,
    Message,
    Notification,
    WelcomeAdvertiser,
    WelcomeAffiliate,
    kind_from,
    kinds,
    sample,
)
from smtp_desk.store.resources import resource_path
from tests.table import each_row

LINK = "https://example.org/join"


def invitation(**changed: object) -> Invitation:
    values: dict[str, object] = {"to": "ann@example.org", "invited_by": "Bo", "link": LINK}
    return Invitation(**(values | changed))  # type: ignore[arg-type]


def test_the_first_example_works_as_it_is_written() -> None:
    assert Invitation(to="ann@example.org", invited_by="Bo", link="https://…").link == "https://…"


def test_an_invitation_needs_three_values() -> None:
    email = Invitation(to="ann@example.org", invited_by="Bo", link=LINK)
    assert email.recipients == ("ann@example.org",)
    assert email.variables() == {"invited_by": "Bo", "link": LINK, "role": None}
    assert email.variant == "invitation"


def test_nobody_is_written_to_twice() -> None:
    email = invitation(to=["ann@example.org", "bo@bücher.example", "bo@xn--bcher-kva.example"])
    assert email.recipients == ("ann@example.org", "bo@bücher.example")
    assert email == invitation(to=("ann@example.org", "bo@bücher.example"))
    assert hash(email) == hash(invitation(to=email.recipients))


@each_row(
    ("field", "value"),
    [
        ("to", "ann"),
        ("to", []),
        ("to", ["ann@example.org", "Bo <bo@example.org>"]),
        ("to", "ann@example.org\r\nBcc: bo@example.org"),
        ("to", None),
        ("invited_by", "Bo\nBcc: bo@example.org"),
        ("invited_by", ""),
        ("link", "javascript:alert(1)"),
        ("role", "a\rb"),
    ],
)
def test_a_wrong_value_is_named(field: str, value: object) -> None:
    with pytest.raises(EmailError, match=f"^{field}: ") as caught:
        invitation(**{field: value})
    assert caught.value.field == field
    assert caught.value.problem in str(caught.value)


@pytest.mark.parametrize("kind", [WelcomeAffiliate, WelcomeAdvertiser])
@pytest.mark.parametrize(("approved", "ending"), [(True, "approved"), (False, "pending")])
def test_a_welcome_has_a_variant_for_each_answer(
    kind: type[WelcomeAffiliate | WelcomeAdvertiser], approved: bool, ending: str
) -> None:
    email = kind(to="ann@example.org", name="Ann", approved=approved)
    assert email.variant == f"{kind.kind}_{ending}"


def test_a_message_takes_files_and_an_audience() -> None:
    file = Attachment("terms.pdf", b"%PDF", "application/pdf")
    message = Message(
        to="ann@example.org", subject="s", body="b", audience="advertisers", attachments=[file]
    )
    assert message.attachments == (file,)
    assert "%PDF" not in repr(message)
    with pytest.raises(EmailError, match=r"^audience: "):
        Message(to="ann@example.org", subject="s", body="b", audience="all")  # type: ignore[arg-type]
    with pytest.raises(EmailError, match=r"^attachments: "):
        Message(
            to="ann@example.org",
            subject="s",
            body="b",
            audience="affiliates",
            attachments=["terms.pdf"],  # type: ignore[list-item]
        )
    with pytest.raises(EmailError, match=r"^media_type: "):
        Attachment("terms.pdf", b"", "text/html\r\nX: y")


def test_a_notification_can_do_without_a_link() -> None:
    assert Notification(to="ann@example.org", title="t", body="b").link is None


def test_an_email_of_texts_equals_the_typed_one() -> None:
    made = kind_from("welcome_affiliate", {"name": "Ann", "approved": "no"}, to=["ann@example.org"])
    assert made == WelcomeAffiliate(to="ann@example.org", name="Ann", approved=False)


@each_row(
    ("kind", "variables", "said"),
    [
        ("invoice", {}, "kind: There is no kind “invoice”, only welcome_affiliate, "),
        ("invitation", {"link": LINK}, "invited_by: Missing. Name of the person"),
        ("invitation", {"name": "x"}, "name: Not used by invitation, which takes invited_by, "),
        ("message", {"attachments": "x"}, "attachments: Not used by message"),
        ("invitation", {"to": "x@example.org"}, "to: Not used by invitation"),
        ("welcome_affiliate", {"name": "a", "approved": "?"}, "approved: Must be yes or no."),
    ],
)
def test_a_wrong_text_is_named(kind: str, variables: Mapping[str, str], said: str) -> None:
    with pytest.raises(EmailError) as caught:
        kind_from(kind, variables, to="ann@example.org")
    assert str(caught.value).startswith(said)


def test_every_kind_can_be_made_of_what_its_list_says() -> None:
    for kind in kinds():
        required = {key: each.sample for key, each in kind.variables.items() if each.required}
        email = kind_from(kind.name, required, to="ann@example.org")
        assert (email.kind, email.label, email.purpose) == (kind.name, kind.label, kind.purpose)
        for name, variable in kind.variables.items():
            assert variable.help.endswith(".")
            for choice in variable.choices:
                kind_from(kind.name, required | {name: choice}, to="ann@example.org")
    assert [kind.name for kind in kinds()] == [
        "welcome_affiliate",
        "welcome_advertiser",
        "invitation",
        "message",
        "notification",
    ]


@each_row("variant", VARIANTS)
def test_every_variant_has_a_sample_and_its_templates(variant: str) -> None:
    assert sample(variant).variant == variant
    for ending in ("subject.txt", "txt", "html"):
        assert resource_path("templates", f"{variant}.{ending}").is_file()


def test_there_are_seven_variants_and_no_template_more() -> None:
    names = {path.name.partition(".")[0] for path in Path(resource_path("templates")).iterdir()}
    assert names == {*VARIANTS, "layout", "parts"}
