"""OAuth 2.0 on the command line: configure, check, show, sign-in and remove."""

from __future__ import annotations

import json
import threading
import webbrowser
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from smtp_desk.cli.invocation import Pipe
from smtp_desk.cli.oauth_options import show_prompt
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.sender.routes.health import Shut, Usable
from smtp_desk.store.settings_store import SettingsStore
from tests.cli.terminal import ANN, Terminal, checked
from tests.oauth.test_account import jwt
from tests.oauth.test_assertions import pem_of
from tests.servers.certs import Certificates
from tests.servers.sign_in_service import Reply, refusal


def test_a_person_signs_in_and_it_is_saved(terminal: Terminal) -> None:
    ended = checked(terminal.configure(), terminal, 0)
    assert "Sign in on this page within 5 minutes:" in ended.out
    assert f"{terminal.service.url}/authorize?" in ended.out
    assert "Test email sent successfully" in ended.out
    assert len(terminal.server.messages) == 1
    shown = terminal.desk("show").out
    assert "Sign-in method: OAuth 2.0, custom, browser" in shown
    assert "Client ID: desk" in shown
    assert f"Token address: {terminal.service.url}/token" in shown
    assert "Sign-in: in the keyring" in shown
    assert "Password" not in shown
    checked(terminal.desk("check", "--to", "bo@example.org"), terminal, 0)
    assert len(terminal.person.prompts) == 1


def test_a_code_for_another_device(terminal: Terminal) -> None:
    ended = checked(terminal.configure("device"), terminal, 0)
    assert "WDJB-MJHT" in ended.out
    assert f"{terminal.service.url}/activate" in ended.out
    assert "Many organizations block device codes" in ended.out


def test_the_application_with_a_secret(terminal: Terminal) -> None:
    ended = terminal.configure("app", "--password-stdin", stdin=b"client s3cret\n")
    checked(ended, terminal, 0)
    assert terminal.service.requests[0].basic == "desk:client+s3cret"
    assert not terminal.person.prompts


def test_the_application_with_a_certificate_that_ends_soon(
    terminal: Terminal, certs: Certificates, tmp_path: Path
) -> None:
    pem = tmp_path / "client.pem"
    pem.write_text(pem_of(certs.good_rsa).reveal())
    ended = terminal.configure("app", "--client-certificate", str(pem))
    checked(ended, terminal, 0)
    assert "client_assertion" in terminal.service.requests[0].form
    assert "Warning" not in terminal.desk("show").out
    end = certs.good_rsa.certificate.not_valid_after_utc
    for before, told in ((29, "in 29 days"), (1, "in 1 day"), (0, "today"), (-1, "expired on")):
        at = end - timedelta(days=before)
        terminal.desk.services = replace(terminal.desk.services, now=lambda at=at: at)  # type: ignore[misc]
        assert told in terminal.desk("show").out
        assert told in terminal.desk("status").out


def test_json_has_standard_output_for_itself(terminal: Terminal) -> None:
    ended = checked(terminal.configure("browser", "--json"), terminal, 0)
    report = json.loads(ended.out)
    assert report["outcome"] == "sent"
    assert [each["stage"] for each in report["stages"]][:2] == ["settings", "token"]
    assert report["settings"]["auth_method"] == "oauth"
    assert "Sign in on this page" in ended.err
    state = terminal.person.query["state"]
    assert state not in ended.out


