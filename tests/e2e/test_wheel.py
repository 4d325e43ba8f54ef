"""The wheel and the sdist: built, installed into a fresh environment, and used from there."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk import __version__
from tests.e2e.environments import make_environment
from tests.servers.dns import NameServer

if TYPE_CHECKING:
    from tests.e2e.causes import Cause

pytestmark = [
    pytest.mark.xdist_group("wheel"),
    pytest.mark.skipif(sys.platform == "win32", reason="environments of links"),
]
ROOT: Final = Path(__file__).parents[2]
_SECONDS: Final = 110.0
SETTINGS: Final = (
    *("--host", "127.0.0.1", "--port", "1"),
    *("--from-email", "desk@example.test", "--no-login"),
)
"""Of a server that nothing listens for."""


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and its wheel, built by the recipe from nothing but the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        ["sh", str(ROOT / "packaging" / "wheel"), str(folder)],
        env={**os.environ, "PYTHON": sys.executable},
        check=True,
        capture_output=True,
        timeout=_SECONDS,
    )
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    """The wheel."""
    (built,) = distributions.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def environments(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the programs of an environment that has the wheel with one extra; "" for none."""
    return functools.cache(
        lambda extra: make_environment(tmp_path_factory.mktemp(extra or "base"), wheel, extra)
    )


@pytest.fixture
def installed(environments: Callable[[str], Path]) -> Path:
    """Programs of an environment that has the wheel with all extras."""
    return environments("all")


def run(
    programs: Path, *arguments: str, home: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [programs / "smtp-desk", *arguments],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        cwd=programs,
        env={
            "SMTP_DESK_HOME": str(home),
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            **environment,
        },
    )


def test_it_holds_the_package_and_its_resources_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    outside = {name.split("/")[0] for name in names}
    assert outside == {"smtp_desk", f"smtp_desk-{__version__}.dist-info"}
    for resource in ("findings/auth.toml", "providers/mail_services.toml", "icons/eye.svg"):
        assert f"smtp_desk/resources/{resource}" in names
    assert "smtp_desk/py.typed" in names
    assert f"smtp_desk-{__version__}.dist-info/licenses/LICENSE" in names
    assert not [name for name in names if name.endswith(".pyc")]


def test_both_are_the_same_built_again_elsewhere_from_the_sdist(
    distributions: Path, tmp_path: Path
) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    subprocess.run(
        ["tar", "-xf", sdist, "-C", tmp_path], check=True
    )  # Python 3.11.2 has no filters
    again = "from hatchling.build import *; import sys; build_sdist(sys.argv[1]); "
    subprocess.run(
        [sys.executable, "-c", again + "build_wheel(sys.argv[1])", str(tmp_path)],
        cwd=tmp_path / sdist.name.removesuffix(".tar.gz"),
        check=True,
        capture_output=True,
        timeout=_SECONDS,
    )
    for built in distributions.iterdir():
        assert (tmp_path / built.name).read_bytes() == built.read_bytes(), built.name


def test_every_resource_of_the_tree_is_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    resources = (path for path in (ROOT / "resources").rglob("*") if path.is_file())
    for path in resources:
        assert f"smtp_desk/resources/{path.relative_to(ROOT / 'resources').as_posix()}" in names


