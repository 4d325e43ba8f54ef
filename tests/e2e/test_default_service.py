"""The relay of the default email service against a real server, with a real keyring."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from smtp_desk.core.report_reader import read_report
from tests.e2e.program import run, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix
    from tests.servers.secret_service import SecretService

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs a Secret Service"),
    pytest.mark.needs("gnome_keyring"),
]

PASSWORD: Final = b"s3cret\n"
TEST: Final = ("--to", "ann@example.test", "--password-stdin")


@pytest.fixture
def env(secret_service: SecretService, clean_environment: Path) -> dict[str, str]:
    return {**secret_service.env, "SMTP_DESK_HOME": str(clean_environment)}


def default_status(env: dict[str, str]) -> dict[str, Any]:
    done = run("status", "--json", env=env)
    told: dict[str, Any] = json.loads(done.stdout)["default"]
    return told


def test_a_relay_that_passed_is_the_default_service(
    postfix: Postfix, certs: Certificates, secret_service: SecretService, env: dict[str, str]
) -> None:
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    done = run("default", "smtp", *settings, *TEST, stdin=PASSWORD, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines()[-1] == (
        "Saved. Emails are sent through localhost, from desk@example.test."
    )
    (mail,) = postfix.mailboxes.messages("ann", at_least=1)
    assert mail["From"] == "desk@example.test"
    told = default_status(env)
    assert (told["kind"], told["proven"], told["secret"]) == ("smtp", True, "available")
    assert secret_service.passwords() == ["s3cret"]


def test_custom_server_and_relay_have_each_their_own_entry(
    postfix: Postfix, certs: Certificates, secret_service: SecretService, env: dict[str, str]
) -> None:
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    for command in (("configure",), ("default", "smtp")):
        done = run(*command, *settings, *TEST, stdin=PASSWORD, env=env)
        assert done.returncode == 0, done
    assert secret_service.passwords() == ["s3cret", "s3cret"]
    assert run("remove", env=env).returncode == 0
    assert secret_service.passwords() == ["s3cret"]
    assert run("default", "outbox", env=env).returncode == 0
    again = run("default", "smtp", env=env)
    assert (again.returncode, again.stderr) == (0, b"")
    assert default_status(env)["state"] == "active"


def test_a_relay_that_refuses_is_not_saved(
    postfix: Postfix, certs: Certificates, secret_service: SecretService, env: dict[str, str]
) -> None:
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    done = run(*("default", "smtp", *settings, *TEST, "--json"), stdin=b"wrong", env=env)
    finding = read_report(done.stdout).finding
    assert finding is not None
    assert (done.returncode, finding.code) == (77, "auth.rejected")
    assert default_status(env)["kind"] == "outbox"
    assert secret_service.passwords() == []