@pytest.mark.parametrize(
    ("reply", "code", "status"),
    [
        (refusal("invalid_client", status=401), "oauth.client_invalid", 77),
        (refusal("x", "AADSTS65001: consent"), "oauth.consent_missing", 77),
        (refusal("x", "AADSTS53003: blocked"), "oauth.blocked_by_policy", 77),
        (refusal("invalid_scope"), "oauth.misconfigured", 77),
        (refusal("strange"), "oauth.failed", 77),
        (Reply(302, headers={"Location": "https://x.example"}), "oauth.untrusted", 77),
        (Reply(503, b""), "oauth.unreachable", 75),
    ],
)
def test_each_refusal_has_its_status(
    terminal: Terminal, reply: Reply, code: str, status: int
) -> None:
    terminal.service.replies["/token"] = reply
    ended = terminal.configure("app", "--password-stdin", stdin=b"client s3cret")
    assert code in checked(ended, terminal, status).out
    assert not terminal.server.sessions


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--client-id", "x"], "--client-id goes with --auth oauth."),
        (["--tenant", "x"], "--tenant goes with --auth oauth."),
        (["--service-account", "x"], "--service-account goes with --auth oauth."),
        (["--auth", "oauth", "--oauth-flow", "telepathy"], "'telepathy' is not one of"),
    ],
)
def test_options_that_do_not_go_together(
    terminal: Terminal, arguments: list[str], words: str
) -> None:
    base = ["check", "--host", "localhost", "--to", "bo@example.org"]
    ended = terminal.desk(*base, *arguments)
    assert ended.status == 64
    assert words in ended.err


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        (["--client-certificate", "none.pem"], 65, "none.pem can’t be read"),
        (["--client-certificate", "a", "--service-account", "b"], 64, "not both"),
        (["--client-certificate", "{file}"], 65, "isn’t a PEM or JSON file"),
        (["--client-certificate", "{text}", "--password-stdin"], 64, "already contains the secret"),
        (["--client-certificate", "{large}"], 65, "can’t be read"),
    ],
)
def test_key_files_that_are_none(
    terminal: Terminal, tmp_path: Path, more: list[str], status: int, words: str
) -> None:
    files = {"file": tmp_path / "binary", "text": tmp_path / "text", "large": tmp_path / "large"}
    files["file"].write_bytes(b"\xff\xfe\x00")
    files["text"].write_text("-----BEGIN ")
    files["large"].write_text("x" * 70_000)
    ended = terminal.configure("app", *(each.format(**files) for each in more))
    assert ended.status == status
    assert words in ended.err


def test_a_draft_without_its_fields_is_named(terminal: Terminal) -> None:
    ended = terminal.desk(
        *("check", "--host", "localhost", "--from-email", ANN, "--username", ANN),
        *("--auth", "oauth", "--to", "bo@example.org"),
    )
    assert ended.status == 65
    assert "settings.value_invalid" in ended.out


def saved(terminal: Terminal) -> SettingsStore:
    checked(terminal.configure(), terminal, 0)
    checked(terminal.desk("enable"), terminal, 0)
    return terminal.desk.services.store


def test_sign_in_promises_nothing_in_a_pause(terminal: Terminal) -> None:
    saved(terminal)
    terminal.desk.services.control.pause()
    ended = checked(terminal.desk("sign-in"), terminal, 0)
    assert "Sending is paused. Nothing is sent until you resume it." in ended.out
    assert "queued to send now" not in ended.out


def test_sign_in_opens_what_a_dead_sign_in_had_shut(terminal: Terminal) -> None:
    store = saved(terminal)
    services = terminal.desk.services
    services.health.record_failure("custom", "auth.sign_in_again")
    assert services.health.may_use("custom") == Shut("auth.sign_in_again")
    told = terminal.desk("status").out
    assert "Unavailable until you save new settings or sign in again (“smtp-desk sign-in”)." in told
    before = store.load()
    ended = checked(terminal.desk("sign-in"), terminal, 0)
    assert "Signed in. Waiting emails are queued to send now." in ended.out
    assert services.health.may_use("custom") == Usable()
    assert store.load() == before  # what was proven is
    server = before.server
    assert server is not None
    entry = store.entry(server)
    assert entry is not None
    assert entry.refresh_token.reveal() == terminal.service.refresh
    assert len(terminal.person.prompts) == 2


def test_sign_in_as_another_account_changes_nothing(terminal: Terminal) -> None:
    terminal.service.gives = {"id_token": jwt(iss="https://login", sub="1", email=ANN)}
    store = saved(terminal)
    server = store.load().server
    assert server is not None
    before = store.entry(server)
    terminal.service.gives = {"id_token": jwt(iss="https://login", sub="2", email="bo@example.org")}
    ended = checked(terminal.desk("sign-in"), terminal, 77)
    assert "oauth.account_mismatch" in ended.out
    assert "You signed in as bo@example.org, but the username is ann@example.org." in ended.out
    assert store.entry(server) == before
    terminal.service.gives = {"id_token": jwt(iss="https://login", sub="1", email=ANN)}
    assert f"Signed in as {ANN}." in checked(terminal.desk("sign-in"), terminal, 0).out


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"error": "access_denied", "code": ""}, "oauth.denied", 77),
        ({"code": "stolen"}, "oauth.denied", 77),
    ],
)
def test_a_sign_in_that_fails_changes_nothing(
    terminal: Terminal, changes: dict[str, str], code: str, status: int
) -> None:
    store = saved(terminal)
    server = store.load().server
    assert server is not None
    before = store.entry(server)
    terminal.service.codes["stolen"] = "of another"
    terminal.person.changes = changes
    ended = checked(terminal.desk("sign-in"), terminal, status)
    assert code in ended.out
    assert "Not signed in. Nothing changed." in ended.out
    assert store.entry(server) == before


