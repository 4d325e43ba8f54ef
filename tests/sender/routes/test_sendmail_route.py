"""The route over the machine's mail program: how it is called, and what its end means."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from smtp_desk.core.findings.finding import Scope
from smtp_desk.sender.routes.route import DEFAULT
from smtp_desk.sender.routes.sendmail import MailProgram, SendmailRoute
from tests.sender.mta import Mta
from tests.sender.ways_out import (
    ACCEPTED,
    CATALOGUE,
    IDENTITY,
    REFUSED,
    UNCERTAIN,
    Dots,
    codes,
    foreign,
    patience,
    send,
    statuses,
)


def route_to(path: pathlib.Path | str) -> SendmailRoute:
    return SendmailRoute(str(path), IDENTITY, CATALOGUE)


class TestCall:
    def test_sender_and_recipient(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path, after="echo queued >&2")
        (result,) = send(mta.route())
        assert (result.status, result.reply, result.finding) == (ACCEPTED, "queued", None)
        assert mta.arguments == [["-i", "-f", "desk@example.test", "--", "bo@example.test"]]
        assert mta.route().name == DEFAULT

    def test_the_null_sender(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path)
        mail = foreign(envelope_sender="<>")
        assert statuses(mta.route().send(mail, ("bo@example.test",), Dots(), patience())) == [
            ACCEPTED
        ]
        assert mta.arguments == [["-i", "-f", "<>", "--", "bo@example.test"]]

    def test_no_recipient_becomes_an_option_or_a_command(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path)
        to = ("-oQ/tmp@example.test", "`id`|$HOME@example.test", "bö@bücher.test")
        assert statuses(send(mta.route(), *to)) == [ACCEPTED] * 3
        assert sorted(arguments[3:] for arguments in mta.arguments) == [
            ["--", "-oQ/tmp@example.test"],
            ["--", "`id`|$HOME@example.test"],
            ["--", "bö@xn--bcher-kva.test"],
        ]

    def test_line_ends_are_those_of_the_system(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path)
        mail = foreign(b"From: desk@example.test\r\nSubject: x\r\n\r\n.\r\na\r\nb\nc\rd\r\n")
        mta.route().send(mail, ("bo@example.test",), Dots(), patience())
        (message,) = mta.messages
        assert b"\r" not in message
        assert message.endswith(b"\n\n.\na\nb\nc\nd\n")

    def test_the_environment_holds_nothing_of_ours(
        self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = ("SMTP_DESK_PASSWORD", "SMTP_DESK_DEFAULT_PASSWORD", "CREDENTIALS_DIRECTORY")
        for name in ours:
            monkeypatch.setenv(name, "s3cret")
        monkeypatch.setenv("LD_PRELOAD", "")
        monkeypatch.setenv("HOME", "/nonexistent")
        mta = Mta(tmp_path)
        assert statuses(send(mta.route())) == [ACCEPTED]
        assert mta.environment["HOME"] == "/nonexistent"
        assert mta.environment["PATH"].endswith(":/bin")
        assert not {*ours, "SMTP_DESK_HOME", "LD_PRELOAD"} & mta.environment.keys()

    def test_a_message_larger_than_any_pipe(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path)
        mail = foreign(b"From: desk@example.test\r\n\r\n" + b"0123456789abcde\r\n" * 100_000)
        assert statuses(mta.route().send(mail, ("bo@example.test",), Dots(), patience())) == [
            ACCEPTED
        ]
        assert len(mta.messages[0]) > 1_600_000


class TestEnd:
    @pytest.mark.parametrize(
        ("status", "code", "scope"),
        [
            (1, "sendmail.failed", Scope.ROUTE),
            (64, "sendmail.failed", Scope.ROUTE),
            (65, "sendmail.refused", Scope.MESSAGE),
            (67, "sendmail.unknown_recipient", Scope.RECIPIENT),
            (68, "sendmail.unknown_recipient", Scope.RECIPIENT),
            (69, "sendmail.unavailable", Scope.SOFT),
            (75, "sendmail.temporary", Scope.SOFT),
            (78, "sendmail.failed", Scope.ROUTE),
            (127, "sendmail.failed", Scope.ROUTE),
        ],
    )
    def test_by_exit_status(
        self, tmp_path: pathlib.Path, status: int, code: str, scope: Scope
    ) -> None:
        mta = Mta(tmp_path, after=f"echo 'the words' >&2; exit {status}")
        dots = Dots()
        (result,) = send(mta.route(), before_dot=dots)
        assert result.finding is not None
        assert (result.status, result.finding.code) == (REFUSED, code)
        assert result.finding.scope is scope
        assert result.reply == "the words"
        assert "the words" in result.finding.explanation
        assert dots.announced == 1

    @pytest.mark.parametrize(
        "after", ["kill -9 $$", "kill -TERM $$", "sh -c 'kill -9 $$'; exit $?"]
    )
    def test_killed_it_is_uncertain(self, tmp_path: pathlib.Path, after: str) -> None:
        (result,) = send(Mta(tmp_path, after=f"echo almost >&2; {after}").route())
        assert (result.status, codes([result])) == (UNCERTAIN, ["sendmail.unconfirmed"])
        assert result.reply.startswith("almost")

    @pytest.mark.parametrize("where", ["before", "after"])
    def test_too_slow_it_is_stopped_with_all_it_started(
        self, tmp_path: pathlib.Path, where: str
    ) -> None:
        mta = Mta(tmp_path, **{where: "sleep 600 & wait"})
        mail = foreign(b"From: desk@example.test\r\n\r\n" + b"0123456789abcde\r\n" * 100_000)
        results = mta.route(limit_seconds=0.5).send(mail, ("bo@example.test",), Dots(), patience())
        assert (statuses(results), codes(results)) == ([UNCERTAIN], ["sendmail.unconfirmed"])
        mta.wait_for_end(mta.wait_for_run())

    def test_one_that_refuses_to_stop_is_killed(
        self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("smtp_desk.sender.routes.sendmail._GRACE_SECONDS", 0.2)
        mta = Mta(tmp_path, after="trap '' TERM; while :; do sleep 1; done")
        assert statuses(send(mta.route(limit_seconds=0.3))) == [UNCERTAIN]
        mta.wait_for_end(mta.wait_for_run())

    def test_no_time_is_left_for_the_others(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path, after="sleep 600 & wait")
        results = send(mta.route(limit_seconds=0.5), "ann@example.test", "bo@example.test")
        assert statuses(results) == [UNCERTAIN, REFUSED]
        assert codes(results) == ["sendmail.unconfirmed", "sendmail.temporary"]
        assert len(mta.arguments) == 1

    def test_words_are_cut_and_made_visible(self, tmp_path: pathlib.Path) -> None:
        endless = "printf 'no\\033[2J\\n'; head -c 1000000 /dev/zero | tr '\\0' 'x'"
        mta = Mta(tmp_path, after=f"({endless}) >&2; exit 75")
        (result,) = send(mta.route())
        assert result.reply.startswith("no\\x1b[2J xxx")
        assert len(result.reply) < 5000

    def test_who_it_leaves_behind_is_not_waited_for(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path, after="echo queued >&2; sleep 3 &")
        (result,) = send(mta.route())
        assert (result.status, result.reply) == (ACCEPTED, "queued")

    def test_one_that_does_not_read_the_message(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path, before="echo 'bad option' >&2; exit 64")
        mail = foreign(b"From: desk@example.test\r\n\r\n" + b"0123456789abcde\r\n" * 100_000)
        results = mta.route().send(mail, ("bo@example.test",), Dots(), patience())
        assert (statuses(results), codes(results)) == ([REFUSED], ["sendmail.failed"])


class TestNoProgram:
    def refused(self, path: pathlib.Path | str) -> str:
        """The code with which all recipients are refused, before the dot; also the probe's."""
        route, dots = route_to(path), Dots()
        results = send(route, "ann@example.test", "bo@example.test", before_dot=dots)
        assert statuses(results) == [REFUSED, REFUSED]
        assert dots.announced == 0
        finding = route.probe()
        assert finding is not None
        assert finding.scope is Scope.ROUTE
        assert set(codes(results)) == {finding.code}
        return finding.code

    def test_missing(self, tmp_path: pathlib.Path) -> None:
        assert self.refused(tmp_path / "sendmail") == "sendmail.not_found"

    def test_a_folder(self, tmp_path: pathlib.Path) -> None:
        assert self.refused(tmp_path) == "sendmail.not_found"

    @pytest.mark.parametrize("path", ["sendmail", "", "./sendmail", "/" + "x" * 5000, "/\0"])
    def test_no_path(
        self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        (tmp_path / "sendmail").write_bytes(Mta(tmp_path).path.read_bytes())
        (tmp_path / "sendmail").chmod(0o755)
        monkeypatch.chdir(tmp_path)
        assert self.refused(path) == "sendmail.not_found"

    def test_not_executable(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path)
        mta.path.chmod(0o644)
        assert self.refused(mta.path) == "sendmail.not_found"

    def test_no_program_of_this_machine(self, tmp_path: pathlib.Path) -> None:
        path = tmp_path / "sendmail"
        path.write_bytes(b"\x7fELF of another machine")
        path.chmod(0o755)
        (result,) = send(route_to(path))
        assert (result.status, codes([result])) == (REFUSED, ["sendmail.not_found"])
        assert result.finding is not None
        assert "Exec format error" in result.finding.explanation

    def test_this_program(self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        own = tmp_path / "bin" / "desk"
        own.parent.mkdir()
        own.write_bytes(Mta(tmp_path).path.read_bytes())
        own.chmod(0o755)
        monkeypatch.setattr(sys, "argv", [str(own)])
        (tmp_path / "sendmail").symlink_to("hop")
        (tmp_path / "hop").symlink_to(own)
        (tmp_path / "hard").hardlink_to(own)
        for name in ("bin/desk", "sendmail", "hard"):
            assert self.refused(tmp_path / name) == "sendmail.is_this_program"

    def test_a_script_that_starts_this_program(self, tmp_path: pathlib.Path) -> None:
        path = tmp_path / "sendmail"
        path.write_text('#!/bin/sh\nexec smtp-desk sendmail "$@"\n')
        path.chmod(0o755)
        assert self.refused(path) == "sendmail.is_this_program"


class TestClose:
    def test_stops_what_runs(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path, after="sleep 600 & wait")
        route = mta.route()
        with ThreadPoolExecutor(1) as threads:
            sending = threads.submit(send, route, "ann@example.test", "bo@example.test")
            process = mta.wait_for_run()
            route.close()
            results = sending.result()
        assert statuses(results) == [UNCERTAIN, REFUSED]
        assert codes(results) == ["sendmail.unconfirmed", "session.cancelled"]
        mta.wait_for_end(process)

    def test_retired_what_runs_goes_on(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path)
        route = mta.route()
        assert statuses(send(route, before_dot=route.retire)) == [ACCEPTED]
        assert codes(send(route)) == ["session.cancelled"]
        assert len(mta.messages) == 1

    def test_before_it_begins(self, tmp_path: pathlib.Path) -> None:
        mta = Mta(tmp_path)
        route = mta.route()
        assert codes(send(route, before_dot=route.close)) == ["session.cancelled"]
        assert not mta.arguments

    def test_one_that_begins_meanwhile_is_stopped(
        self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mta = Mta(tmp_path, before="sleep 600 & wait")
        route = mta.route()

        def begin(command: Sequence[str]) -> MailProgram:
            program = MailProgram(command)
            route.close()
            return program

        monkeypatch.setattr("smtp_desk.sender.routes.sendmail.MailProgram", begin)
        assert codes(send(route)) == ["sendmail.unconfirmed"]
        assert not mta.messages
