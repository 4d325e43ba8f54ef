"""`show`, `enable`, `disable`, `remove`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.sender.routes.health import Usable
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.store.unattended import GivenSecrets, UnattendedCredentials
from tests.cli.desk import RECIPIENT, settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.desk import Desk


@pytest.fixture
def configured(desk: Desk, settings: list[str], password: bytes) -> Desk:
    """A desk with proven, saved settings; the switch is off."""
    ended = desk("configure", *settings, "--to", RECIPIENT, "--password-stdin", stdin=password)
    assert ended.status == 0
    return desk


def shown(desk: Desk) -> dict[str, str]:
    ended = desk("show")
    assert ended.status == 0
    return dict(line.split(": ", 1) for line in ended.out.splitlines())


def test_show_tells_all_but_the_password(configured: Desk, sandbox: Sandbox) -> None:
    told = shown(configured)
    assert told["SMTP server host"] == "localhost"
    assert told["Port"] == str(sandbox.starttls_port)
    assert told["Username"] == told["From email"] == sandbox.username
    assert told["Password"] == "in the keyring"
    assert told["From name"] == "Example Ltd"
    assert (told["Switch"], told["Proven"]) == ("off", "yes")
    assert told["CA certificate file"].startswith(str(configured.services.paths.config))
    assert sandbox.password.reveal() not in configured("show").out
    assert not [name for name in told if name.endswith("allows")]


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("smtp.office365.com", {"Microsoft 365 allows": "30 emails a minute, 10,000 recipients"}),
        ("smtp.dreamhost.com", {"DreamHost allows": "100 recipients an hour, and 100 an email"}),
        ("mail.gmx.net", {}),
    ],
)
def test_show_tells_what_the_provider_allows(
    configured: Desk, host: str, allowed: dict[str, str]
) -> None:
    file = configured.services.paths.settings_file
    file.write_text(file.read_text("utf-8").replace('host = "localhost"', f'host = "{host}"'))
    told = shown(configured)
    assert told["SMTP server host"] == host
    found = {name: text for name, text in told.items() if name.endswith("allows")}
    assert found.keys() == allowed.keys()
    for name, text in allowed.items():
        assert found[name].startswith(text)
        assert "(https://" in found[name]


def test_a_password_that_the_keyring_does_not_give_is_not_said_to_be_there(
    configured: Desk,
) -> None:
    configured("enable")
    server = configured.services.store.load().server
    assert server is not None
    configured.services.credentials.delete(server.key)
    told = shown(configured)
    assert told["Password"] == "not available"
    assert "password" in told["Status"].lower()


def test_a_password_that_was_given_may_be_in_no_keyring(configured: Desk) -> None:
    services = configured.services
    given = UnattendedCredentials(GivenSecrets(Secret("s3cret")), services.credentials)
    configured.services = dataclasses.replace(services, credentials=given)
    assert shown(configured)["Password"] == "in the keyring, or else the one passed to this command"


def test_the_switch(configured: Desk) -> None:
    on = configured("enable")
    words = "The switch is on.\nActive. System emails are sent through localhost.\n"
    assert (on.status, on.out) == (0, words)
    assert configured.services.store.load().enabled
    off = configured("disable")
    assert (off.status, off.out.split()[0]) == (0, "Off.")
    assert not configured.services.store.load().enabled


def test_an_outage_is_told(configured: Desk) -> None:
    configured("enable")
    configured.services.health.record_failure(CUSTOM, "connect.refused")
    words = "Unavailable, emails wait in the outbox since "
    assert shown(configured)["Status"].startswith(words)
    assert configured("disable").out.startswith("Off.")


@pytest.mark.parametrize("code", ["connect.refused", "auth.rejected"])
def test_enable_tries_a_server_again(configured: Desk, sandbox: Sandbox, code: str) -> None:
    configured("enable")
    configured.services.health.record_failure(CUSTOM, code)
    ended = configured("enable")
    assert ended.status == 0
    assert ended.out.splitlines() == [
        "The switch is on.",
        "The server works again. Emails in the outbox are queued to send now.",
        "Active. System emails are sent through localhost.",
    ]
    assert isinstance(configured.services.health.may_use(CUSTOM), Usable)
    assert len(sandbox.inbox.mails()) == 1  # the proof; a probe sends none


def test_enable_tells_a_server_that_still_fails(desk: Desk, tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        arguments = (*settings_of(sandbox, tmp_path / "ca.pem"), "--to", RECIPIENT)
        password = sandbox.password.reveal().encode()
        assert desk("configure", *arguments, "--password-stdin", stdin=password).status == 0
        assert desk("enable").status == 0
    desk.services.health.record_failure(CUSTOM, "auth.rejected")
    ended = desk("enable")
    assert ended.status == 0
    switch, tried, state = ended.out.splitlines()
    assert switch == "The switch is on."
    assert tried.startswith("Still unavailable. ")
    assert state.startswith("Unavailable, emails wait in the outbox since ")


def test_settings_changed_by_hand_can_not_be_switched_on(configured: Desk) -> None:
    file = configured.services.paths.settings_file
    file.write_text(file.read_text().replace("Example Ltd", "Other Ltd"))
    ended = configured("enable")
    assert ended.status == 65
    assert "Not turned on." in ended.err
    assert shown(configured)["Proven"] == "no"


def test_remove_forgets_server_and_password(configured: Desk) -> None:
    server = configured.services.store.load().server
    assert server is not None
    ended = configured("remove")
    assert (ended.status, ended.out.split(".")[0]) == (0, "Not configured")
    assert configured.services.store.load().server is None
    assert configured.services.credentials.get(server.key) is None


@pytest.mark.parametrize("command", ["show", "enable", "disable", "remove"])
def test_nothing_configured(desk: Desk, command: str) -> None:
    ended = desk(command)
    assert (ended.status, ended.out) == (78, "")
    assert "Nothing is configured." in ended.err


@pytest.mark.parametrize("command", ["show", "enable", "disable", "remove"])
def test_a_file_that_can_not_be_read_is_never_overwritten(desk: Desk, command: str) -> None:
    file = desk.services.paths.settings_file
    file.parent.mkdir(parents=True)
    file.write_text("[[[")
    ended = desk(command)
    assert (ended.status, file.read_text()) == (78, "[[[")
    assert "can’t be read" in ended.err


@pytest.mark.parametrize("command", ["enable", "disable", "remove"])
def test_what_can_not_be_saved(
    configured: Desk, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_stored: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(configured.services.store._file, "write", full)
    ended = configured(command)
    assert ended.status == 73
    assert "The disk is full." in ended.err