def test_the_relay_of_the_default_service_has_a_sign_in_of_its_own(terminal: Terminal) -> None:
    saved(terminal)
    relay = ("default", "smtp", *terminal.settings(), "--to", "bo@example.org")
    checked(terminal.desk(*relay), terminal, 0)
    store = terminal.desk.services.store
    stored = store.load()
    assert stored.server is not None
    assert stored.default.server is not None
    before = store.entry(stored.server), store.entry(stored.default.server)
    terminal.desk.services.health.record_failure("default", "auth.sign_in_again")
    checked(terminal.desk("sign-in", "--default"), terminal, 0)
    assert store.entry(stored.server) == before[0]
    assert store.entry(stored.default.server) != before[1]
    assert terminal.desk.services.health.may_use("default") == Usable()


@pytest.mark.parametrize("flow", ["browser", "device"])
def test_a_worker_without_a_keyring_keeps_no_sign_in_of_a_person(
    terminal: Terminal, flow: str
) -> None:
    ended = terminal.configure(flow, "--system")
    assert ended.status == 64
    assert "Use --oauth-flow app or service-account" in ended.err
    assert not terminal.person.prompts


def test_there_is_nothing_to_sign_in_for(terminal: Terminal) -> None:
    ended = terminal.desk("sign-in")
    assert (ended.status, ended.err.strip()) == (
        78,
        "smtp-desk: The saved server doesn’t sign in with OAuth 2.0.",
    )
    terminal.configure("app", "--password-stdin", stdin=b"client s3cret")
    ended = terminal.desk("sign-in")
    assert ended.status == 78
    assert "signs in on its own" in ended.err


@pytest.mark.parametrize("provider", ["microsoft", "google", "custom"])
def test_the_guide_says_how_to_register(terminal: Terminal, provider: str) -> None:
    ended = terminal.desk("sign-in", "--guide", provider)
    assert ended.status == 0
    assert ended.out.startswith("# Register an application with")
    assert "smtp-desk configure" in ended.out
    wanted = {
        "microsoft": ("http://localhost", "SMTP.Send", "SMTP.SendAsApp", "New-ServicePrincipal"),
        "google": ("https://mail.google.com/", "Desktop app", "domain-wide delegation"),
        "custom": ("http://127.0.0.1", "PKCE", "private_key_jwt"),
    }[provider]
    assert all(each in ended.out for each in wanted)


def test_remove_withdraws_the_sign_in_where_that_is_offered(terminal: Terminal) -> None:
    saved(terminal)
    terminal.service.replies["/.well-known/oauth-authorization-server"] = Reply(
        content={"revocation_endpoint": f"{terminal.service.url}/revoke"}
    )
    terminal.service.replies["/revoke"] = Reply(content={})
    refresh = terminal.service.refresh
    ended = checked(terminal.desk("remove"), terminal, 0)
    assert "The sign-in was revoked at the provider." in ended.out
    assert terminal.service.of("/revoke")[0].form["token"] == refresh


@pytest.mark.parametrize("away", [True, False])
def test_remove_goes_on_where_it_is_not_offered(terminal: Terminal, away: bool) -> None:
    saved(terminal)
    if away:
        for path in ("oauth-authorization-server", "openid-configuration"):
            terminal.service.replies[f"/.well-known/{path}"] = Reply(503)
    ended = checked(terminal.desk("remove"), terminal, 0)
    assert "couldn’t revoke the sign-in at the provider" in ended.out
    assert terminal.desk.services.store.load().server is None


def test_removing_a_password_withdraws_nothing(terminal: Terminal) -> None:
    terminal.configure("app", "--password-stdin", stdin=b"client s3cret")
    ended = terminal.desk("remove")
    assert ended.status == 0
    assert "withdrawn" not in ended.out


@pytest.mark.parametrize(
    ("variables", "opening", "opens"),
    [
        ({"DISPLAY": ":1"}, True, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True, True),
        ({"DISPLAY": ":1"}, False, False),
        ({}, True, False),  # a browser of the terminal would take it over
    ],
)
def test_a_browser_is_opened_where_it_has_a_window(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], opening: bool, opens: bool
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    console = Pipe(None)
    show_prompt(console, Prompt("https://login.example.org/a?b"), opening=opening)
    for thread in threading.enumerate():
        if thread.name == "browser":
            thread.join(5)
    assert opened == (["https://login.example.org/a?b"] if opens else [])
