"""Managed defaults: who is believed, what they fill in, what they lock, what they never hold."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import cast

import pytest

from smtp_desk.core.problems import Field
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.system import System
from smtp_desk.store.managed import (
    Managed,
    ManagedError,
    NotManaged,
    _is_trusted,
    decode_managed,
    read_managed,
)
from tests.table import each_row

HEAD = 'schema = "smtp-desk/managed/1"\n'
WHOLE = (
    HEAD
    + """
contact = "it@example.org"
locked = ["host", "port"]
[server]
host = "smtp.example.org"
port = 465
from_name = "Example Ltd"
"""
)
ME = os.getuid() if hasattr(os, "getuid") else 0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir(mode=0o755)
    path = folder / "managed.toml"
    path.write_text(WHOLE, "utf-8")
    path.chmod(0o644)
    return path


def refused(path: Path, owner: int = ME) -> NotManaged:
    with pytest.raises(ManagedError) as told:
        read_managed(path, owner=owner)
    return told.value.why


def test_a_file_is_read(file: Path) -> None:
    managed = read_managed(file, owner=ME)
    assert managed.values == {
        Field.HOST: "smtp.example.org",
        Field.PORT: "465",
        Field.FROM_NAME: "Example Ltd",
    }
    assert managed.locked == {Field.HOST, Field.PORT}
    assert managed.contact == "it@example.org"


class Stat:
    """A file or folder as Windows tells of it: no owner, no mode worth anything."""

    def __init__(self, mode: int, attributes: int) -> None:
        self.st_mode = mode
        self.st_file_attributes = attributes


@pytest.mark.parametrize("mode", [0o644, 0o666])
def test_on_windows_its_place_is_believed_and_no_owner_is_asked(file: Path, mode: int) -> None:
    file.chmod(mode)
    file.parent.chmod(0o777)
    managed = read_managed(file, owner=ME + 1, system=System.WINDOWS)
    assert managed.locked == {Field.HOST, Field.PORT}


def test_on_windows_what_leads_elsewhere_is_not_believed(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "managed.toml"
    link.symlink_to(file)
    with pytest.raises(ManagedError) as told:
        read_managed(link, system=System.WINDOWS)
    assert told.value.why is NotManaged.UNTRUSTED


@pytest.mark.parametrize(
    ("kind", "attributes", "trusted"),
    [
        (stat.S_IFREG, stat.FILE_ATTRIBUTE_ARCHIVE, True),
        (stat.S_IFDIR, stat.FILE_ATTRIBUTE_DIRECTORY, True),
        (stat.S_IFDIR, stat.FILE_ATTRIBUTE_DIRECTORY | stat.FILE_ATTRIBUTE_REPARSE_POINT, False),
        (stat.S_IFLNK, stat.FILE_ATTRIBUTE_REPARSE_POINT, False),
    ],
)
def test_a_junction_of_windows_leads_elsewhere(
    kind: int, attributes: int, *, trusted: bool
) -> None:
    found = cast("os.stat_result", Stat(kind | 0o777, attributes))
    assert _is_trusted(found, 0, System.WINDOWS) is trusted


def test_without_a_file_nothing_is_managed(tmp_path: Path) -> None:
    assert read_managed(tmp_path / "none" / "managed.toml") == Managed()
    assert read_managed(tmp_path / "managed.toml") == Managed()


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_can_write_is_not_believed(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert refused(file) is NotManaged.UNTRUSTED


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_folder_that_others_can_write_is_not_believed(file: Path, mode: int) -> None:
    file.parent.chmod(mode)
    assert refused(file) is NotManaged.UNTRUSTED


def test_a_file_of_somebody_else_is_not_believed(file: Path) -> None:
    assert refused(file, owner=ME + 1) is NotManaged.UNTRUSTED


def test_a_link_is_not_believed(file: Path) -> None:
    link = file.parent / "link.toml"
    link.symlink_to(file)
    assert refused(link) is NotManaged.UNTRUSTED


def test_a_pipe_is_not_waited_for(file: Path) -> None:
    pipe = file.parent / "pipe.toml"
    os.mkfifo(pipe, 0o644)
    assert refused(pipe) is NotManaged.UNTRUSTED


def test_a_file_without_end_is_not_read(file: Path) -> None:
    file.write_bytes(b"#" * 70000)
    assert refused(file) is NotManaged.UNREADABLE


@each_row(
    ("text", "why"),
    [
        ("", NotManaged.MALFORMED),
        ('schema = "smtp-desk/managed/2"', NotManaged.MALFORMED),
        ("[", NotManaged.MALFORMED),
        ("a = " + "[" * 5000, NotManaged.MALFORMED),
        (HEAD + '[server]\npassword = "x"', NotManaged.UNKNOWN_KEY),
        (HEAD + '[server]\nca_file = "/tmp/x"', NotManaged.UNKNOWN_KEY),
        (HEAD + '[default]\nsendmail_path = "/tmp/x"', NotManaged.UNKNOWN_KEY),
        (HEAD + 'alerts = ["https://x"]', NotManaged.UNKNOWN_KEY),
        (HEAD + "server = 1", NotManaged.BAD_VALUE),
        (HEAD + "[server]\nhost = 1", NotManaged.BAD_VALUE),
        (HEAD + '[server]\nport = "465"', NotManaged.BAD_VALUE),
        (HEAD + '[server]\nhost = "a\\nb"', NotManaged.BAD_VALUE),
        (HEAD + 'locked = ["host"]', NotManaged.BAD_VALUE),
        (HEAD + 'locked = "host"\n[server]\nhost = "x"', NotManaged.BAD_VALUE),
        (HEAD + 'locked = ["password"]\n[server]\nhost = "x"', NotManaged.BAD_VALUE),
        (HEAD + "contact = 1", NotManaged.BAD_VALUE),
    ],
)
def test_what_it_never_holds(text: str, why: NotManaged) -> None:
    with pytest.raises(ManagedError) as told:
        decode_managed(text.encode())
    assert told.value.why is why


def test_defaults_fill_what_nobody_typed() -> None:
    managed = decode_managed(WHOLE.encode())
    assert managed.fill(SettingsDraft()) == SettingsDraft(
        host="smtp.example.org", port="465", from_name="Example Ltd"
    )
    typed = SettingsDraft(host="mail.example.org", port="2525", from_name="Ann")
    assert managed.fill(typed) == typed


@each_row(
    ("draft", "against"),
    [
        (SettingsDraft(host="smtp.example.org", port="465"), ()),
        (SettingsDraft(host=" SMTP.Example.Org ", port="465"), ()),
        (SettingsDraft(host="smtp.example.org", port="465", from_name="Ann"), ()),
        (SettingsDraft(host="smtp.example.org", port="587"), (Field.PORT,)),
        (SettingsDraft(host="mail.example.org", port="25"), (Field.HOST, Field.PORT)),
    ],
)
def test_locks_hold(draft: SettingsDraft, against: tuple[Field, ...]) -> None:
    assert decode_managed(WHOLE.encode()).against_locks(draft) == against
