"""Which databases an outbox may be on, and that no secret stands in what is said of one."""

from __future__ import annotations

import pytest

from smtp_desk.sender.outbox.outbox import OutboxAddressError, OutboxPartMissingError
from smtp_desk.sender.outbox.postgres_address import read_address
from tests.table import each_row

LOCAL = [
    "postgresql:///mail",
    "postgresql://localhost/mail",
    "postgresql://desk@127.0.0.1:6432/mail",
    "postgresql://[::1]/mail",
    "postgresql://%2Fvar%2Frun%2Fpostgresql/mail",
    "postgres://localhost,127.0.0.1/mail",
    "postgresql:///mail?host=/tmp",
]
REMOTE = [
    "postgresql://db.example.test/mail",
    "postgresql://desk@192.0.2.7/mail",
    "postgresql://localhost,db.example.test/mail",
    "postgresql://db.example.test/mail?hostaddr=127.0.0.1",
    "postgresql://localhost/mail?hostaddr=192.0.2.7",
    "postgresql:///mail?host=db.example.test",
    "postgresql:///?service=mail",
    "postgresql://db.example.test/mail?sslmode=verify-full",
]


@each_row("url", LOCAL)
def test_this_machine_needs_no_tls(url: str) -> None:
    assert "sslmode" not in read_address(url, {}).parameters


@each_row("url", REMOTE)
def test_beyond_it_the_server_shows_a_certificate_for_its_name(url: str) -> None:
    parameters = read_address(url, {"PGSSLMODE": "disable"}).parameters
    assert parameters["sslmode"] == "verify-full"
    assert parameters["gssencmode"] == "disable"


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("postgresql:///mail", {"PGHOST": "db.example.test"}),
        ("postgresql:///mail", {"PGHOSTADDR": "192.0.2.7"}),
        ("postgresql:///mail", {"PGSERVICE": "mail"}),
    ],
)
def test_what_the_environment_names_counts(url: str, environ: dict[str, str]) -> None:
    assert read_address(url, environ).parameters["sslmode"] == "verify-full"


def test_a_host_in_the_url_is_stronger_than_the_environment() -> None:
    address = read_address("postgresql://localhost/mail", {"PGHOST": "db.example.test"})
    assert "sslmode" not in address.parameters


@each_row("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_a_weaker_way_to_another_machine_is_refused(mode: str) -> None:
    with pytest.raises(OutboxAddressError, match="sslmode=verify-full"):
        read_address(f"postgresql://db.example.test/mail?sslmode={mode}", {})


@each_row(
    "url",
    [
        "postgresql://desk:s3cret@localhost/mail",
        "postgresql://desk@localhost/mail?password=s3cret",
        "postgresql://localhost/mail?sslpassword=s3cret",
        "postgresql://desk:s3cret@db.example.test/mail?sslmode=disable",
        "postgresql://desk:s3cret@localhost/mail?nonsense=1",
        "postgresql://desk:s3cret@[::1/mail",
        "postgresql://desk:s3cret%ZZ@localhost/mail",
        "postgresql://localhost/mail?passwort=s3cret",
        "mysql://desk:s3cret@localhost/mail",
        "host=localhost password=s3cret",
    ],
)
def test_a_password_is_refused_and_never_shown(url: str) -> None:
    with pytest.raises(OutboxAddressError) as refused:
        read_address(url, {})
    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "s3cret" not in repr(refused.value.__context__) or refused.value.__suppress_context__


@each_row("url", ["", "mail", "sqlite:///mail", "postgresql:/mail", " "])
def test_another_kind_of_address_is_refused(url: str) -> None:
    with pytest.raises(OutboxAddressError, match="postgresql://host/database"):
        read_address(url, {})


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://desk@db.example.test/mail", "mail on db.example.test"),
        ("postgresql:///mail", "mail on this machine"),
        ("postgresql:///?service=mail", "of the user on mail"),
    ],
)
def test_it_has_a_name_for_people(url: str, name: str) -> None:
    assert read_address(url, {}).name == name


def test_the_part_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smtp_desk.sender.outbox.postgres_address.find_spec", lambda _name: None)
    with pytest.raises(OutboxPartMissingError, match=r"smtp-desk\[postgres\]"):
        read_address("postgresql://localhost/mail", {})
