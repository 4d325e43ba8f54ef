"""Secrets hide themselves."""

import copy
import pickle
from dataclasses import replace

import pytest

from smtp_desk.core.secret import AccessToken, KeyringEntry, Lifetime, Secret, StoredSecret
from tests.table import each_row


def test_it_shows_itself_only_by_name() -> None:
    secret = Secret("s3cret")
    assert secret.reveal() == "s3cret"
    for text in (repr(secret), str(secret), f"{secret}", f"{[secret]}"):
        assert "s3cret" not in text


def test_it_compares_by_value() -> None:
    assert Secret("ä") == Secret("ä")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("\udc80") == Secret("\udc80")


def test_it_is_false_when_empty() -> None:
    assert not Secret("")
    assert Secret(" ")


def test_it_is_neither_hashed_nor_pickled() -> None:
    with pytest.raises(TypeError):
        hash(Secret("a"))
    with pytest.raises(TypeError, match="can’t be pickled"):
        pickle.dumps(Secret("a"))
    with pytest.raises(TypeError, match="can’t be pickled"):
        copy.copy(Secret("a"))


def test_the_mark_of_a_stored_secret_is_no_secret() -> None:
    assert StoredSecret("key") == StoredSecret("key")
    assert StoredSecret("key") != Secret("key")


@each_row(
    "password",
    ["", "s3cret", ' "\\{}', "smtp-desk 2", "𝄞" * 255, '{"password": "x", "proof_key": ""}'],
)
@each_row("proof_key", [b"", bytes(32), bytes(range(32))])
def test_an_entry_survives_the_keyring(password: str, proof_key: bytes) -> None:
    for token in ("", "0.AAA-_~." * 2000):
        entry = KeyringEntry(Secret(password), proof_key, Secret(token))
        assert KeyringEntry.parse(entry.write()) == entry
    assert KeyringEntry.parse(Secret(password)) == KeyringEntry(Secret(password))


def test_an_entry_fits_into_every_keyring() -> None:
    """Windows takes 2,560 octets of UTF-16."""
    for letter in ("𝄞", '"', "\\", "x"):
        text = KeyringEntry(Secret(letter * 255), bytes(32)).write().reveal()
        assert len(text.encode("utf-16-le")) <= 2560


@each_row(
    "rest",
    [
        "",
        "s3cret",
        "[]",
        '"s3cret"',
        '{"password": "s3cret"}',
        '{"proof_key": "00"}',
        '{"password": "s3cret", "proof_key": "s3cret"}',
        '{"password": "s3cret", "proof_key": 1}',
    ],
)
def test_a_damaged_entry_is_none(rest: str) -> None:
    assert KeyringEntry.parse(Secret(f"smtp-desk 2\n{rest}")) is None


def test_an_entry_hides_itself() -> None:
    assert repr(KeyringEntry(Secret("s3cret"), b"key of the proof")) == (
        "KeyringEntry(secret=Secret(…), refresh_token=Secret(…))"
    )


ACCESS = AccessToken(Secret("access"), 1_000.0, 4_600.0)


@each_row(
    ("now", "fresh"),
    [
        (1_000.0, True),
        (4_299.0, True),
        (4_301.0, False),  # five minutes before its end
        (9_999.0, False),
        (950.0, True),
        (900.0, False),  # the clock was set back: who knows how long it holds
        (1_000.0 - 86_400, False),
    ],
)
def test_a_token_is_renewed_before_it_ends(now: float, fresh: bool) -> None:
    assert ACCESS.is_fresh(now) == fresh


def test_a_token_of_five_minutes_is_renewed_a_minute_before_its_end() -> None:
    short = AccessToken(Secret("access"), 0.0, 300.0)
    assert [short.is_fresh(now) for now in (0.0, 239.0, 241.0)] == [True, True, False]


def test_an_entry_keeps_its_access_token() -> None:
    lifetime = Lifetime(1_000.25, 605_800.5)
    entry = KeyringEntry(Secret("s"), bytes(32), Secret("refresh"), ACCESS, lifetime)
    assert KeyringEntry.parse(entry.write()) == entry
    untold = replace(entry, refresh_lifetime=None)
    assert "lifetime" not in untold.write().reveal()
    assert KeyringEntry.parse(untold.write()) == untold
    assert "access" not in repr(ACCESS).replace("AccessToken", "")


@each_row(
    "broken",
    ['"x"', "[1]", "{}", '{"token": "a", "issued": "soon", "until": 1}', '{"token": "a"}'],
)
def test_a_damaged_access_token_is_a_damaged_entry(broken: str) -> None:
    text = KeyringEntry(Secret("s"), bytes(32)).write().reveal()
    assert KeyringEntry.parse(Secret(f'{text[:-1]}, "access_token": {broken}}}')) is None


@each_row("broken", ['"x"', "[1]", "[1, 2, 3]", '["soon", 1]', "1", "[null, 1]"])
def test_a_damaged_lifetime_is_a_damaged_entry(broken: str) -> None:
    text = KeyringEntry(Secret("s"), bytes(32)).write().reveal()
    assert KeyringEntry.parse(Secret(f'{text[:-1]}, "refresh_lifetime": {broken}}}')) is None


WEEK = Lifetime(0.0, 604_800.0)


@each_row(
    ("told", "after"),
    [
        (Lifetime(3600.0, 604_800.0), WEEK),
        (Lifetime(3600.0, 604_800.0 + 59), WEEK),  # the clocks' seconds
        (Lifetime(3600.0, 604_800.0 - 59), WEEK),
        (Lifetime(3600.0, 608_400.0), Lifetime(3600.0, 608_400.0)),  # each use extends it
        (Lifetime(3600.0, 90_000.0), Lifetime(0.0, 90_000.0)),  # it was made shorter
    ],
)
def test_a_lifetime_that_is_told_anew(told: Lifetime, after: Lifetime) -> None:
    assert WEEK.then(told) == after
    assert [WEEK.is_half_over(at) for at in (0.0, 302_399.0, 302_400.0, 700_000.0)] == [
        *(False, False, True, True)
    ]
