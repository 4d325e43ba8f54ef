"""What desktops and `man` read of the program: valid, and true of it."""

from __future__ import annotations

import configparser
import gzip
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

import click
import pytest
from defusedxml import ElementTree

from smtp_desk.cli.main import cli
from smtp_desk.core.translation import ENGLISH, install
from smtp_desk.ui.application import APP_ID
from tests.cli.reports import REPORT
from tests.pseudo import CODE, Pseudo
from tests.servers import parts

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGING: Final = ROOT / "packaging"
RESOURCES: Final = ROOT / "resources"
DESKTOP_FILE: Final = RESOURCES / f"{APP_ID}.desktop"
METAINFO: Final = RESOURCES / f"{APP_ID}.metainfo.xml"
MIME: Final = RESOURCES / f"{APP_ID}.mime.xml"
REPORT_TYPE: Final = "application/vnd.smtp-desk.report+json"


def finds_nothing(*command: str) -> None:
    """Run a validator, which must be content."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.needs("freedesktop")
def test_the_desktop_file_is_valid() -> None:
    finds_nothing(parts.program("desktop-file-validate"), "--warn-kde", str(DESKTOP_FILE))


@pytest.mark.needs("freedesktop")
def test_the_metainfo_is_valid() -> None:
    finds_nothing(parts.program("appstreamcli"), "validate", "--no-net", str(METAINFO))


def test_all_of_them_name_the_same_program_and_type() -> None:
    desktop = configparser.ConfigParser(interpolation=None)
    desktop.read(DESKTOP_FILE, "utf-8")
    entry = desktop["Desktop Entry"]
    assert entry["Exec"] == "smtp-desk open %f"
    assert entry["MimeType"] == f"{REPORT_TYPE};"
    metainfo: Element = ElementTree.parse(METAINFO).getroot()
    assert metainfo.findtext("id") == APP_ID
    assert metainfo.findtext("launchable") == DESKTOP_FILE.name
    assert metainfo.findtext("provides/mediatype") == REPORT_TYPE
    (kind,) = ElementTree.parse(MIME).getroot()
    assert kind.get("type") == REPORT_TYPE
    assert (RESOURCES / "icons" / f"{entry['Icon']}.svg").is_file()


@pytest.fixture(scope="module")
def data_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of shared data with the type of reports."""
    parts.require("freedesktop")
    folder = tmp_path_factory.mktemp("share")
    packages = folder / "mime" / "packages"
    packages.mkdir(parents=True)
    shutil.copy(MIME, packages / f"{APP_ID}.xml")
    subprocess.run(
        [parts.program("update-mime-database"), str(folder / "mime")],
        env={**os.environ, "XDG_DATA_HOME": str(folder)},
        timeout=60,
        check=True,
    )
    return folder


def test_reports_have_a_type_of_their_own_by_name_and_by_content(
    data_home: Path, tmp_path: Path
) -> None:
    document = REPORT.to_json()
    files = {
        "report.smtpdesk": ("", REPORT_TYPE),
        "compact": (json.dumps(document), REPORT_TYPE),
        "indented": (json.dumps(document, indent=2), REPORT_TYPE),
        "other": (json.dumps({"schema": "smtp-desk/find/1"}), None),
        "settings.json": (json.dumps({"schema": "other"}), None),
    }
    for name, (text, _) in files.items():
        (tmp_path / name).write_text(text)
    program = "import sys; from PySide6.QtCore import QMimeDatabase as Database\n"
    program += "for file in sys.argv[1:]: print(Database().mimeTypeForFile(file).name())"
    done = subprocess.run(
        [sys.executable, "-c", program, *files],
        env={**os.environ, "XDG_DATA_HOME": str(data_home), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = zip(files.items(), done.stdout.splitlines(), strict=True)
    for (name, (_, wanted)), kind in found:
        assert (kind == REPORT_TYPE) is (wanted is not None), (name, kind)


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("man")
    runpy.run_path(str(PACKAGING / "man.py"))["write_pages"](folder)
    return folder


def test_every_command_has_a_page_with_all_its_options(manual: Path) -> None:
    commands = {"smtp-desk": cli} | dict(below("smtp-desk", cli))
    assert {file.name for file in manual.iterdir()} == {f"{name}.1.gz" for name in commands}
    for name, command in commands.items():
        text = gzip.decompress((manual / f"{name}.1.gz").read_bytes()).decode()
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                for option in parameter.opts:
                    assert option.replace("-", "\\-") in text, (name, option)
        assert ".SH EXIT STATUS" in text
        assert re.search(r"^\.SH NAME\nsmtp\S+ \\- \w", text, re.MULTILINE), name


def test_each_language_has_its_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def speak(code: str) -> None:
        install(code, Pseudo() if code == CODE else None)

    monkeypatch.setattr("smtp_desk.store.translations.speak", speak)
    try:
        write = runpy.run_path(str(PACKAGING / "man.py"))["write_manual"]
        write(tmp_path, [CODE, ENGLISH])
    finally:
        install(ENGLISH, None)
    names = {file.name for file in (tmp_path / "man1").iterdir()}
    assert {file.name for file in (tmp_path / CODE / "man1").iterdir()} == names
    text = gzip.decompress((tmp_path / CODE / "man1" / "smtp-desk-show.1.gz").read_bytes()).decode()
    headings = re.findall(r"^\.SH (.*)", text, re.MULTILINE)
    assert len(headings) == 9
    assert [each for each in headings if not each.startswith("⟦")] == []
    assert "⟦" not in gzip.decompress((tmp_path / "man1" / "smtp-desk.1.gz").read_bytes()).decode()


def below(name: str, group: click.Group) -> list[tuple[str, click.Command]]:
    context = click.Context(group)
    found = list[tuple[str, click.Command]]()
    for each in group.list_commands(context):
        command = group.get_command(context, each)
        assert command is not None
        found.append((f"{name}-{each}", command))
        if isinstance(command, click.Group):
            found += below(f"{name}-{each}", command)
    return found


def test_the_pages_are_the_same_each_time(manual: Path, tmp_path: Path) -> None:
    runpy.run_path(str(PACKAGING / "man.py"))["write_pages"](tmp_path)
    for file in manual.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


@pytest.mark.needs("man")
@pytest.mark.parametrize("name", ["smtp-desk", "smtp-desk-check"])
def test_man_shows_a_page_without_complaint(manual: Path, name: str) -> None:
    page = str(manual / f"{name}.1.gz")
    done = subprocess.run(
        [parts.program("man"), "--warnings", "-E", "UTF-8", "-P", "cat", "-l", page],
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == b""
    assert name.upper() in done.stdout.decode()


def test_a_line_that_looks_like_a_request_is_text() -> None:
    escaped = runpy.run_path(str(PACKAGING / "man.py"))["_escaped"]
    assert escaped(".TH\n'so a\\b --c") == "\\&.TH\n\\&'so a\\(rsb \\-\\-c"


def test_the_icon_is_drawn_in_each_size(tmp_path: Path) -> None:
    runpy.run_path(str(PACKAGING / "icons.py"))["draw_icons"](tmp_path)
    for size in (16, 48, 256):
        png = (tmp_path / f"{size}x{size}" / "apps" / "smtp-desk.png").read_bytes()
        assert int.from_bytes(png[16:20]) == int.from_bytes(png[20:24]) == size
