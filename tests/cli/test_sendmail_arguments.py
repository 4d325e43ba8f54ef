from __future__ import annotations

import pytest

from smtp_desk.cli.sendmail_arguments import ArgumentsError, plain_arguments
from tests.table import each_row


@each_row(
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
        ("-em -N failure,delay -Rhdrs -V id -h 3 -L tag -GUmn", "--"),
        ("-odb -i", "--delivery b -i --"),
        ("-odi", "--delivery i --"),
        ("-o dq", "--delivery q --"),
        ("-odd", "--delivery q --"),
        ("-O DeliveryMode=background", "--delivery b --"),
        ("-ODeliveryMode=queueonly bo", "--delivery q -- bo"),
        ("-O DeliveryMode=x -O MaxHopCount=3", "--"),
        ("-bs", "-b s --"),
        ("-b p", "-b p --"),
        ("-bi -v", "-b i -v --"),
        ("-q", "-q --"),
        ("-q30m", "-q --"),
        ("-qRann@example.org", "-q --"),
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


@each_row(
    ("arguments", "text"),
    [
        ("-bS", "-bS: this sendmail has no such mode"),
        ("-bd", "isn’t a server"),
        ("-bD", "isn’t a server"),
        ("-bd -q30m", "isn’t a server"),
        ("-bv", "-bv: this sendmail has no such mode"),
        ("-bmp", "has no such mode"),
        ("-i -f", "Option -f needs a value"),
        ("-Z", "No such option: -Z"),
        ("-tZ", "No such option: -tZ"),
        ("--queue", "No such option: --queue"),
    ],
)
def test_what_can_not_be_done_is_said(arguments: str, text: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        plain_arguments(arguments.split())
    assert text in str(caught.value)
