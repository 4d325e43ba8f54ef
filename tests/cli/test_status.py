"""`status`: for people and for scripts."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from smtp_desk.app.routes.status import SCHEMA
from smtp_desk.cli.status import _COUNTED
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from tests.cli.desk import RECIPIENT

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sandbox.server import Sandbox
    from tests.cli.desk import Desk

MESSAGE = OutboxMessage(
    message_id="<1@example.org>", kind="foreign", payload=b"", recipients=(RECIPIENT,)
)

HELD = "Emails wait in the outbox; a worker sends them once a server is available."


def shown(desk: Desk, status: int = 0) -> dict[str, str]:
    ended = desk("status")
    assert (ended.status, ended.err) == (status, "")
    return dict(line.split(": ", 1) for line in ended.out.splitlines())


def configure(desk: Desk, settings: list[str], password: bytes) -> None:
    arguments = (*settings, "--to", RECIPIENT, "--password-stdin")
    assert desk("configure", *arguments, stdin=password).status == 0
    assert desk("enable").status == 0


def test_nothing_configured_is_shown_and_nothing_is_made(
    desk: Desk, clean_environment: Path
) -> None:
    before = sorted(clean_environment.rglob("*"))
    told = shown(desk, status=78)
    assert told["Custom SMTP server"].startswith("Not configured.")
    assert told["Default email service"] == HELD
    assert told["Outbox"] == "empty"
    ended = desk("status", "--json")
    assert ended.status == 78
    assert json.loads(ended.out)["configured"] is False
    assert sorted(clean_environment.rglob("*")) == before


def test_a_server_in_use(desk: Desk, settings: list[str], password: bytes) -> None:
    configure(desk, settings, password)
    assert shown(desk) == {
        "Custom SMTP server": "Active. System emails are sent through localhost.",
        "Default email service": HELD,
        "Outbox": "empty",
    }


def test_an_outage_and_what_waits(desk: Desk, settings: list[str], password: bytes) -> None:
    configure(desk, settings, password)
    desk.services.health.record_failure(CUSTOM, "auth.rejected")
    desk.services.outbox.add([MESSAGE])
    told = shown(desk)
    assert told["Custom SMTP server"].startswith("Unavailable, emails wait in the outbox since ")
    assert told["  Health"] == "Unavailable until you save new settings or run “smtp-desk enable”."
    assert told["  Unavailable since"]
    assert told["  Why"].endswith("(auth.rejected)")
    assert "  Meanwhile" not in told
    desk.services.health.record_fallback(CUSTOM, 3)
    assert shown(desk)["  Meanwhile"].startswith("3 emails sent by the default email service")
    assert told["Outbox"] == "1 ready (waiting for the next attempt)"
    assert "Worker" not in told
    assert told["Why they wait"] == (
        "The custom server is unavailable. Run “smtp-desk enable” to try it again."
    )


def test_a_relay_that_is_left_alone_is_not_tried_again_by_enable(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    arguments = (*settings, "--to", RECIPIENT, "--password-stdin")
    assert desk("default", "smtp", *arguments, stdin=password).status == 0
    desk.services.health.record_failure(DEFAULT, "auth.rejected")
    assert shown(desk)["  Health"] == (
        "Unavailable until you save new settings or press Try again in the window."
    )


def test_a_worker_is_needed_where_it_would_send(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    configure(desk, settings, password)
    desk.services.outbox.add([MESSAGE])
    told = shown(desk)
    assert told["Worker"].startswith("needed")
    assert "Why they wait" not in told


def test_what_emails_wait_for_where_no_route_can_be_used(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    desk.services.outbox.add([MESSAGE])
    assert shown(desk, status=78)["Why they wait"].startswith("Nothing is configured. ")
    configure(desk, settings, password)
    server = desk.services.store.load().server
    assert server is not None
    assert desk("disable").status == 0
    assert shown(desk)["Why they wait"].startswith(
        "The custom server is off. Run “smtp-desk enable”"
    )
    assert desk("enable").status == 0
    desk.services.credentials.delete(server.key)
    assert shown(desk)["Why they wait"].startswith("The custom server’s password isn’t ")


def test_a_default_service_that_can_not_be_used_is_what_emails_wait_for(desk: Desk) -> None:
    path = sys.executable
    saved = desk("default", "sendmail", path, "--from-email", "desk@example.org")
    assert saved.status == 0, saved
    desk.services.outbox.add([MESSAGE])
    file = desk.services.paths.settings_file
    file.write_text(file.read_text().replace(path, "/no/such/file"))
    words = "The default email service isn’t available right now."
    assert shown(desk)["Why they wait"] == words


def test_a_server_that_is_not_proven_is_what_emails_wait_for(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    configure(desk, settings, password)
    desk.services.outbox.add([MESSAGE])
    file = desk.services.paths.settings_file
    file.write_text(file.read_text().replace("Example Ltd", "Other Ltd"))
    assert shown(desk)["Why they wait"].startswith("The custom server isn’t proven. ")


def test_the_outbox_is_counted_in_the_words_in_which_it_can_be_asked(desk: Desk) -> None:
    assert set(_COUNTED) == set(EntryState)
    desk.services.outbox.add([MESSAGE])
    assert shown(desk, 78)["Outbox"] == "1 ready (waiting for the next attempt)"


def test_json_stands_alone_and_holds_no_secret(
    desk: Desk, settings: list[str], password: bytes, sandbox: Sandbox
) -> None:
    configure(desk, settings, password)
    ended = desk("status", "--json")
    told = json.loads(ended.out)
    assert (ended.status, ended.err, told["schema"]) == (0, "", SCHEMA)
    assert told["custom"]["state"] == "active"
    assert sandbox.password.reveal() not in ended.out


def test_metrics_stand_alone(desk: Desk, settings: list[str], password: bytes) -> None:
    ended = desk("status", "--prometheus")
    assert (ended.status, ended.err) == (78, "")
    configure(desk, settings, password)
    ended = desk("status", "--prometheus")
    assert (ended.status, ended.err) == (0, "")
    (custom,) = (
        sample.labels["state"]
        for family in text_string_to_metric_families(ended.out)
        if family.name == "smtp_desk_route_state"
        for sample in family.samples
        if sample.value and sample.labels["route"] == CUSTOM
    )
    assert custom == "active"


def test_one_form_at_a_time(desk: Desk) -> None:
    ended = desk("status", "--json", "--prometheus")
    assert (ended.status, ended.out) == (64, "")
    assert "Use only one of --json and --prometheus." in ended.err


def test_an_outbox_that_can_not_be_read_is_said(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    configure(desk, settings, password)
    desk.services.paths.outbox_file.write_bytes(b"no database" * 100)
    told = shown(desk)
    assert told["Custom SMTP server"].startswith("Active.")
    assert "outbox" in told["Problem"]
    assert "Outbox" not in told


def test_a_settings_file_that_can_not_be_read(desk: Desk) -> None:
    file = desk.services.paths.settings_file
    file.parent.mkdir(parents=True)
    file.write_text("[[[")
    for arguments in (["status"], ["status", "--json"], ["status", "--prometheus"]):
        ended = desk(*arguments)
        assert (ended.status, ended.out) == (78, "")
        assert "can’t be read" in ended.err
