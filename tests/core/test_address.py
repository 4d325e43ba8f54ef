"""Hosts and mailboxes: what is one, and what exactly is wrong with what is none."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.core import address
from smtp_desk.core.address import (
    AddressError,
    Mailbox,
    address_literal,
    has_control,
    parse_ehlo_name,
    parse_host,
    parse_mailbox,
)
from tests.table import each_row


@each_row(
    ("typed", "wire", "shown"),
    [
        ("smtp.example.com", "smtp.example.com", "smtp.example.com"),
        ("  SMTP.Example.COM. ", "smtp.example.com", "smtp.example.com"),
        ("localhost", "localhost", "localhost"),
        ("mail_relay", "mail_relay", "mail_relay"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("[2001:DB8::1]", "2001:db8::1", "2001:db8::1"),
        ("::1", "::1", "::1"),
        ("bücher.example", "xn--bcher-kva.example", "bücher.example"),
        ("XN--bcher-kva.example", "xn--bcher-kva.example", "bücher.example"),
        ("日本語。jp", "xn--wgv71a119e.jp", "日本語.jp"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example", f"{'a' * 63}.example"),
    ],
)
def test_a_host_has_two_spellings(typed: str, wire: str, shown: str) -> None:
    host = parse_host(typed)
    assert (host.ascii, host.unicode) == (wire, shown)
    assert host.is_idn == (wire != shown)


@each_row(
    ("typed", "code"),
    [
        ("", "host.empty"),
        ("   ", "host.empty"),
        ("smtp://mail.example.com", "host.scheme"),
        ("https://mail.example.com/", "host.scheme"),
        ("mail.example.com/inbox", "host.path"),
        ("mail\\share", "host.path"),
        ("mail.example.com:587", "host.port"),
        ("[::1]:25", "host.port"),
        ("mail example.com", "host.space"),
        ("ann@example.com", "host.email"),
        ("mail..example.com", "host.label_empty"),
        (".example.com", "host.label_empty"),
        (f"{'a' * 64}.example", "host.label_long"),
        (f"{'ü' * 64}.example", "host.label_long"),
        (".".join(["a" * 63] * 4), "host.too_long"),
        ("-mail.example.com", "host.invalid_character"),
        ("mail-.example.com", "host.invalid_character"),
        ("mail!.example.com", "host.invalid_character"),
        ('fe80::1%eth"0', "host.invalid_character"),
        ("fe80::1%größe", "host.invalid_character"),
        ("192.0.2.300", "host.not_ip"),
        ("xn--a.example", "host.idn"),
        ("\u0378.example", "host.idn"),
        ("mail.example.com\r\nRCPT", "control_character"),
        ("mail\x00.example.com", "control_character"),
    ],
)
def test_what_is_no_host_says_exactly_why(typed: str, code: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_host(typed)
    assert caught.value.code == code


@each_row(
    ("typed", "name"),
    [
        ("desk.example.com", "desk.example.com"),
        ("192.0.2.1", "[192.0.2.1]"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("fe80::1%eth0", "[IPv6:fe80::1]"),
    ],
)
def test_an_ehlo_name_is_a_domain_or_an_address_literal(typed: str, name: str) -> None:
    assert parse_ehlo_name(typed) == name


@pytest.mark.parametrize("typed", ["[1.2.3]", "desk example", "a\nb"])
def test_what_is_no_ehlo_name_is_refused(typed: str) -> None:
    with pytest.raises(AddressError):
        parse_ehlo_name(typed)


def test_an_address_literal_has_no_zone() -> None:
    assert address_literal("fe80::1%eth0") == "[IPv6:fe80::1]"
    assert address_literal("127.0.0.1") == "[127.0.0.1]"


@each_row(
    ("typed", "wire", "intranet"),
    [
        ("ann@example.com", "ann@example.com", False),
        (" ann@example.com ", "ann@example.com", False),
        ("Ann.B+tag@Example.COM", "Ann.B+tag@example.com", False),
        ("ann@corp.local", "ann@corp.local", True),
        ("ann@localhost", "ann@localhost", True),
        ("ann@mail.test", "ann@mail.test", True),
        ("ann@mail。test", "ann@mail.test", True),
        ("ann@mail．example．com", "ann@mail.example.com", False),
        ("ann@intranet", "ann@intranet", True),
        ("ann@bücher.example.com", "ann@xn--bcher-kva.example.com", False),
        ("ann@bücher.test", "ann@xn--bcher-kva.test", True),
        ("ann@[192.0.2.1]", "ann@[192.0.2.1]", False),
        ('"a b"@example.com', '"a b"@example.com', False),
    ],
)
def test_a_mailbox_has_a_spelling_for_the_wire(typed: str, wire: str, intranet: bool) -> None:
    mailbox = parse_mailbox(typed)
    assert mailbox.wire == wire
    assert mailbox.is_intranet == intranet
    assert not mailbox.needs_smtputf8


@pytest.mark.parametrize("dot", [".", "。", "．", "｡"])
def test_a_mailbox_is_judged_by_the_same_rules_whatever_its_dots(dot: str) -> None:
    with pytest.raises(AddressError, match=r"email\.invalid"):
        parse_mailbox(f"ann@ab--c{dot}com")


def test_a_local_part_that_is_not_ascii_needs_smtputf8() -> None:
    mailbox = parse_mailbox("bücher@bücher.example.com")
    assert mailbox.needs_smtputf8
    assert mailbox.address == "bücher@bücher.example.com"


@each_row(
    ("typed", "code"),
    [
        ("", "email.empty"),
        ("ann", "email.no_at"),
        ("@example.com", "email.no_at"),
        ("ann@", "email.no_at"),
        ("Ann <ann@example.com>", "email.display_name"),
        ("ann@example.com, bo@example.com", "email.several"),
        ("ann@example.com;bo@example.com", "email.several"),
        ("ann@exa mple.test", "email.domain"),
        ("ann@[192.0.2]", "email.domain"),
        ("a..b@example.com", "email.invalid"),
        ("a..b@mail.test", "email.invalid"),
        (f"{'a' * 65}@example.com", "email.invalid"),
        ("ann@example.com\r\nBcc: bo@example.com", "control_character"),
        ("ann\x00@example.com", "control_character"),
    ],
)
def test_what_is_no_mailbox_says_why(typed: str, code: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_mailbox(typed)
    assert caught.value.code == code


@each_row("character", ["\r", "\n", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\ud800"])
def test_control_characters_are_found(character: str) -> None:
    assert has_control(f"a{character}b")


def test_spaces_and_letters_are_no_control_characters() -> None:
    assert not has_control("ä b\u00a0c 日本")


@given(st.text())
def test_any_text_is_a_host_or_an_address_error(text: str) -> None:
    try:
        host = parse_host(text)
    except AddressError:
        return
    assert host.ascii.isascii()
    assert not has_control(host.ascii)
    assert parse_host(host.ascii).ascii == host.ascii


@given(st.text())
def test_any_text_is_a_mailbox_or_an_address_error(text: str) -> None:
    try:
        mailbox = parse_mailbox(text)
    except AddressError:
        return
    assert not has_control(mailbox.wire)
    assert mailbox.ascii_domain.isascii()


_PLAIN = r"[a-zA-Z0-9_+-]{1,9}(\.[a-zA-Z0-9_+-]{1,9}){0,2}@([a-z0-9-]{1,9}\.){0,3}[a-z0-9-]{1,9}"


@given(st.from_regex(_PLAIN, fullmatch=True))
def test_a_plain_mailbox_reads_as_the_library_reads_it(text: str) -> None:
    def read(by: Callable[[str], Mailbox]) -> Mailbox | str:
        try:
            return by(text)
        except AddressError as error:
            return error.code

    assert read(parse_mailbox.__wrapped__) == read(address._parse_mailbox)


def test_plain_mailboxes_do_without_the_library() -> None:
    program = (
        "import sys; from smtp_desk.core.address import parse_mailbox;"
        "parse_mailbox('ann.smith+news@mail-1.example.org'); parse_mailbox('root@localhost');"
        "sys.exit('email_validator' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
