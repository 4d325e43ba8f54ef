"""`arrived`: a received email explained by its header."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.core.test_arrived import GMAIL
from tests.ui.arrived_scenes import FORGED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.desk import Desk


def test_a_file_is_explained(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "test.eml"
    file.write_bytes(GMAIL)
    ended = desk("arrived", str(file))
    lines = ended.out.splitlines()
    assert (ended.status, lines[0]) == (
        0,
        "The receiver confirmed that the email comes from its From domain.",
    )
    assert "DKIM: pass, example.org, selector s2026" in lines
    way = "mail.example.org → mx.google.com, 2026-11-30 16:00:05 UTC, 5 s later, ESMTPS, TLS 1.3"
    assert f"hop 2: {way}" in lines


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"<html>", 65, "is a web page, not an email"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 65, "Outlook’s own format"),
        (b"{}", 65, "isn’t an email"),
        (b"From: a@example.org\n\n", 69, "No server added anything to"),
    ],
)
def test_what_is_no_received_email_is_told(
    desk: Desk, tmp_path: Path, content: bytes, status: int, told: str
) -> None:
    file = tmp_path / "odd.eml"
    file.write_bytes(content)
    ended = desk("arrived", str(file))
    assert (ended.status, ended.out) == (status, "")
    assert told in ended.err


def test_of_a_huge_email_the_header_is_enough(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "huge.eml"
    with file.open("wb") as writing:
        writing.write(GMAIL)
        writing.truncate(100 * 1024**2)
    assert desk("arrived", str(file)).status == 0


def test_forged_results_are_named_and_not_counted(desk: Desk) -> None:
    ended = desk("arrived", "-", "--json", stdin=FORGED)
    document = json.loads(ended.out)
    assert (document["belief"], document["ignored"]) == ("disbelieved", ["mx.google.com"])
    assert "not counted: mx.google.com" in desk("arrived", "-", stdin=FORGED).out


def test_json(desk: Desk) -> None:
    ended = desk("arrived", "-", "--json", stdin=GMAIL)
    document = json.loads(ended.out)
    assert (document["schema"], document["belief"]) == ("smtp-desk/arrived/1", "believed")
    assert [hop["tls"] for hop in document["hops"]] == [True, True, False]


def test_what_was_not_received_and_what_cannot_be_read(desk: Desk, tmp_path: Path) -> None:
    assert desk("arrived", "-", stdin=b"From: a@example.org\n\nHello\n").status == 69
    assert desk("arrived", "-", stdin=b"{}").status == 65
    assert desk("arrived", str(tmp_path / "missing.eml")).status == 65
    assert desk("arrived").status == 64
