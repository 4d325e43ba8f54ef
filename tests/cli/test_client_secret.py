"""The day on which a client secret expires, on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.terminal import ANN, Terminal, checked
from tests.oauth.test_assertions import pem_of
from tests.servers.certs import Certificates


def in_days(days: int) -> str:
    return str(datetime.now(UTC).date() + timedelta(days=days))


def test_when_a_client_secret_expires(terminal: Terminal) -> None:
    soon = in_days(12)
    secret = b"client s3cret\n"
    more = ("--password-stdin", "--client-secret-expires", soon)
    checked(terminal.configure("app", *more, stdin=secret), terminal, 0)
    shown = terminal.desk("show").out
    assert f"Client secret expires: {soon}" in shown
    assert f"Warning: By the date in the settings, the client secret expires on {soon}" in shown
    assert f"the client secret expires on {soon}, in 12 days." in terminal.desk("status").out
    emails = len(terminal.server.messages)
    late = in_days(400)
    ended = checked(terminal.desk("sign-in", "--client-secret-expires", late), terminal, 0)
    assert ended.out == "Saved. You’ll be warned 30 days before the client secret expires.\n"
    shown = terminal.desk("show").out
    assert f"Client secret expires: {late}" in shown
    assert "Proven: yes" in shown
    assert "Warning" not in shown
    assert "client secret" not in terminal.desk("status").out
    assert len(terminal.server.messages) == emails
    exported = terminal.ca_file.parent / "exported.toml"
    assert terminal.desk("export", str(exported)).status == 0
    assert late not in exported.read_text()
    ended = checked(terminal.desk("sign-in", "--client-secret-expires", ""), terminal, 0)
    assert ended.out.startswith("Saved. Nobody will be warned")
    assert "expires" not in terminal.desk("show").out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2020-01-01", "This day has passed."),
        ("2027-02-29", "There’s no such day."),
        ("9999-12-31", "more than ten years away"),
        ("5/30/2027", "year-month-day"),
        ("soon", "year-month-day"),
    ],
)
def test_a_wrong_day_ends_before_anything_is_sent(
    terminal: Terminal, typed: str, said: str
) -> None:
    more = ("--password-stdin", "--client-secret-expires", typed)
    ended = checked(terminal.configure("app", *more, stdin=b"client s3cret\n"), terminal, 65)
    assert said in " ".join(ended.out.split())
    assert not terminal.service.requests
    ended = checked(
        terminal.desk("check", *terminal.settings("app"), "--to", "bo@example.org", *more,
                      stdin=b"client s3cret\n"), terminal, 65)  # fmt: skip
    assert said in " ".join(ended.out.split())
    checked(terminal.configure("app", more[0], stdin=b"client s3cret\n"), terminal, 0)
    ended = checked(terminal.desk("sign-in", "--client-secret-expires", typed), terminal, 65)
    assert said in ended.err
    assert "expires" not in terminal.desk("show").out


def test_a_day_goes_with_a_client_secret(terminal: Terminal, certs: Certificates) -> None:
    day = ("--client-secret-expires", in_days(100))
    assert terminal.desk("sign-in", *day).status == 78
    pem = terminal.ca_file.parent / "client.pem"
    pem.write_text(pem_of(certs.good_rsa).reveal())
    by_key = ("--client-certificate", str(pem))
    ended = checked(terminal.configure("app", *by_key, *day), terminal, 64)
    assert "--client-secret-expires goes with a client secret." in ended.err
    microsoft = ("--auth", "oauth", "--oauth-provider", "microsoft", "--client-id", "1")
    ended = terminal.desk("check", "--host", "localhost", *microsoft, *day, "--no-send")
    assert ended.status == 64
    assert "goes with a client secret" in ended.err
    ended = terminal.desk("check", "--host", "localhost", *day, "--no-send")
    assert "--client-secret-expires goes with --auth oauth." in ended.err
    checked(terminal.configure("app", *by_key), terminal, 0)
    ended = checked(terminal.desk("sign-in", *day), terminal, 78)
    assert "The saved server doesn’t sign in with a client secret." in ended.err
    checked(terminal.configure("browser"), terminal, 0)
    assert terminal.desk("sign-in", *day).status == 78


def test_the_day_of_an_imported_application(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text(
        'schema = "smtp-desk/settings/1"\n[server]\nhost = "localhost"\nport = 1\n'
        f'username = "{ANN}"\nfrom_email = "{ANN}"\nauth_method = "oauth"\n[oauth]\n'
        'provider = "microsoft"\nflow = "app"\nclient_id = "1"\ntenant = "example.org"\n'
    )
    arguments = ("import", str(file), "--to", ANN, "--accept", "localhost", "--password-stdin")
    ended = terminal.desk(
        *arguments, "--client-secret-expires", "2020-01-01", stdin=b"client s3cret\n"
    )
    assert ended.status == 65
    assert "This day has passed." in " ".join(ended.out.split())
    file.write_text(file.read_text().replace('"app"', '"browser"'))
    ended = terminal.desk(*arguments, "--client-secret-expires", in_days(100))
    assert (ended.status, "goes with a client secret" in ended.err) == (64, True)
