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
    with pytest.raises(ReportFormatError, match="isn’t complete JSON"):
        load_report(file)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
@pytest.mark.parametrize("folder_mode", [0o700, 0o755, 0o1777])
def test_no_link_or_pipe_of_somebody_else_takes_it(tmp_path: Path, folder_mode: int) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(folder_mode)
    (tmp_path / "victim").write_text("precious")
    for target in ("victim", "fresh", "victim/below"):
        link = folder / "report.json"
        link.symlink_to(tmp_path / target)
        os.chown(link, 4242, 4242, follow_symlinks=False)
        with pytest.raises(PermissionError, match="is a link owned by user 4242"):
            save_report(link, REPORT)
        link.unlink()
    pipe = folder / "pipe"
    os.mkfifo(pipe, 0o666)
    os.chown(pipe, 4242, 4242)
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        with pytest.raises(PermissionError, match="is a pipe owned by user 4242"):
            save_report(pipe, REPORT)
        assert reader.read() == b""
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "fresh").exists()


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="has no such device")
def test_links_to_a_device_are_followed(tmp_path: Path) -> None:
    (tmp_path / "nothing").symlink_to("/dev/null")
    save_report(tmp_path / "nothing", REPORT)
    assert (tmp_path / "nothing").is_char_device()
