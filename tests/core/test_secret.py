"""Secrets hide themselves."""

import copy
import pickle

import pytest

from smtp_desk.core.secret import KeyringEntry, Secret, StoredSecret


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
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(Secret("a"))
    with pytest.raises(TypeError, match="never pickled"):
        copy.copy(Secret("a"))


def test_the_mark_of_a_stored_secret_is_no_secret() -> None:
    assert StoredSecret("key") == StoredSecret("key")
    assert StoredSecret("key") != Secret("key")


@pytest.mark.parametrize(
    "password",
    ["", "s3cret", ' "\\{}', "smtp-desk 2", "𝄞" * 255, '{"password": "x", "proof_key": ""}'],
)
@pytest.mark.parametrize("proof_key", [b"", bytes(32), bytes(range(32))])
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


@pytest.mark.parametrize(
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
