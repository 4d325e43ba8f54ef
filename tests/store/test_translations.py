"""Catalogues are read from resources; whatever is wrong with one, the program speaks English."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from smtp_desk.core import translation
from smtp_desk.core.translation import _, language, plural
from smtp_desk.store import resources, translations
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def czech() -> bytes:
    catalogue = Catalog(locale="cs")
    catalogue.add("No answer.", "Žádná odpověď.")
    catalogue.add(
        ("{count} email", "{count} emails"),
        ("{count} e-mail", "{count} e-maily", "{count} e-mailů"),
    )
    octets = io.BytesIO()
    write_mo(octets, catalogue)
    return octets.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "smtp_desk")
    resources.resource_path.cache_clear()
    made = tmp_path / "resources" / "translations"
    made.mkdir(parents=True)
    yield made
    translations.speak("en")
    resources.resource_path.cache_clear()


def test_a_catalogue_is_spoken_until_another(folder: Path) -> None:
    (folder / "cs.mo").write_bytes(czech())
    translations.speak("cs")
    assert language() == "cs"
    assert _("No answer.") == "Žádná odpověď."
    said = [plural("{count} email", "{count} emails", count) for count in (0, 1, 2, 5)]
    assert said == ["0 e-mailů", "1 e-mail", "2 e-maily", "5 e-mailů"]
    translations.speak("en")
    assert (language(), _("No answer.")) == ("en", "No answer.")


@each_row(
    "octets",
    [None, b"", b"no catalogue", czech()[:40], czech()[:-20], b"\xde\x12\x04\x95" + b"\xff" * 40],
)
def test_one_that_is_missing_or_broken_is_told_and_english_is_spoken(
    folder: Path, caplog: pytest.LogCaptureFixture, octets: bytes | None
) -> None:
    caplog.clear()
    (folder / "de.mo").unlink(missing_ok=True)
    resources.resource_path.cache_clear()
    if octets is not None:
        (folder / "de.mo").write_bytes(octets)
    with caplog.at_level(logging.WARNING):
        translations.speak("de")
    assert language() == "en"
    assert _("No answer.") == "No answer."
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "'de'" in caplog.text


def test_english_reads_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder.rmdir()
    translations.speak("en")
    assert translation.language() == "en"
    assert not caplog.records