def test_the_program_runs_from_the_environment_and_not_from_the_tree(installed: Path) -> None:
    program = "import smtp_desk; from smtp_desk.store.resources import resource_path; "
    program += "print(smtp_desk.__file__, resource_path('findings'))"
    done = subprocess.run(
        [installed / "python", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=installed,
    )
    for path in done.stdout.split():
        assert Path(path).is_relative_to(installed.parent)


def test_version(installed: Path, tmp_path: Path) -> None:
    done = run(installed, "--version", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"SMTP Desk {__version__}\n")


@pytest.mark.parametrize("extra", ["sandbox", "all"])
def test_the_demo_needs_the_sandbox_alone(
    environments: Callable[[str], Path], tmp_path: Path, extra: str
) -> None:
    done = run(environments(extra), "demo", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Test email sent successfully" in done.stdout.splitlines()
    assert "code: auth.rejected" in done.stdout.splitlines()


COMMANDS: Final[dict[str, list[tuple[str, ...]]]] = {
    "desk": [()],
    "sandbox": [("sandbox",), ("demo",)],
}
"""What each extra is needed for."""


@pytest.mark.parametrize("extra", ["", "desk", "sandbox"])
def test_a_command_names_the_extra_that_it_lacks(
    environments: Callable[[str], Path], tmp_path: Path, extra: str
) -> None:
    for lacking in COMMANDS.keys() - {extra}:
        for command in COMMANDS[lacking]:
            done = run(environments(extra), *command, home=tmp_path)
            assert done.returncode == 69
            assert f'python -m pip install "smtp-desk[{lacking}]"' in done.stdout + done.stderr
            assert "Traceback" not in done.stderr


def test_what_needs_no_extra_works_without_any(
    environments: Callable[[str], Path], tmp_path: Path
) -> None:
    programs = environments("")
    for command, status, text in [
        (("--help",), 0, "sandbox"),
        (("sandbox", "--help"), 0, "Run a mail server"),
        (("show",), 78, ""),
        (("send", "--list"), 0, "invitation"),
        (("check", *SETTINGS), 69, "connect.refused"),
        (("status",), 78, "Outbox: empty"),
    ]:
        done = run(programs, *command, home=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (status, False), done
        assert text in done.stdout
    library = "import smtp_desk.sender.testing; from smtp_desk.sender import Sender"
    subprocess.run([programs / "python", "-c", library], check=True, timeout=_SECONDS)


def test_what_sends_from_many_machines_is_small_and_has_no_window(
    environments: Callable[[str], Path], tmp_path: Path
) -> None:
    programs = environments("postgres")
    library = "import smtp_desk.sender.outbox.handovers, smtp_desk.sender.storage, sys"
    program = f"{library}; from smtp_desk.sender import Sender; print(*sys.modules)"
    done = subprocess.run(
        [programs / "python", "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "psycopg" in loaded
    assert not loaded & {"PySide6", "shiboken6"}
    (packages,) = (programs.parent / "lib").glob("python*/site-packages")
    files = [file for file in packages.rglob("*") if file.is_file()]
    assert not [file for file in files if "PySide6" in str(file)]
    octets = sum(file.stat().st_size for file in files if "__pycache__" not in file.parts)
    assert octets < 45_000_000
    url = {"SMTP_DESK_OUTBOX": "postgresql://desk@127.0.0.1:1/mail"}
    for environment, status, text in (
        (url, 75, "The outbox database mail on 127.0.0.1 can’t be used"),
        ({"SMTP_DESK_OUTBOX": "postgresql://desk:s3cret@127.0.0.1:1/mail"}, 78, "a password"),
    ):
        ended = run(programs, "outbox", "list", home=tmp_path, **environment)
        assert (ended.returncode, text in ended.stderr) == (status, True), ended
        assert "s3cret" not in ended.stdout + ended.stderr


def test_a_shared_outbox_names_the_part_that_it_lacks(
    environments: Callable[[str], Path], tmp_path: Path
) -> None:
    url = "postgresql://desk@127.0.0.1:1/mail"
    ended = run(environments(""), "outbox", "list", home=tmp_path, SMTP_DESK_OUTBOX=url)
    assert ended.returncode == 69
    assert 'python -m pip install "smtp-desk[postgres]"' in ended.stderr


@pytest.mark.cause("settings.part_missing", stage="settings", status=69)
def test_what_lacks_an_extra_ends_with_its_cause(
    environments: Callable[[str], Path], tmp_path: Path, cause: Cause
) -> None:
    done = run(environments(""), "sandbox", home=tmp_path)
    cause.told_in_words(done.returncode, done.stderr, part="sandbox")


def test_the_from_domain_is_asked_about_without_any(
    environments: Callable[[str], Path], tmp_path: Path
) -> None:
    with NameServer({}) as dns:
        arguments = (*SETTINGS, "--domain", "--json", "--resolver", f"{dns.host}:{dns.port}")
        done = run(environments(""), "check", *arguments, home=tmp_path)
    report = json.loads(done.stdout)
    asked = [stage["facts"] for stage in report["stages"] if stage["stage"] == "resolve"]
    assert asked[0]["from_domain"] == "example.test"
    assert asked[0]["domain_exists"] is False


def test_the_window_opens_with_its_extra_alone(
    environments: Callable[[str], Path], tmp_path: Path
) -> None:
    """And says what is missing where more is asked for."""
    program = """
        import sys
        from pathlib import Path
        from PySide6.QtWidgets import QMessageBox
        from smtp_desk.app.services import Services
        from smtp_desk.ui.application import SandboxOpener, make_application
        from smtp_desk.ui.desk import Desk
        told = []
        QMessageBox.warning = lambda _window, _title, text: told.append(text)
        application = make_application(sys.argv)
        desk = Desk(lambda: Services.sandbox(Path(sys.argv[1])))
        opener = SandboxOpener(desk)
        def furnished():
            desk.sandbox_wanted.emit()
            desk.window.close()
        desk.furnished.connect(furnished)
        desk.closed.connect(application.quit)
        desk.window.show()
        application.exec()
        desk.close()
        print(*told)
    """
    done = subprocess.run(
        [environments("desk") / "python", "-c", textwrap.dedent(program), str(tmp_path)],
        env={"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    assert 'pip install "smtp-desk[sandbox]"' in done.stdout
