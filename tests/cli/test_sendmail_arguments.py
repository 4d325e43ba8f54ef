from __future__ import annotations

import click
import pytest

from smtp_desk.cli.sendmail import plain_arguments


@pytest.mark.parametrize(
    ("arguments", "plain"),
    [
        ("ann@example.org", "-- ann@example.org"),
        ("-t -i", "-t -i --"),
        ("-ti", "-t -i --"),
        ("-oi -t", "-i -t --"),
        ("-o i", "-i --"),
        ("-f ann@example.org bo@example.org", "-f ann@example.org -- bo@example.org"),
        ("-fann@example.org", "-f ann@example.org --"),
        ("-rann@example.org -i", "-f ann@example.org -i --"),
        ("-r ann@example.org", "-f ann@example.org --"),
        ("-tfann@example.org", "-t -f ann@example.org --"),
        ("-f hans@example.org", "-f hans@example.org --"),
        ("-FCronDaemon -i -B8BITMIME -oem root", "-F CronDaemon -i -- root"),
        ("-F Name bo", "-F Name -- bo"),
        ("-bm -v", "-v --"),
        ("-b m", "--"),
        ("-em -odb -O DeliveryMode=b -N failure,delay -Rhdrs -V id -h 3 -L tag -GUmn", "--"),
        ("-Nnever bo@example.org -i", "-i -- bo@example.org"),
        ("-i -- -ann@example.org -t", "-i -- -ann@example.org -t"),
        ("bo@example.org -i", "-i -- bo@example.org"),
        ("-", "-- -"),
        ("--help", "--help"),
        ("-h", "--help"),
    ],
)  # fmt: skip
def test_the_spellings_of_a_sendmail(arguments: str, plain: str) -> None:
    assert plain_arguments(arguments.split()) == plain.split()


def test_an_empty_value_is_a_value() -> None:
    assert plain_arguments(["-f", "", "bo"]) == ["-f", "", "--", "bo"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("-bs", "-bs: this sendmail speaks no SMTP"),
        ("-bS", "speaks no SMTP"),
        ("-b p", "-bp: this sendmail does not list what waits; “smtp-desk outbox list” does"),
        ("-bd", "is no server"),
        ("-bD", "is no server"),
        ("-bi", "has no aliases"),
        ("-bv", "only takes a message"),
        ("-q", "-q: this sendmail sends no waiting mail; “smtp-desk worker --once” does"),
        ("-q30m", "-q30m: this sendmail sends no waiting mail"),
        ("-i -f", "Option -f needs a value"),
        ("-Z", "No such option: -Z"),
        ("-tZ", "No such option: -tZ"),
        ("--queue", "No such option: --queue"),
    ],
)
def test_what_can_not_be_done_is_said(arguments: str, text: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        plain_arguments(arguments.split())
    assert text in caught.value.message
