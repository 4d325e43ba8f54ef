"""Every rule of the form, broken by one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.core.problems import Field, Severity
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import AuthMethod, CaFile, Security, SettingsDraft
from smtp_desk.core.texts import PROBLEMS, problem_text
from smtp_desk.core.validation import (
    InvalidDraftError,
    app_password_without_spaces,
    parse,
    validate,
    validate_recipient,
)
from tests.table import each_row

GOOD = SettingsDraft(
    host="mail.example.com",
    username="desk@example.com",
    secret=Secret("s3cret"),
    from_name="Example",
    from_email="desk@example.com",
)


def codes(draft: SettingsDraft, ca: CaFile | None = None) -> set[tuple[str, str]]:
    return {(str(problem.field), problem.code) for problem in validate(draft, ca)}


def test_a_good_draft_has_no_problems_and_parses() -> None:
    assert validate(GOOD) == ()
    values = parse(GOOD)
    assert values.settings.port == 587
    assert values.settings.security is Security.AUTO
    assert values.settings.auth_method is AuthMethod.AUTO
    assert values.secret == Secret("s3cret")


@each_row(
    ("change", "expected"),
    [
        ({"host": ""}, ("host", "host.empty")),
        ({"host": "a" * 64 + ".example"}, ("host", "host.label_long")),
        ({"port": ""}, ("port", "port.empty")),
        ({"port": "0"}, ("port", "port.range")),
        ({"port": "65536"}, ("port", "port.range")),
        ({"port": "70000"}, ("port", "port.range")),
        ({"port": "9" * 5000}, ("port", "port.range")),
        ({"port": "-1"}, ("port", "port.not_number")),
        ({"port": "587a"}, ("port", "port.not_number")),
        ({"port": "٥٨٧"}, ("port", "port.not_number")),
        ({"port": "5.87"}, ("port", "port.not_number")),
        ({"username": "u" * 256}, ("username", "too_long")),
        ({"username": "a\r\nb"}, ("username", "control_character")),
        ({"username": "a\x00b"}, ("username", "control_character")),
        ({"username": ""}, ("username", "credentials.no_username")),
        ({"secret": Secret("")}, ("password", "credentials.no_password")),
        ({"secret": Secret("p" * 256)}, ("password", "too_long")),
        ({"secret": Secret("p\n")}, ("password", "control_character")),
        ({"secret": Secret("p\x00")}, ("password", "control_character")),
        ({"from_name": "n" * 256}, ("from_name", "too_long")),
        ({"from_name": "Bo\r\nBcc: ann@example.com"}, ("from_name", "control_character")),
        ({"from_email": ""}, ("from_email", "email.empty")),
        ({"from_email": "desk"}, ("from_email", "email.no_at")),
        ({"from_email": "a@b.c\n"}, ("from_email", "control_character")),
        ({"security": "none"}, ("security", "choice")),
        ({"auth_method": "ntlm"}, ("auth_method", "choice")),
        ({"ehlo_name": "desk example"}, ("ehlo_name", "host.space")),
        ({"ehlo_name": "desk\r\nMAIL"}, ("ehlo_name", "control_character")),
        ({"ca_file": "ca\x00.pem"}, ("ca_file", "control_character")),
    ],
)
def test_each_rule_broken_by_one(change: dict[str, object], expected: tuple[str, str]) -> None:
    draft = replace(GOOD, **change)  # type: ignore[arg-type]
    assert expected in codes(draft)
    with pytest.raises(InvalidDraftError) as caught:
        parse(draft)
    assert expected[1] in str(caught.value)


@each_row(
    "change",
    [
        {"port": "1"},
        {"port": " 65535 "},
        {"port": "00587"},
        {"username": "u" * 255},
        {"username": "😀" * 255},
        {"secret": Secret("p" * 255)},
        {"secret": Secret("😀" * 255)},
        {"from_name": "n" * 255},
        {"ehlo_name": "[192.0.2.1]"},
        {"security": "tls"},
        {"auth_method": "cram-md5"},
    ],
)
def test_each_limit_is_allowed(change: dict[str, object]) -> None:
    draft = replace(GOOD, **change)  # type: ignore[arg-type]
    assert codes(draft) == set()
    parse(draft)


def test_all_problems_come_at_once_each_on_its_field() -> None:
    draft = SettingsDraft(host="", port="x", from_email="", security="?", auth_method="?")
    assert {problem.field for problem in validate(draft)} == {
        Field.HOST,
        Field.PORT,
        Field.USERNAME,
        Field.FROM_EMAIL,
        Field.SECURITY,
        Field.AUTH_METHOD,
    }


def test_host_and_username_are_trimmed_and_the_password_never_is() -> None:
    values = parse(
        replace(GOOD, host=" mail.example.com ", username=" ann ", secret=Secret(" pass word "))
    )
    assert values.settings.host == "mail.example.com"
    assert values.settings.username == "ann"
    assert values.secret == Secret(" pass word ")


def test_no_credentials_are_allowed_with_a_notice() -> None:
    draft = replace(GOOD, username="", secret=Secret(""))
    (problem,) = validate(draft)
    assert (problem.code, problem.severity) == ("credentials.none", Severity.NOTICE)
    parse(draft)


def test_a_stored_password_counts_as_one() -> None:
    assert validate(replace(GOOD, secret=StoredSecret("key"))) == ()
    assert ("username", "credentials.no_username") in codes(
        replace(GOOD, username="", secret=StoredSecret("key"))
    )


@pytest.mark.parametrize("address", ["ann@corp.local", "ann@localhost", "ann@mail.test"])
def test_intranet_names_are_valid_with_a_notice(address: str) -> None:
    (problem,) = validate(replace(GOOD, from_email=address))
    assert (problem.code, problem.severity) == ("email.intranet", Severity.NOTICE)
    assert parse(replace(GOOD, from_email=address)).settings.from_email == address


def test_international_names_are_shown_both_ways() -> None:
    draft = replace(GOOD, host="bücher.example", from_email="ann@bücher.example.com")
    texts = [problem_text(problem) for problem in validate(draft)]
    assert texts == [
        "International name: bücher.example is sent as xn--bcher-kva.example.",
        "International name: bücher.example.com is sent as xn--bcher-kva.example.com.",
    ]


def test_a_ca_file_counts_by_its_content() -> None:
    draft = replace(GOOD, ca_file="ca.pem")
    assert parse(draft, CaFile("ca.pem", "PEM")).settings.ca_pem == "PEM"
    assert parse(replace(draft, ca_file=" "), CaFile("ca.pem", "PEM")).settings.ca_pem == ""
    assert codes(draft, CaFile("ca.pem", problem="ca_file.missing")) == {
        ("ca_file", "ca_file.missing")
    }


def test_a_check_without_signing_in_needs_neither_credentials_nor_from() -> None:
    draft = SettingsDraft(host="mail.example.com")
    assert validate(draft, login=False) == ()
    assert parse(draft, login=False).settings.from_email == ""


@each_row("from_email", ["nobody", "@", "a@b@", "Ann <ann@example.org>", "a\r\nb"])
def test_without_login_a_from_address_that_is_none_is_ignored(from_email: str) -> None:
    draft = SettingsDraft(host="smtp.example.org", from_email=from_email)
    assert validate(draft, login=False) == ()
    assert parse(draft, login=False).settings.from_email == ""
    assert any(problem.field is Field.FROM_EMAIL for problem in validate(draft))


@pytest.mark.parametrize("text", ["", "ann", "ann@example.com,bo@example.com", "a\n@example.com"])
def test_a_recipient_is_one_address(text: str) -> None:
    (problem,) = validate_recipient(text)
    assert problem.field is Field.RECIPIENT
    assert problem.severity is Severity.ERROR


def test_a_good_recipient_has_no_problem() -> None:
    assert validate_recipient(" ann@example.com ") == ()


@pytest.mark.parametrize("host", ["smtp.gmail.com", "SMTP-relay.GMAIL.com ", "smtp.google.com"])
def test_removing_the_spaces_of_an_app_password_is_offered_on_google_hosts(host: str) -> None:
    grouped = Secret("abcd efgh ijkl mnop")
    assert app_password_without_spaces(host, grouped) == Secret("abcdefghijklmnop")
    draft = replace(GOOD, host=host, secret=grouped)
    assert ("password", "password.spaces") in codes(draft)
    assert parse(draft).secret == grouped


@each_row(
    ("host", "password"),
    [
        ("mail.example.com", "abcd efgh ijkl mnop"),
        ("notgmail.com", "abcd efgh ijkl mnop"),
        ("smtp.gmail.com", "abcdefghijklmnop"),
        ("smtp.gmail.com", "abcd efgh ijkl mno"),
        ("smtp.gmail.com", "correct horse battery"),
    ],
)
def test_elsewhere_spaces_are_left_alone(host: str, password: str) -> None:
    assert app_password_without_spaces(host, Secret(password)) is None


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_settings_or_problems_with_texts(host: str, port: str, text: str) -> None:
    draft = SettingsDraft(
        host=host, port=port, username=text, secret=Secret(text), from_email=text, from_name=text
    )
    problems = validate(draft)
    assert all(problem_text(problem) for problem in problems)
    assert {problem.code for problem in problems} <= set(PROBLEMS)
    if not any(problem.severity is Severity.ERROR for problem in problems):
        parse(draft)


@each_row(
    ("typed", "number"), [("", 0), (" ", 0), ("1", 1), (" 500 ", 500), ("9999999", 9_999_999)]
)
def test_emails_per_hour(typed: str, number: int) -> None:
    draft = replace(GOOD, per_hour=typed)
    assert not codes(draft)
    assert parse(draft).settings.per_hour == number


@each_row("typed", ["0", "-5", "1.5", "many", "10000000", "1 000", "\u0661"])
def test_what_is_no_number_of_emails(typed: str) -> None:
    assert codes(replace(GOOD, per_hour=typed)) == {("per_hour", "per_hour.not_number")}
