"""Reports as files."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from smtp_desk.app.diagnostics import report_file
from smtp_desk.app.diagnostics.report_file import load_report, report_octets, save_report
from smtp_desk.core.report_reader import MAX_BYTES, ReportFormatError
from tests.cli.reports import REPORT


def test_what_was_saved_is_read_back_and_nobody_else_may(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    save_report(file, REPORT)
    assert load_report(file) == REPORT
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes in its file system")
def test_a_pipe_takes_it_and_stays_one(tmp_path: Path) -> None:
    """So does a device: as root, a new file in the place of /dev/null would break the system."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):
        save_report(pipe, REPORT)
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        save_report(pipe, REPORT)
        assert pipe.is_fifo()
        assert reader.read() == report_octets(REPORT)
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes in its file system")
def test_a_system_that_lets_nobody_choose_whether_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has NUL, but not these flags."""
    monkeypatch.setattr(report_file, "_NO_WAIT", 0)
    monkeypatch.delattr(os, "set_blocking")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        save_report(pipe, REPORT)
        assert reader.read() == report_octets(REPORT)


def test_half_a_surrogate_pair_is_no_reason_to_lose_a_report(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    save_report(file, replace(REPORT, settings={"host": "a\udc80"}))
    assert load_report(file).settings == {"host": "a\\udc80"}


def test_what_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(OSError, match="larger"):
        load_report(file)


def test_half_a_report_is_none(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    save_report(file, REPORT)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ReportFormatError, match="not all of it"):
        load_report(file)
