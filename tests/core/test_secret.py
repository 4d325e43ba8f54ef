"""Secrets hide themselves."""

import copy
import pickle

import pytest

from smtp_desk.core.secret import Secret, StoredSecret


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
