"""Which programs can be the machine's MTA."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.routes.default import USUAL_SENDMAIL, sendmail_problem

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sendmail")


def program(path: Path, text: str = "#!/bin/sh\nexec /usr/lib/other-mta\n") -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_program_by_its_whole_path(tmp_path: Path) -> None:
    assert sendmail_problem(f"  {program(tmp_path / 'sendmail')} ") == ""


def test_what_can_not_be_one_is_said(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("no program")
    for text, words in (
        ("", USUAL_SENDMAIL),
        (" ", USUAL_SENDMAIL),
        ("sendmail", "the full path"),
        ("./sendmail", "the full path"),
        ("/usr/sbin/send\nmail", "control character"),
        (str(tmp_path / "none"), "doesn’t exist"),
        (f"/{'x' * 5000}", "doesn’t exist"),
        (str(tmp_path), "isn’t an executable program"),
        (str(data), "isn’t an executable program"),
    ):
        assert words in sendmail_problem(text), text


def test_we_are_never_our_own_mta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = program(tmp_path / "entry", "#!/bin/sh\n")
    monkeypatch.setattr(sys, "argv", [str(own)])
    link, chain, hard = tmp_path / "sendmail", tmp_path / "mta", tmp_path / "hard"
    link.symlink_to(own)
    chain.symlink_to(link)
    os.link(own, hard)
    for path in (own, link, chain, hard):
        assert "SMTP Desk itself" in sendmail_problem(str(path))
