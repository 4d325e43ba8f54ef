"""The facts that a line has room for, from reports of anybody."""

import pytest

from smtp_desk.app.diagnostics.report_text import key_facts, shown
from smtp_desk.core.report import StageResult
from smtp_desk.core.stages import Facts, Json, Stage, StageStatus
from tests.table import each_row


@each_row(
    ("stage", "facts", "expected"),
    [
        (Stage.SETTINGS, {"problem": "Too long."}, "Too long."),
        (Stage.SETTINGS, {"problems": ["a", "b"], "problem": "a"}, "a, b"),
        (Stage.RESOLVE, {"reason": "no answer in time"}, "no answer in time"),
        (
            Stage.RESOLVE,
            {"from_domain": "a.test", "mx": ["5 b.test."], "spf": ["v" * 99], "not_checked": ["x"]},
            f"From domain a.test; MX 5 b.test.; SPF {'v' * 75}…; not checked: x",
        ),
        (
            Stage.CONNECT,
            {"addresses": [{"address": "::1", "result": "refused"}, {"address": "a"}, "odd"]},
            "::1 refused; a",
        ),
        (Stage.CONNECT, {"addresses": "odd"}, ""),
        (Stage.EHLO, {"extensions_before_tls": ["STARTTLS"]}, "STARTTLS"),
        (Stage.TLS, {"cipher": "X", "chain": [{"subject": "CN=a"}]}, "X; certificate CN=a"),
        (Stage.TLS, {"chain": "odd"}, ""),
        (Stage.AUTH, {"mechanism": "PLAIN", "reply_code": 235}, "PLAIN; 235"),
        (
            Stage.AUTH,
            {"mechanism": "XOAUTH2", "reply_code": 535, "token": {"audience": "billing"}},
            "XOAUTH2; 535; the token: audience billing",
        ),
        (Stage.AUTH, {"token": []}, ""),
        (Stage.RECIPIENT, {"recipients": [{"reply_code": 250, "words": "OK"}, 1]}, "250 OK"),
        (Stage.MESSAGE, {"words": "x" * 400}, "x" * 299 + "…"),
        (Stage.DONE, {}, ""),
    ],
)  # fmt: skip
def test_the_facts_worth_a_place(stage: Stage, facts: Facts, expected: str) -> None:
    assert key_facts(StageResult(stage, StageStatus.PASSED, 1, facts)) == expected


@each_row(
    ("value", "expected"),
    [(None, "none"), (True, "yes"), (False, "no"), ([1, "a"], "1, a"), ({"a": [None]}, "a none")],
)
def test_facts_as_text(value: Json, expected: str) -> None:
    assert shown(value) == expected


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.GREETING, Stage.TLS])
def test_other_ports_that_were_tried_are_told(stage: Stage) -> None:
    ports: list[Json] = [{"port": 465, "answer": "tls"}, {"port": 25, "answer": "closed"}, "odd"]
    result = StageResult(stage, StageStatus.FAILED, 0, {"other_ports": ports})
    assert key_facts(result) == "other ports: 465 tls, 25 closed"
