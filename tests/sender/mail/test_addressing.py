"""Who writes to whom: our kinds, the same on both routes but for who sends."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.core.address import AddressError, has_control
from smtp_desk.sender.mail.addressing import Addressed, Identity, addressed
from smtp_desk.sender.mail.headers import HeaderError
from smtp_desk.sender.mail.kinds import VARIANTS, EmailError, kind_from, sample
from smtp_desk.sender.mail.message import outbox_message
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.entries import OutboxMessage
from tests.table import each_row

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CUSTOM = Identity("desk@example.org", "Example Network")
DEFAULT = Identity("platform@example.test", "Example Network", reply_to="desk@example.org")
TEMPLATES = Templates(Path("/nonexistent"))


def stored(variant: str = "invitation") -> OutboxMessage:
    email = sample(variant)
    return outbox_message(email, TEMPLATES.render(email), message_id="<1@example.org>", now=NOW)


def read(message: Addressed) -> EmailMessage:
    parsed = message_from_bytes(message.content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


@each_row("variant", VARIANTS)
def test_both_routes_send_the_same_email_under_their_own_names(variant: str) -> None:
    message = stored(variant)
    custom = addressed(message, ["ann@example.org"], CUSTOM)
    default = addressed(message, ["ann@example.org"], DEFAULT)
    assert read(custom)["From"] == "Example Network <desk@example.org>"
    assert read(custom)["Reply-To"] is None
    assert custom.envelope.sender == "desk@example.org"
    assert read(default)["From"] == "Example Network <platform@example.test>"
    assert read(default)["Reply-To"] == "desk@example.org"
    assert default.envelope.sender == "platform@example.test"
    for each in (custom, default):
        assert read(each)["Message-ID"] == "<1@example.org>"
        assert read(each).get_all("To") == ["ann@example.org"]
        assert each.envelope.recipients == ("ann@example.org",)
        assert each.content.endswith(message.payload)
        assert not each.envelope.needs_smtputf8


def test_recipients_do_not_see_each_other() -> None:
    with pytest.raises(ValueError, match="one recipient at a time"):
        addressed(stored(), ["ann@example.org", "bo@example.org"], CUSTOM)
    with pytest.raises(ValueError, match="one recipient at a time"):
        addressed(stored(), [], CUSTOM)


def test_an_international_domain_needs_nothing_from_the_server() -> None:
    identity = Identity("desk@bücher.example.com", "Bücher", "re@bücher.example.com")
    result = addressed(stored(), ["ann@bücher.example.com"], identity)
    assert result.content.isascii()
    assert result.envelope.sender == "desk@xn--bcher-kva.example.com"
    assert result.envelope.recipients == ("ann@xn--bcher-kva.example.com",)
    assert not result.envelope.needs_smtputf8


@pytest.mark.parametrize(
    ("recipient", "identity"),
    [
        ("änn@example.org", CUSTOM),
        ("ann@example.org", Identity("désk@example.org")),
        ("ann@example.org", Identity("desk@example.org", "", "désk@example.org")),
    ],
)
def test_only_a_local_part_outside_ascii_needs_smtputf8(recipient: str, identity: Identity) -> None:
    result = addressed(stored(), [recipient], identity)
    assert result.envelope.smtputf8
    assert not result.content.isascii()


def test_an_identity_without_a_name_has_none() -> None:
    result = addressed(stored(), ["ann@example.org"], Identity("desk@example.org"))
    assert result.content.startswith(b"From: desk@example.org\r\nTo: ann@example.org\r\n")


NAMES = st.text(max_size=80)
ADDRESSES = st.sampled_from(
    [
        "ann@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org, b@example.org",
        "Ann <ann@example.org>",
        "",
    ]
)


@given(
    st.builds(Identity, ADDRESSES, NAMES, ADDRESSES),
    st.fixed_dictionaries({"subject": NAMES, "body": st.text(min_size=1)}),
    ADDRESSES,
    NAMES,
)
def test_nothing_that_a_field_holds_adds_a_header(
    identity: Identity, texts: dict[str, str], to: str, company: str
) -> None:
    try:
        email = kind_from("message", texts | {"audience": "affiliates"}, to=to)
        rendered = TEMPLATES.render(email, company=company)
        message = outbox_message(email, rendered, message_id="<1@example.org>", now=NOW)
        result = addressed(message, [to], identity)
    except (EmailError, AddressError, HeaderError):
        return
    header, _, _ = result.content.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0] for line in header.split(b"\r\n") if line[:1] not in b" \t"]
    reply = [b"Reply-To"] if identity.reply_to else []
    assert names == [
        b"From",
        *reply,
        b"To",
        b"Date",
        b"Message-ID",
        b"Subject",
        b"Auto-Submitted",
        b"MIME-Version",
        b"Content-Type",
    ]
    assert len(read(result)["To"].addresses) == 1
    assert len(read(result)["From"].addresses) == 1
    assert not has_control(header.replace(b"\r\n", b"").decode())


@given(st.sampled_from(VARIANTS), st.dictionaries(NAMES, NAMES))
def test_no_variable_of_the_command_adds_a_header(variant: str, texts: dict[str, str]) -> None:
    email = sample(variant)
    known = list(email.variables())
    given_texts = dict(zip(known, texts.values(), strict=False))
    base = {name: str(value) for name, value in email.variables().items()}
    base |= {name: "yes" for name in known if name == "approved"}
    try:
        email = kind_from(email.kind, base | given_texts, to="ann@example.org")
    except EmailError:
        return
    message = outbox_message(email, TEMPLATES.render(email), message_id="<1@x.test>", now=NOW)
    parsed = read(addressed(message, ["ann@example.org"], CUSTOM))
    assert len(parsed.keys()) == 8
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
