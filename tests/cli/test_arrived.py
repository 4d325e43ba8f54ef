"""`arrived`: a received email explained by its header."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.core.test_arrived import GMAIL

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
        "The receiver believed that the email comes from its From domain.",
    )
    assert "DKIM: pass, example.org, selector s2026" in lines
    assert any("mail.example.org to mx.google.com, ESMTPS, TLS 1.3" in line for line in lines)


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
