"""The bundle and the .deb: built by their recipes, installed and used on a clean Debian.

As it takes minutes, `make soak` runs it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk import __version__
from tests.cli.reports import REPORT
from tests.servers import parts
from tests.servers.child import Child

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.display import Display

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("installed")]

PACKAGING: Final = Path(__file__).resolve().parents[2] / "packaging"
REPORT_TYPE: Final = "application/vnd.smtp-desk.report+json"
_LARGEST: Final = 120_000_000
_IN_ROOT: Final = (
    *("ca-certificates", "desktop-file-utils", "libfile-mimeinfo-perl", "man-db"),
    *("shared-mime-info", "xdg-utils"),
)
_ENTER: Final = """
set -e
mount -t proc proc "$0/proc"
mkdir -p "$0/tmp/.X11-unix"
[ ! -d /tmp/.X11-unix ] || mount --bind /tmp/.X11-unix "$0/tmp/.X11-unix"
exec chroot "$0" "$@"
"""


_HOME: Final = "/srv/home"
# The quickest compression: what fits so fits with the usual one, too.
_QUICK: Final = {"XZ_LEVEL": "1"}
_ELSEWHERE: Final = ("sh", "-c", 'umask 077; exec "$@"', "sh")


def call(*command: str | Path, **environ: str) -> str:
    """Run a recipe or a tool that must succeed, and return what it printed."""
    done = subprocess.run(
        command,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


class Root:
    """A Debian of its own in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entering(self, *command: str) -> tuple[str, ...]:
        """The command in the root, with /proc and the screens of this machine."""
        return ("unshare", "--mount", "sh", "-c", _ENTER, str(self.folder), *command)

    def environ(self, **more: str) -> dict[str, str]:
        path = "/usr/sbin:/usr/bin:/sbin:/bin"
        fixed = {"PATH": path, "HOME": _HOME, "LC_ALL": "C.UTF-8"}
        return {**fixed, "DEBIAN_FRONTEND": "noninteractive", **more}

    def ended(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.entering(*command),
            env=self.environ(**environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *command: str, **environ: str) -> str:
        """Run what must succeed."""
        ended = self.ended(*command, **environ)
        assert ended.returncode == 0, (command, ended.stdout, ended.stderr)
        return ended.stdout

    def take(self, file: Path, name: str) -> str:
        """Copy a file into the root, and return its path there."""
        shutil.copy(file, self.folder / "srv" / name)
        return f"/srv/{name}"

    def files(self) -> set[str]:
        """What the program's package left, by path; not the copies that these tests made."""
        found = self.run("find", "/", "-xdev", "-iname", "*smtp*desk*")
        places = ("/etc/", "/opt", "/usr/", "/var/lib/", "/var/log/")
        return {name for name in found.splitlines() if name.startswith(places)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle, unpacked, packed and as one file."""
    folder = tmp_path_factory.mktemp("bundle")
    call(PACKAGING / "bundle" / "build", folder, PYTHON=sys.executable, **_QUICK)
    return folder


@pytest.fixture(scope="module")
def single_file(built: Path) -> Path:
    return built / f"smtp-desk-{__version__}-linux-{platform.machine()}"


@pytest.fixture(scope="module")
def deb(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deb")
    return build_deb(built, folder)


def build_deb(bundle: Path, folder: Path, *before: str, **environ: str) -> Path:
    recipe = PACKAGING / "deb" / "build"
    variables = {"PYTHON": sys.executable, **_QUICK, **environ}
    call(*before, recipe, bundle / "smtp-desk", folder, **variables)
    (package,) = folder.glob("*.deb")
    return package


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """A minimal Debian of the release that this machine has."""
    parts.require("clean_root")
    folder = tmp_path_factory.mktemp("root")
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    call("debootstrap", "--variant=minbase", f"--include={','.join(_IN_ROOT)}", release, folder)
    shutil.copy("/etc/resolv.conf", folder / "etc")
    (folder / _HOME[1:]).mkdir()
    # What an installer writes, and debootstrap does not.
    (folder / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
    yield Root(folder)
    shutil.rmtree(folder, ignore_errors=True)


def plays_the_demo(output: str) -> bool:
    lines = output.splitlines()
    return "Test email sent successfully" in lines and "code: auth.rejected" in lines


@pytest.mark.parametrize("form", ["folder", "file"])
def test_the_bundle_plays_the_demo_where_no_python_is(
    built: Path, single_file: Path, root: Root, form: str
) -> None:
    assert root.ended("sh", "-c", "command -v python3").returncode != 0
    place = root.folder / "srv" / form
    if form == "folder":
        shutil.copytree(built / "smtp-desk", place, symlinks=True)
        command = f"/srv/{form}/smtp-desk"
    else:
        shutil.copy(single_file, place)
        command = f"/srv/{form}"
    assert root.run(command, "--version") == f"SMTP Desk {__version__}\n"
    assert plays_the_demo(root.run(command, "demo"))
    # The processes that it starts itself are the bundle again.
    ended = root.ended(command, "-m", "smtp_desk", "outbox", "list", SMTP_DESK_HOME="/srv/desk")
    assert (ended.returncode, "No emails yet." in ended.stdout + ended.stderr) == (0, True)
    ended = root.ended(command, "-m", "http.server")
    assert (ended.returncode, ended.stderr) == (1, "http.server is no module of smtp_desk\n")


def test_both_are_below_120_mb(built: Path, single_file: Path) -> None:
    (packed,) = built.glob("*.tar.xz")
    assert max(packed.stat().st_size, single_file.stat().st_size) < _LARGEST


def contents(folder: Path) -> dict[str, bytes | Path]:
    """What is in a folder, by name: content, or where a link leads."""
    return {
        str(file.relative_to(folder)): file.readlink() if file.is_symlink() else file.read_bytes()
        for file in folder.rglob("*")
        if file.is_symlink() or file.is_file()
    }


def test_built_again_elsewhere_each_is_the_same(built: Path, deb: Path, tmp_path: Path) -> None:
    """In other folders, with another umask, time zone and language."""
    again, elsewhere, packages = (tmp_path / name for name in ("again", "elsewhere", "deb"))
    elsewhere.mkdir()
    environ = {"TMPDIR": str(elsewhere), "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
    recipe = PACKAGING / "bundle" / "build"
    call(*_ELSEWHERE, recipe, again, PYTHON=sys.executable, **_QUICK, **environ)
    first, second = contents(built / "smtp-desk"), contents(again / "smtp-desk")
    assert [name for name in first | second if first.get(name) != second.get(name)] == []
    made = {file.name for file in built.iterdir() if file.is_file()}
    assert len(made) == 2
    different = [
        name for name in made if (built / name).read_bytes() != (again / name).read_bytes()
    ]
    assert different == []
    other = build_deb(again, packages, *_ELSEWHERE, **environ)
    assert (other.name, other.read_bytes() == deb.read_bytes()) == (deb.name, True)


def test_the_licenses_of_all_that_is_in_the_bundle_are_in_it(built: Path) -> None:
    licenses = built / "smtp-desk" / "_internal" / "licenses"
    named = [folder.name.lower().rpartition("-")[0] for folder in licenses.iterdir()]
    assert {"cryptography", "keyring", "jinja2", "psycopg"} <= set(named)


def test_lintian_finds_nothing_but_what_is_named_with_a_reason(deb: Path) -> None:
    parts.require("clean_root")
    assert call("lintian", "--no-cfg", "--fail-on", "error,warning", deb, LC_ALL="C.UTF-8") in (
        "",
        "running with root privileges is not recommended!\n",
    )


@pytest.fixture(scope="module")
def installed(root: Root, deb: Path) -> Root:
    """The root with the .deb installed, and what it depends on."""
    package = root.take(deb, "smtp-desk.deb")
    root.run("apt-get", "-q", "update")
    root.run("apt-get", "-qy", "install", "--no-install-recommends", package)
    return root


def test_the_installed_program_plays_the_demo(installed: Root) -> None:
    assert plays_the_demo(installed.run("smtp-desk", "demo"))


def test_a_report_opens_by_double_click(
    installed: Root, x_display: Display, tmp_path: Path
) -> None:
    """As file managers do: the type by name, the program by type, the window with the file."""
    file = tmp_path / "customer.smtpdesk"
    file.write_text(json.dumps(REPORT.to_json()))
    report = installed.take(file, file.name)
    assert installed.run("xdg-mime", "query", "default", REPORT_TYPE).strip() == (
        "org.smtp_desk.SmtpDesk.desktop"
    )
    assert installed.run("xdg-mime", "query", "filetype", report).strip() == REPORT_TYPE
    environ = installed.environ(DISPLAY=x_display.name)
    opening: subprocess.Popen[bytes] = Child(
        installed.entering("xdg-open", report),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )
    with opening as opened:
        x_display.focus("SMTP Desk")
        x_display.xdotool("key", "alt+F4")
        _, err = opened.communicate(timeout=120)
    assert b"Traceback" not in err


def test_upgraded_removed_and_purged_it_leaves_nothing(
    installed: Root, deb: Path, tmp_path: Path
) -> None:
    newer = tmp_path / "newer"
    call("dpkg-deb", "-R", deb, newer)
    control = newer / "DEBIAN" / "control"
    control.write_text(control.read_text().replace("Version: ", "Version: 9", 1))
    call("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", newer, tmp_path / "9.deb")
    package = installed.take(tmp_path / "9.deb", "newer.deb")
    installed.run("apt-get", "-qy", "install", "--no-install-recommends", package)
    version = installed.run("dpkg-query", "-W", "-f", "${Version} ${Status}", "smtp-desk")
    assert version == f"9{__version__}-1 install ok installed"
    assert installed.run("smtp-desk", "--version") == f"SMTP Desk {__version__}\n"
    kept = ("/etc/smtp-desk", "/var/lib/smtp-desk", "/var/log/smtp-desk")
    installed.run("mkdir", *kept)
    installed.run("apt-get", "-qy", "remove", "smtp-desk")
    assert installed.files() - set(kept) <= {
        f"/var/lib/dpkg/info/smtp-desk.{name}" for name in ("list", "postrm")
    }
    assert installed.ended("dpkg", "--purge", "smtp-desk").stderr == ""
    assert installed.files() == set()
